// Broken rules → findings with severities, waivers and a verdict. Pure: the day is given.
import { createHash } from 'node:crypto';
import { assertDay } from '../../baseline/policy/day.ts';
import type { Policy, Waiver } from '../../baseline/policy/policy.ts';
import { SteelyardError } from '../../rules/error.ts';
import { RULES, type RuleId, SEVERITIES, type Severity } from '../../rules/rules.ts';
import type { Broken } from './audit/audit.ts';
import type { ServingError, ServingFinding, ServingReport } from './serving-report.ts';

interface Judged {
  readonly findings: readonly ServingFinding[];
  readonly verdict: ServingReport['verdict'];
}

export interface Terms {
  readonly failOn?: Severity | 'none' | undefined;
  readonly policy?: Policy | undefined;
  /** 'YYYY-MM-DD'; what waivers' expiry is compared with. */
  readonly today?: string | undefined;
}

/** @throws SteelyardError USAGE: the policy has waivers and no day is given, or it says things about models. */
export function judgeServing(
  broken: readonly Broken[],
  errors: readonly ServingError[],
  { failOn: asked, policy, today = '' }: Terms,
): Judged {
  assertDay(policy, today);
  if (policy !== undefined) assertServing(policy);
  const severityOf = (rule: RuleId): Severity => policy?.severity.get(rule) ?? RULES.get(rule)!.severity;
  const found = distinct(broken).map((one) => toFinding(one, severityOf));
  const findings = policy === undefined ? found : waived(found, policy, today, severityOf);
  const failOn = asked ?? policy?.failOn ?? 'high';
  const counts = { info: 0, low: 0, medium: 0, high: 0, critical: 0 } satisfies Record<Severity, number>;
  for (const { severity, waived: accepted } of findings) if (accepted === undefined) counts[severity]++;
  const failing = failOn === 'none' ? [] : SEVERITIES.slice(SEVERITIES.indexOf(failOn));
  const fails = failing.some((severity) => counts[severity] > 0);
  // A definite no beats an error: one unreadable file cannot turn "unsafe" into "please retry".
  const outcome = fails ? 'fail' : errors.length > 0 ? 'error' : 'pass';
  return { findings: sorted(findings), verdict: { outcome, failOn, counts } };
}

/** What a policy demands of tensors no manifest can keep; to skip it would look like a pass. */
function assertServing({ dtypes, tensors, forbidden, metadata, templates, files, limits }: Policy): void {
  const rest = [dtypes, metadata, templates, files].some((part) => part !== null);
  if (!rest && tensors.length === 0 && forbidden.length === 0 && Object.keys(limits).length === 0) return;
  throw new SteelyardError(
    'USAGE',
    'this policy is about a model; a policy for manifests has failOn, severity and waivers only',
  );
}

/** A script is read as a whole and in parts: one place says one thing once. */
function distinct(broken: readonly Broken[]): Broken[] {
  const seen = new Map<string, Broken>();
  const named = [...broken].sort((a, b) => Number(a.object === '') - Number(b.object === ''));
  for (const one of named) {
    const { rule, at, object, container, message } = one;
    const place = JSON.stringify([rule, at.file, at.line, at.column]);
    const key = rule === 'load/remote-code' ? place : JSON.stringify([place, object, container, message]);
    if (!seen.has(key)) seen.set(key, one);
  }
  return [...seen.values()];
}

function toFinding(broken: Broken, severityOf: (rule: RuleId) => Severity): ServingFinding {
  const { rule, at, object, container, message, expected, actual } = broken;
  return {
    rule,
    severity: severityOf(rule),
    ...at,
    ...(object === '' ? {} : { object }),
    ...(container === undefined ? {} : { container }),
    message,
    ...(expected === undefined ? {} : { expected }),
    ...(actual === undefined ? {} : { actual }),
    subject: subjectOf(broken),
  };
}

/** Neither line nor file: a waiver stays with what it accepts, and does not move to another image or another pod. */
function subjectOf({ rule, at, object, container, message, actual }: Broken): string {
  const parts = [rule, object === '' ? at.file : object, container ?? '', message, actual ?? ''];
  return `sha256:${createHash('sha256').update(JSON.stringify(parts)).digest('hex')}`;
}

function waived(
  findings: readonly ServingFinding[],
  { waivers }: Policy,
  today: string,
  severityOf: (rule: RuleId) => Severity,
): ServingFinding[] {
  const known = new Map(waivers.map((waiver) => [`${waiver.rule} ${waiver.subject}`, waiver]));
  const used = new Set<Waiver>();
  const marked = findings.map((finding) => {
    const waiver = known.get(`${finding.rule} ${finding.subject}`);
    if (waiver === undefined) return finding;
    used.add(waiver);
    const { reason, owner, expires } = waiver;
    return expires < today ? finding : { ...finding, waived: { reason, owner, expires } };
  });
  const told = waivers.flatMap((waiver) => {
    if (!used.has(waiver)) return [about('policy/waiver-unused', waiver, 'no such finding', severityOf)];
    if (waiver.expires >= today) return [];
    return [about('policy/waiver-expired', waiver, `expired after ${waiver.expires}`, severityOf)];
  });
  return [...marked, ...told];
}

const about = (
  rule: 'policy/waiver-unused' | 'policy/waiver-expired',
  { line, rule: of, owner, subject }: Waiver,
  what: string,
  severityOf: (rule: RuleId) => Severity,
): ServingFinding => ({
  rule,
  severity: severityOf(rule),
  file: 'policy',
  line,
  column: 1,
  message: `${of} of ${owner}: ${what}`,
  subject,
});

const text = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

const sorted = (findings: readonly ServingFinding[]): ServingFinding[] =>
  [...findings].sort(
    (a, b) =>
      text(a.file, b.file) ||
      a.line - b.line ||
      a.column - b.column ||
      text(a.rule, b.rule) ||
      text(a.container ?? '', b.container ?? ''),
  );
