// `steelyard rules` and `steelyard explain RULE`: what a scan can say, without a scan.

import { Command, Option } from 'commander';
import { jsonText } from '../../document/json/chunks.ts';
import { painter, wrapped } from '../../document/text/frame.ts';
import { distance } from '../../document/text/suggestion.ts';
import { SteelyardError } from '../../rules/error.ts';
import { frameworkLines, frameworksOf } from '../../rules/frameworks.ts';
import { RULES, type Rule, type RuleId, SEVERITIES } from '../../rules/rules.ts';
import { wantsColour } from '../terminal/colour.ts';
import { writeStdout } from '../terminal/output.ts';

type Format = 'text' | 'json';

export function rulesCommand(): Command {
  return new Command('rules')
    .summary('list every rule: id, severity, title')
    .description('Lists every rule, the most severe first.')
    .addOption(formatOption())
    .action(({ format }: { format: Format }) => writeStdout([format === 'json' ? listJson() : listText()]));
}

export function explainCommand(): Command {
  return new Command('explain')
    .summary('explain a rule: why it matters, what to do, and its source')
    .description('Explains one rule.')
    .argument(
      '<rule>',
      'id of a rule, as in a finding; or a control of a gate policy, or a code of a refusal',
    )
    .addOption(formatOption())
    .action(async (id: string, { format }: { format: Format }) => {
      const rule = RULES.get(id as RuleId);
      const told = rule === undefined ? await gateExplanation(id, format) : null;
      if (told !== null) return writeStdout([told]);
      if (rule === undefined) throw new SteelyardError('USAGE', `there is no rule ${id}${suggestion(id)}`);
      return writeStdout([
        format === 'json' ? json({ id, ...rule, frameworks: frameworksOf(id) }) : explanation(id, rule),
      ]);
    });
}

/** What a code of the gate means, or which frameworks a control answers to; null: it is neither. */
async function gateExplanation(id: string, format: Format): Promise<string | null> {
  const { GATE_CODES } = await import('../../gate/verdict/denial.ts');
  const meaning = Object.hasOwn(GATE_CODES, id) ? GATE_CODES[id as keyof typeof GATE_CODES] : null;
  const frameworks = id.includes('/') ? null : frameworksOf(id);
  if (meaning === null && frameworks === null) return null;
  if (format === 'json') return json({ id, ...(meaning === null ? {} : { meaning }), frameworks });
  const lines = frameworks === null ? [] : frameworkLines(frameworks).map((line) => `  ${line}`);
  return `${[`${id}${meaning === null ? '' : `: ${meaning}`}`, ...lines].join('\n')}\n`;
}

const formatOption = (): Option =>
  new Option('--format <format>', 'what it is written as').choices(['text', 'json']).default('text');

const json = (value: unknown): string => jsonText(value);
const listJson = (): string => json([...RULES].map(([id, rule]) => ({ id, ...rule })));

function listText(): string {
  const paint = painter(wantsColour(process.stdout, process.env));
  const width = Math.max(...[...RULES.keys()].map(({ length }) => length));
  const rows = [...RULES].sort(([, a], [, b]) => rank(b) - rank(a));
  const lines = rows.map(
    ([id, { severity, title }]) => `${paint(severity, severity.padEnd(8))}  ${id.padEnd(width)}  ${title}`,
  );
  return `${lines.join('\n')}\n\n${RULES.size} rules; steelyard explain RULE says more about one\n`;
}

const rank = ({ severity }: Rule): number => SEVERITIES.indexOf(severity);

/** What the rule's family answers to. */
function answering(id: string): string[] {
  const frameworks = frameworksOf(id);
  return frameworks === null
    ? []
    : ['', 'Frameworks', ...frameworkLines(frameworks).map((line) => `  ${line}`)];
}

function explanation(id: string, { severity, title, why, hint, references = [] }: Rule): string {
  const paint = painter(wantsColour(process.stdout, process.env));
  const part = (label: string, text: string): string[] => [
    '',
    paint('dim', label),
    ...wrapped(text.split(' '), ' ', '  '),
  ];
  const lines = [
    `${paint('title', id)}  ${paint(severity, severity)}`,
    ...wrapped(title.split(' '), ' ', ''),
    ...part('Why', why),
    ...part('What to do', hint),
    ...(references.length === 0
      ? []
      : ['', paint('dim', 'References'), ...references.map((line) => `  ${line}`)]),
    ...answering(id),
  ];
  return `${lines.join('\n')}\n`;
}

/** So many letters away is another word. */
const FAR = 4;

/** The rules that the word may have been meant for: of its subject, or a few letters away. */
function suggestion(word: string): string {
  const near = [...RULES.keys()]
    .map((id) => ({
      id,
      distance: Math.min(distance(word, id, FAR), distance(word, id.split('/')[1]!, FAR)),
    }))
    .sort((a, b) => a.distance - b.distance)
    .filter(({ distance }) => distance < FAR)
    .slice(0, 3);
  const subject = [...RULES.keys()].filter((id) => id.startsWith(`${word.split('/')[0]}/`)).slice(0, 8);
  const ids =
    near.length === 0 || subject.some((id) => id.startsWith(`${word}/`)) ? subject : near.map(({ id }) => id);
  return ids.length === 0 ? '; steelyard rules lists them' : ` (did you mean ${ids.join(', ')}?)`;
}
