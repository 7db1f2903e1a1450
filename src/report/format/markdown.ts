// GitHub-flavoured Markdown for a job's summary or a comment: the verdict, what was looked at, findings as a table.
import { inert } from '../../document/text/inert.ts';
import { counted, grouped } from '../../document/text/quantity.ts';
import type { NeutralReport, Problem } from '../neutral/neutral.ts';

/** A step's summary may have a MiB; a comment 65,536 characters. */
const ROWS = 100;
const WORD = { pass: 'PASS', fail: 'FAIL', error: 'NO VERDICT' } as const;

export function renderMarkdown(report: NeutralReport): string {
  const sections = [
    `## Steelyard ${report.command}: ${WORD[report.outcome]}`,
    prose(report.reason),
    report.coverage.map((line) => `- ${span(line.trim())}`).join('\n'),
    ...findings(report),
    ...errors(report),
  ];
  return `${sections.filter((one) => one !== '').join('\n\n')}\n`;
}

function findings({ problems, rules }: NeutralReport): string[] {
  if (problems.length === 0) return [];
  const rows = problems.slice(0, ROWS).map(row);
  const hints = [...rules]
    .filter(([, { hint }]) => hint !== undefined)
    .map(([id, { hint }]) => `- ${span(inert(id))}: ${prose(hint!)}`);
  return [
    ['| severity | rule | where | what |', '| --- | --- | --- | --- |', ...rows].join('\n'),
    ...(problems.length > ROWS ? [`… and ${grouped(problems.length - ROWS)} more in the JSON report.`] : []),
    ...(hints.length === 0 ? [] : [`**What to do**\n\n${hints.join('\n')}`]),
  ];
}

function row({ severity, rule, file, place, message, waived }: Problem): string {
  const where = [file === '' ? '' : span(inert(file)), place === undefined ? '' : span(inert(place))];
  const word = waived === undefined ? severity : `${severity}, waived until ${inert(waived.expires)}`;
  const cells = [
    word,
    span(inert(rule)),
    where.filter((one) => one !== '').join(' '),
    span(inert(message, 600)),
  ];
  return `| ${cells.join(' | ')} |`;
}

function errors({ errors: unseen }: NeutralReport): string[] {
  if (unseen.length === 0) return [];
  const lines = unseen
    .slice(0, ROWS)
    .map(({ code, file, message }) =>
      [`- ${code}`, ...(file === '' ? [] : [span(inert(file))]), span(inert(message, 600))].join(' '),
    );
  return [`**${counted(unseen.length, 'error')}: not everything was looked at**`, lines.join('\n')];
}

/**
 * A code span that its text cannot end (CommonMark 0.31, 6.1): the fence is longer than any run of backticks in it. GitHub splits
 * a table at every bar without a backslash, also in code, and takes that backslash away.
 */
function span(text: string): string {
  const longest = Math.max(0, ...[...text.matchAll(/`+/g)].map(([run]) => run.length));
  const fence = '`'.repeat(longest + 1);
  const padded = /^`|`$|^ .* $/.test(text) ? ` ${text} ` : text;
  return fence + padded.replaceAll('|', '\\|') + fence;
}

/** Our own words, which may hold a bracket or an underscore of a name. */
const prose = (text: string): string => text.replace(/[\\`*_[\]<>#|~&]/g, (one) => `\\${one}`);
