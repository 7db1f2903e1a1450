// Findings and errors → the verdict. Pure, and the only place that decides.
import { type Failure, type Finding, sortFindings } from '../../rules/finding.ts';
import { type Severity, severitiesFrom } from '../../rules/rules.ts';
import { type Check, unhurried } from '../../runtime/turn.ts';
import type { Profile } from '../../scan/profile/profile.ts';
import { checkContent } from './content.ts';
import { assertDay } from './day.ts';
import type { FailOn, Policy } from './policy.ts';
import { checkTensors } from './tensors.ts';
import { checkUnexamined, type Unexamined } from './unexamined.ts';
import { waive } from './waiver.ts';

export interface Verdict {
  readonly outcome: 'pass' | 'fail' | 'error';
  readonly failOn: FailOn;
  /** Findings that count, by severity: those that a waiver accepts are not among them. */
  readonly counts: Readonly<Record<Severity, number>>;
  /** What was demanded of files that nobody looked into; absent: nothing. */
  readonly unexamined?: Unexamined;
}

export interface JudgeOptions {
  /** Default: the policy's, else 'high'. */
  readonly failOn?: FailOn | undefined;
  readonly policy?: Policy | undefined;
  /** What is demanded of files that nobody looked into where the policy says nothing; forbid always holds. */
  readonly unexamined?: Unexamined | undefined;
  /** Digests (`sha256:…`) of such files that are accepted, besides the policy's. */
  readonly accept?: readonly string[] | undefined;
  /** 'YYYY-MM-DD'; what waivers' expiry is compared with. */
  readonly today?: string | undefined;
  /** Called in every loop; what it throws ends the judgement. */
  readonly check?: Check | undefined;
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
  { failOn: asked, policy, today = '', unexamined, accept = [], check = unhurried }: JudgeOptions = {},
): Judgement {
  assertDay(policy, today);
  const failOn = asked ?? policy?.failOn ?? 'high';
  const demand = unexamined === 'forbid' ? unexamined : (policy?.unexamined ?? unexamined);
  const accepted = new Set([...accept, ...(policy?.accept ?? [])]);
  const unseen = demand === undefined ? [] : checkUnexamined(profile, demand, accepted, found);
  const all = unseen.length === 0 ? found : [...found, ...unseen];
  const findings = policy === undefined ? all : applied(policy, profile, all, today, check);
  const counts = { info: 0, low: 0, medium: 0, high: 0, critical: 0 } satisfies Record<Severity, number>;
  for (const { severity, waived } of findings) if (waived === undefined) counts[severity]++;
  const failing = severitiesFrom(failOn);
  const fails = failing.some((severity) => counts[severity] > 0);
  const outcome = fails ? 'fail' : errors.length > 0 ? 'error' : 'pass';
  const demanded = demand === undefined ? {} : { unexamined: demand };
  return { findings, verdict: { outcome, failOn, counts, ...demanded } };
}

function applied(
  policy: Policy,
  profile: Profile,
  found: readonly Finding[],
  today: string,
  check: Check,
): Finding[] {
  const broken = sortFindings([
    ...checkTensors(policy, profile, check),
    ...checkContent(policy, profile, check),
  ]);
  const weighed = [...found, ...broken].map((finding) => {
    const severity = policy.severity.get(finding.rule);
    return severity === undefined ? finding : { ...finding, severity };
  });
  return waive(weighed, profile, policy, today);
}
