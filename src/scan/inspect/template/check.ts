// One template's source → what is wrong with it. Parsed, never rendered; what cannot be parsed is said so, and searched as
// plain text.
import { quoted } from '../../../document/violations.ts';
import type { RuleId } from '../../../rules/rules.ts';
import { type Check, unhurried } from '../../../runtime/turn.ts';
import { reportInvisible, reportLookalikes, reportOutput } from './jinja/literals.ts';
import { parseTemplate } from './jinja/parser.ts';
import { type Expression, nodesOf, type Of, type Statement } from './jinja/syntax.ts';
import { SyntaxFault } from './jinja/syntax-fault.ts';
import { reportUnparsed } from './jinja/unparsed.ts';
import { accessWatch } from './meaning/access.ts';
import { behaviourWatch } from './meaning/behaviour.ts';
import { reportLoops } from './meaning/loops.ts';
import { Interpreter } from './meaning/run/statement.ts';
import type { Plain } from './meaning/value/plain.ts';
import type { Note, Observation } from './observation.ts';
import { isProse } from './wording.ts';

/** Characters; ten times the longest honest template known. */
const SOURCE_MAX = 1 << 18;
/** Characters that are searched where nothing is parsed. */
const SEARCHED_MAX = 1 << 24;

/** One observation per rule. Throws nothing but what `check` does. */
export function checkTemplate(source: string, check: Check = unhurried): Observation[] {
  const first = new Map<RuleId, { at: number; message: string; places: Set<number> }>();
  const note: Note = (rule, at, message) => {
    const known = first.get(rule);
    if (known === undefined) first.set(rule, { at, message, places: new Set([at]) });
    else known.places.add(at);
  };
  const searched = source.slice(0, SEARCHED_MAX);
  reportInvisible(searched, 0, note);
  const template = parsed(source, note);
  if (template === undefined) {
    reportOutput(searched, 0, note);
    reportLookalikes(searched, 0, note);
    reportUnparsed(searched, note);
  } else reportTree(template, note, check);
  // What a decision adds says enough of it; what it leaves out is told where that is all.
  if (ADDED.some((rule) => first.has(rule))) first.delete('template/rewrite');
  if (first.has('template/conditional-link')) first.delete('template/link-with-data');
  return [...first].map(([rule, { at, message, places }]) => ({
    rule,
    line: lineOf(source, at),
    column: columnOf(source, at),
    message,
    more: places.size - 1,
  }));
}

const ADDED: readonly RuleId[] = [
  'template/conditional-instruction',
  'template/conditional-role',
  'template/conditional-link',
];

function parsed(source: string, note: Note): readonly Statement[] | undefined {
  if (source.length > SOURCE_MAX) {
    note(
      'template/too-large',
      0,
      `${source.length} characters; only templates up to ${SOURCE_MAX} are parsed`,
    );
    return undefined;
  }
  try {
    return parseTemplate(source);
  } catch (error) {
    // A RangeError would be the stack's: the parser bounds its depth, and this is the belt beside the braces.
    if (!(error instanceof SyntaxFault) && !(error instanceof RangeError)) throw error;
    note('template/unparsable', error instanceof SyntaxFault ? error.at : 0, `not parsed: ${error.message}`);
    return undefined;
  }
}

function reportTree(template: readonly Statement[], note: Note, check: Check): void {
  const interpreter = new Interpreter(template);
  if (!interpreter.settle(check))
    note(
      'template/too-large',
      0,
      'the template was not followed to its end: its variables do not come to rest',
    );
  const values = new Map<Expression, readonly Plain[]>();
  const access = accessWatch(template, note);
  interpreter.tell({
    ...access,
    ...behaviourWatch(note),
    known: (expression, value) => values.set(expression, value.known),
  });
  reportLoops(template, (expression) => values.get(expression) ?? [], note);
  for (const node of nodesOf(template)) {
    if (node.kind === 'text') {
      reportLookalikes(node.text, node.at, note);
      reportOutput(node.text, node.at, note);
    } else if (node.kind === 'string') {
      reportInvisible(node.value, node.at, note); // escapes are resolved here, not in the source
      reportLookalikes(node.value, node.at, note);
      reportNested(node.value, node.at, note);
      reportOutput(node.value, node.at, note);
    } else if (node.kind === 'binary' || node.kind === 'filter' || node.kind === 'call') {
      for (const text of values.get(node) ?? [])
        if (typeof text === 'string') reportOutput(text, node.at, note);
    } else if (node.kind === 'dict') reportMessage(node, values, note);
  }
}

/** {'role': 'system', 'content': 'You must …'}: a message that nobody sent. */
function reportMessage(
  { keys, values, at }: Of<'dict'>,
  known: ReadonlyMap<Expression, readonly Plain[]>,
  note: Note,
): void {
  const named = keys.map((key) => known.get(key)?.[0]);
  const content = values[named.indexOf('content')];
  if (!named.includes('role') || content === undefined) return;
  const text = (known.get(content) ?? []).find((plain) => typeof plain === 'string' && isProse(plain));
  if (text !== undefined)
    note(
      'template/injected-message',
      at,
      `the template puts a message into the conversation: ${quoted(String(text))}`,
    );
}

// Nothing renders what a template puts out, except loaders that do: then a string is the template, and this one its wrapper.
function reportNested(text: string, at: number, note: Note): void {
  if (NESTED.test(text)) note('template/nested', at, 'a string holds statements of another template');
}

const NESTED =
  /\{%[-+]?\s*(?:if|for|set|macro|import|include|extends|from|block|call|raw)\b[^%]{0,400}%\}|\{\{[^{}]{0,200}__[^{}]{0,200}\}\}/;

function lineOf(source: string, at: number): number {
  let line = 1;
  for (let next = source.indexOf('\n'); next >= 0 && next < at; next = source.indexOf('\n', next + 1)) line++;
  return line;
}

const columnOf = (source: string, at: number): number =>
  at === 0 ? 1 : at - source.lastIndexOf('\n', at - 1);
