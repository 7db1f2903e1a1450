// The text report's findings and errors. A rule that hits every tensor of a model is told once, with its first places.

import type { Failure, Finding, Report } from '../../baseline/report.ts';
import type { Paint } from '../../document/text/frame.ts';
import { inert } from '../../document/text/inert.ts';
import { grouped } from '../../document/text/quantity.ts';
import { RULES, SEVERITIES } from '../../rules/rules.ts';

/** Places shown for one rule; the JSON report has them all. */
const PLACES = 5;
/** A message says what is wrong in a sentence or two; more than this is an attempt to scroll the rest away. */
const MESSAGE = 600;
const EVIDENCE = 200;

export function findingLines(findings: Report['findings'], paint: Paint): string[] {
  if (findings.length === 0) return ['Findings: none'];
  const counts = [...SEVERITIES]
    .reverse()
    .map(
      (severity) => [findings.filter((finding) => finding.severity === severity).length, severity] as const,
    )
    .filter(([count]) => count > 0)
    .map(([count, severity]) => `${grouped(count)} ${severity}`);
  const groups = [...grouping(findings).values()].sort((a, b) => rank(b[0]!) - rank(a[0]!));
  return [`Findings: ${counts.join(', ')}`, ...groups.flatMap((group) => groupLines(group, paint))];
}

const rank = (finding: Finding): number => SEVERITIES.indexOf(finding.severity);

function grouping(findings: readonly Finding[]): Map<string, Finding[]> {
  const groups = new Map<string, Finding[]>();
  for (const finding of findings) {
    const key = `${finding.severity} ${finding.rule}`;
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [finding]);
    else group.push(finding);
  }
  return groups;
}

function groupLines(group: readonly Finding[], paint: Paint): string[] {
  const { rule, severity } = group[0]!;
  const lines = [`  ${paint(severity, severity.toUpperCase().padEnd(8))}  ${paint('title', inert(rule))}`];
  for (const finding of group.slice(0, PLACES)) lines.push(...findingPlace(finding));
  if (group.length > PLACES) lines.push(`    … and ${grouped(group.length - PLACES)} more`);
  const hint = RULES.get(rule)?.hint;
  if (hint !== undefined) lines.push(`    ${paint('dim', `hint: ${hint}`)}`);
  return lines;
}

function findingPlace(finding: Finding): string[] {
  const lines = [place(finding), `      ${inert(finding.message, MESSAGE)}`];
  const { expected, actual, waived } = finding;
  if (expected !== undefined) lines.push(`      expected  ${inert(expected, EVIDENCE)}`);
  if (actual !== undefined) lines.push(`      actual    ${inert(actual, EVIDENCE)}`);
  if (waived !== undefined) {
    const { owner, expires, reason } = waived;
    lines.push(`      waived    by ${inert(owner)} until ${inert(expires)}: ${inert(reason, EVIDENCE)}`);
  }
  return lines;
}

const place = (at: { readonly file: string; readonly tensor?: string; readonly offset?: number }): string =>
  // A failure that no file is to blame for has an empty one.
  `    ${at.file === '' ? 'no file' : inert(at.file)}` +
  (at.tensor === undefined ? '' : `  tensor ${inert(at.tensor)}`) +
  (at.offset === undefined ? '' : `  offset ${grouped(at.offset)}`);

/** Everything that could not be looked at. */
export function errorLines(errors: readonly Failure[], paint: Paint): string[] {
  if (errors.length === 0) return [];
  const lines = [`Errors: ${grouped(errors.length)}`];
  for (const error of errors) {
    const errno = error.errno === undefined ? '' : ` (${inert(error.errno)})`;
    lines.push(
      `  ${paint('bad', `${error.code}${errno}`)}`,
      place(error),
      `      ${inert(error.message, MESSAGE)}`,
    );
  }
  return lines;
}
