// Workflow commands of GitHub Actions, one for each finding: the runner shows them beside the files of a change.
import { inert } from '../../document/text/inert.ts';
import type { NeutralReport, Problem } from '../neutral/neutral.ts';
import { type FormatOptions, fileOf, pathOf } from './location.ts';
import { groupedBy, LEVELS, told } from './told.ts';

/** GitHub shows ten of a kind for a step. */
const SHOWN = 10;
const COMMANDS = { error: 'error', warning: 'warning', note: 'notice' } as const;

export function renderAnnotations(report: NeutralReport, { base }: FormatOptions = {}): string {
  const kinds = groupedBy(report.problems, ({ severity }) => COMMANDS[LEVELS[severity]]);
  const lines = [...kinds].flatMap(([command, problems]) => [
    ...problems.slice(0, SHOWN).map((one) => annotation(command, one, pathOf(fileOf(one, report), base))),
    ...(problems.length > SHOWN ? [`::notice::${problems.length - SHOWN} more of kind ${command}`] : []),
  ]);
  const unseen = report.errors
    .slice(0, SHOWN)
    .map(({ code, message }) => `::error title=${property(code)}::${data(inert(message, 600))}`);
  return [
    ...lines,
    ...unseen,
    `::notice title=steelyard ${report.command}::${data(`${report.outcome}: ${report.reason}`)}`,
    '',
  ].join('\n');
}

function annotation(command: string, problem: Problem, file: string): string {
  const { line = 1, rule, severity } = problem;
  const title = property(`${severity} ${inert(rule)}`);
  return `::${command} file=${property(file)},line=${line},title=${title}::${data(told(problem))}`;
}

/** As the runner's own toolkit escapes them: a name must not end its command and begin another. */
const data = (text: string): string =>
  text.replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A');
const property = (text: string): string => data(text).replaceAll(':', '%3A').replaceAll(',', '%2C');
