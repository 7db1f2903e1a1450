// Findings and errors → the verdict. Pure, and the only place that decides.
import type { Failure, Finding } from '../finding.ts';
import { SEVERITIES, type Severity } from '../rules.ts';

export type FailOn = Severity | 'none';

export interface Verdict {
  readonly outcome: 'pass' | 'fail' | 'error';
  readonly failOn: FailOn;
  readonly counts: Readonly<Record<Severity, number>>;
}

/**
 * fail beats error beats pass: nobody can turn "malicious" into "please retry" by making one file unreadable, and what
 * could not be looked at never passes.
 */
export function judge(findings: readonly Finding[], errors: readonly Failure[], failOn: FailOn): Verdict {
  const counts = { info: 0, low: 0, medium: 0, high: 0, critical: 0 } satisfies Record<Severity, number>;
  for (const { severity } of findings) counts[severity]++;
  const failing = failOn === 'none' ? [] : SEVERITIES.slice(SEVERITIES.indexOf(failOn));
  const fails = failing.some((severity) => counts[severity] > 0);
  return { outcome: fails ? 'fail' : errors.length > 0 ? 'error' : 'pass', failOn, counts };
}
