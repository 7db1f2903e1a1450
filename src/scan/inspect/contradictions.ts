// Collects findings that are about several files at once. A hostile index can contradict its shards a million times: of each
// rule the first hundred places per file are kept and the rest is counted, as the readers of headers do.

import { type Place, Violations } from '../../document/violations.ts';
import { type Finding, toFinding } from '../../rules/finding.ts';
import type { RuleId } from '../../rules/rules.ts';

export class Contradictions {
  readonly #files = new Map<string, Violations>();

  report(rule: RuleId, file: string, message: string, place: Place = {}): void {
    let violations = this.#files.get(file);
    if (violations === undefined) {
      violations = new Violations();
      this.#files.set(file, violations);
    }
    violations.report(rule, message, place);
  }

  list(): Finding[] {
    return [...this.#files].flatMap(([file, violations]) =>
      violations.list().map((violation) => toFinding({ ...violation, file })),
    );
  }
}
