// One template's source → what is wrong with it. Parsed, never rendered; what cannot be parsed is said so, and searched as
// plain text.
import type { RuleId } from '../../rules.ts';
import { reportBehaviour } from './behaviour.ts';
import { Content } from './content.ts';
import { Folding } from './folding.ts';
import { reportInternals } from './internals.ts';
import { reportInvisible, reportLookalikes, reportOutput } from './literals.ts';
import { reportLoops } from './loops.ts';
import { parseTemplate } from './parser.ts';
import { Refusal } from './refusal.ts';
import { nodesOf, type Statement } from './syntax.ts';
import { Triggers } from './trigger.ts';
import { reportUnparsed } from './unparsed.ts';

/** `at`: position in the source, in UTF-16 units. */
export type Report = (rule: RuleId, at: number, message: string) => void;

export interface Observation {
  readonly rule: RuleId;
  /** Line of the first place, from 1. */
  readonly line: number;
  readonly message: string;
  /** Other places where the rule is broken. */
  readonly more: number;
}

/** Characters; ten times the longest honest template known. */
const SOURCE_MAX = 1 << 18;
/** Characters that are searched where nothing is parsed. */
const SEARCHED_MAX = 1 << 24;

/** One observation per rule. Never throws. */
export function checkTemplate(source: string): Observation[] {
  const first = new Map<RuleId, { at: number; message: string; places: Set<number> }>();
  const report: Report = (rule, at, message) => {
    const known = first.get(rule);
    if (known === undefined) first.set(rule, { at, message, places: new Set([at]) });
    else known.places.add(at);
  };
  const searched = source.slice(0, SEARCHED_MAX);
  reportInvisible(searched, 0, report);
  const template = parsed(source, report);
  if (template === undefined) {
    reportOutput(searched, 0, report);
    reportLookalikes(searched, 0, report);
    reportUnparsed(searched, report);
  } else reportTree(template, report);
  return [...first].map(([rule, { at, message, places }]) => ({
    rule,
    line: lineOf(source, at),
    message,
    more: places.size - 1,
  }));
}

function parsed(source: string, report: Report): readonly Statement[] | undefined {
  if (source.length > SOURCE_MAX) {
    report(
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
    if (!(error instanceof Refusal) && !(error instanceof RangeError)) throw error;
    report('template/unparsable', error instanceof Refusal ? error.at : 0, `not parsed: ${error.message}`);
    return undefined;
  }
}

function reportTree(template: readonly Statement[], report: Report): void {
  const folding = new Folding(template);
  reportInternals(template, folding, report);
  const content = new Content(template, folding);
  reportBehaviour(template, new Triggers(template, content, folding), folding, report);
  reportLoops(template, folding, report);
  for (const node of nodesOf(template)) {
    if (node.kind === 'text') {
      reportLookalikes(node.text, node.at, report);
      reportOutput(node.text, node.at, report);
    } else if (node.kind === 'string') {
      reportInvisible(node.value, node.at, report); // escapes are resolved here, not in the source
      reportLookalikes(node.value, node.at, report);
      reportNested(node.value, node.at, report);
      reportOutput(node.value, node.at, report);
    } else if (node.kind === 'binary' || node.kind === 'filter' || node.kind === 'call') {
      for (const text of folding.strings(node)) reportOutput(text, node.at, report);
    }
  }
}

// Nothing renders what a template puts out, except loaders that do: then a string is the template, and this one its wrapper.
function reportNested(text: string, at: number, report: Report): void {
  if (NESTED.test(text)) report('template/nested', at, 'a string holds statements of another template');
}

const NESTED =
  /\{%[-+]?\s*(?:if|for|set|macro|import|include|extends|from|block|call|raw)\b[^%]{0,400}%\}|\{\{[^{}]{0,200}__[^{}]{0,200}\}\}/;

function lineOf(source: string, at: number): number {
  let line = 1;
  for (let next = source.indexOf('\n'); next >= 0 && next < at; next = source.indexOf('\n', next + 1)) line++;
  return line;
}
