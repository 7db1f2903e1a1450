// Findings and errors → the verdict. Pure, and the only place that decides.
import { type Failure, type Finding, sortFindings } from '../../rules/finding.ts';
import { SEVERITIES, type Severity } from '../../rules/rules.ts';
import type { Profile } from '../../scan/profile/profile.ts';
import { checkContent } from './content.ts';
import { assertDay } from './day.ts';
import type { FailOn, Policy } from './policy.ts';
import { checkTensors } from './tensors.ts';
import { waive } from './waiver.ts';

export interface Verdict {
  readonly outcome: 'pass' | 'fail' | 'error';
  readonly failOn: FailOn;
  /** Findings that count, by severity: those that a waiver accepts are not among them. */
  readonly counts: Readonly<Record<Severity, number>>;
}

export interface JudgeOptions {
  /** Default: the policy's, else 'high'. */
  readonly failOn?: FailOn | undefined;
  readonly policy?: Policy | undefined;
  /** 'YYYY-MM-DD'; what waivers' expiry is compared with. */
  readonly today?: string | undefined;
}

/** What was decided, and on what: findings with the policy's severities and waivers, and those about the policy itself. */
export interface Judgement {
  readonly findings: readonly Finding[];
  readonly verdict: Verdict;
}

/**
 * fail beats error beats pass: nobody can turn "malicious" into "please retry" by making one file unreadable, and what
 * could not be looked at never passes.
 *
 * @throws SteelyardError USAGE: the policy has waivers and `today` is not a day.
 */
export function judge(
  profile: Profile,
  found: readonly Finding[],
  errors: readonly Failure[],
  { failOn: asked, policy, today = '' }: JudgeOptions = {},
): Judgement {
  assertDay(policy, today);
  const failOn = asked ?? policy?.failOn ?? 'high';
  const findings = policy === undefined ? found : applied(policy, profile, found, today);
  const counts = { info: 0, low: 0, medium: 0, high: 0, critical: 0 } satisfies Record<Severity, number>;
  for (const { severity, waived } of findings) if (waived === undefined) counts[severity]++;
  const failing = failOn === 'none' ? [] : SEVERITIES.slice(SEVERITIES.indexOf(failOn));
  const fails = failing.some((severity) => counts[severity] > 0);
  const outcome = fails ? 'fail' : errors.length > 0 ? 'error' : 'pass';
  return { findings, verdict: { outcome, failOn, counts } };
}

function applied(policy: Policy, profile: Profile, found: readonly Finding[], today: string): Finding[] {
  const broken = sortFindings([...checkTensors(policy, profile), ...checkContent(policy, profile)]);
  const weighed = [...found, ...broken].map((finding) => {
    const severity = policy.severity.get(finding.rule);
    return severity === undefined ? finding : { ...finding, severity };
  });
  return waive(weighed, profile, policy, today);
}
