// The report of a lint for people: one block for each rule, the worst first, with places that an editor opens.
import { inert } from '../../document/text/inert.ts';
import { RULES, SEVERITIES, type Severity } from '../../rules/rules.ts';
import type { ServingFinding, ServingReport } from './serving-report.ts';

/** What paints a word for a terminal; `title` and `dim` for what is no severity. */
type Paint = (tone: Severity | 'title' | 'dim' | 'good' | 'bad', text: string) => string;

/** Places shown for one rule; the JSON report has them all. */
const PLACES = 20;
const MESSAGE = 400;

export function servingText(report: ServingReport, paint: Paint, quiet = false): string {
  const { findings, errors, verdict, release } = report;
  const lines = [
    ...(quiet ? [] : [...fileLines(report), '']),
    ...findingLines(findings, paint),
    ...errors.flatMap(({ code, file, line, column, message }) => [
      `  ${paint('bad', code)}  ${placeOf({ file, line, column })}`,
      `      ${inert(message, MESSAGE)}`,
    ]),
    '',
    ...(release === null ? [] : [`Release ${release.id}`]),
    `${paint(verdict.outcome === 'pass' ? 'good' : 'bad', verdict.outcome.toUpperCase())}  ${covered(report)}, fail-on ${verdict.failOn}`,
  ];
  return `${lines.join('\n')}\n`;
}

const fileLines = ({ files }: ServingReport): string[] =>
  files.flatMap(({ file, format, workloads }) => [
    `${inert(file)}  ${format ?? 'no containers'}`,
    ...workloads.flatMap(({ object, containers }) => [
      `  ${inert(object)}`,
      ...containers.map(
        ({ name, image, serves }) =>
          `    ${name === '' ? 'image' : inert(name)}  ${image === null ? 'no image named' : inert(image)}` +
          (serves === null ? '' : `  serves: ${serves}`),
      ),
    ]),
  ]);

function findingLines(findings: readonly ServingFinding[], paint: Paint): string[] {
  if (findings.length === 0) return ['Findings: none'];
  const groups = new Map<string, ServingFinding[]>();
  for (const finding of findings) {
    const key = `${finding.severity} ${finding.rule}`;
    groups.set(key, [...(groups.get(key) ?? []), finding]);
  }
  const rank = ([first]: readonly ServingFinding[]): number => SEVERITIES.indexOf(first!.severity);
  const worst = [...groups.values()].sort((a, b) => rank(b) - rank(a));
  return worst.flatMap((group) => groupLines(group, paint));
}

function groupLines(group: readonly ServingFinding[], paint: Paint): string[] {
  const { rule, severity } = group[0]!;
  return [
    `${paint(severity, severity.toUpperCase().padEnd(8))}  ${paint('title', rule)}  ${RULES.get(rule)!.title}`,
    ...group.slice(0, PLACES).flatMap(placeLines),
    ...(group.length > PLACES ? [`  … and ${group.length - PLACES} more`] : []),
    `  ${paint('dim', `hint: ${RULES.get(rule)!.hint}`)}`,
  ];
}

function placeLines(finding: ServingFinding): string[] {
  const { object, container, message, expected, actual, waived } = finding;
  const who = [object, container === undefined ? undefined : `container ${inert(container)}`]
    .filter((part) => part !== undefined)
    .map((part) => inert(part));
  const lines = [`  ${placeOf(finding)}  ${who.join(', ')}`.trimEnd(), `      ${inert(message, MESSAGE)}`];
  if (expected !== undefined) lines.push(`      expected  ${inert(expected)}`);
  if (actual !== undefined) lines.push(`      actual    ${inert(actual)}`);
  if (waived !== undefined)
    lines.push(`      waived    by ${inert(waived.owner)} until ${waived.expires}: ${inert(waived.reason)}`);
  return lines;
}

interface At {
  readonly file: string;
  readonly line?: number | undefined;
  readonly column?: number | undefined;
}

const placeOf = ({ file, line, column }: At): string =>
  `${file === '' ? 'all files' : inert(file)}${line === undefined ? '' : `:${line}:${column}`}`;

function covered({ files }: ServingReport): string {
  const workloads = files.flatMap((file) => file.workloads);
  const containers = workloads.flatMap((workload) => workload.containers);
  const serving = containers.filter(({ serves }) => serves !== null).length;
  const counted = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? '' : 's'}`;
  return `${counted(files.length, 'file')}, ${counted(workloads.length, 'workload')}, ${counted(containers.length, 'container')} (${serving} known to serve a model)`;
}
