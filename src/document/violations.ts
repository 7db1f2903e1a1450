// Collects what is wrong with one file, and names it safely. A hostile header can break a rule a million times: of each
// rule the first hundred places are kept and the rest is counted, so that the report stays readable and memory bounded.

import type { RuleId, Severity } from '../rules/rules.ts';

/** One broken rule of the container's grammar. `offset`: absolute byte position of the evidence. */
export interface Violation {
  readonly rule: RuleId;
  /** Where it is not the rule's own. */
  readonly severity?: Severity;
  readonly message: string;
  readonly offset?: number;
  readonly tensor?: string;
  readonly expected?: string;
  readonly actual?: string;
}

export type Place = Omit<Violation, 'rule' | 'message'>;

const PLACES_PER_RULE = 100;

export class Violations {
  readonly #list: Violation[] = [];
  readonly #counts = new Map<RuleId, number>();

  /** A message that is costly to write is given as a function: of a million places it is asked for a hundred. */
  report(rule: RuleId, message: string | (() => string), place: Place = {}): void {
    const count = (this.#counts.get(rule) ?? 0) + 1;
    this.#counts.set(rule, count);
    if (count > PLACES_PER_RULE) return;
    this.#list.push({ rule, message: typeof message === 'string' ? message : message(), ...place });
  }

  /** In the order they were found; one more per rule that was broken more often than is listed. */
  list(): Violation[] {
    const list = [...this.#list];
    for (const [rule, count] of this.#counts) {
      if (count > PLACES_PER_RULE) list.push({ rule, message: `and ${count - PLACES_PER_RULE} more places` });
    }
    return list;
  }
}

/** Ends the reading of a header: nothing after this place can be trusted. Never leaves src/scan/format. */
export class Fault extends Error {
  readonly rule: RuleId;
  readonly place: Place;

  constructor(rule: RuleId, message: string, place: Place = {}) {
    super(message);
    this.rule = rule;
    this.place = place;
  }
}

const SHOWN = 80;

/** A string of the file for use in a message: cut, quoted, and without anything a terminal would act on. */
export function quoted(text: string): string {
  const cut = text.length > SHOWN ? `${text.slice(0, SHOWN).replace(/[\uD800-\uDBFF]$/, '')}…` : text;
  return JSON.stringify(cut).replace(
    /[\p{C}\p{Zl}\p{Zp}]/gu,
    (c) => `\\u{${c.codePointAt(0)!.toString(16)}}`,
  );
}
