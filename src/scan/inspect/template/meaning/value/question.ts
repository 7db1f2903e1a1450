// Comparisons and tests: which of them ask what somebody wrote. A closed list of questions is free: what a thing is (role,
// type, defined, a string), whether it is empty, and words of the protocol. Every other one is a decision.

import { isMarker, isPartKey } from '../../marker.ts';
import { type Choice, either } from './choice.ts';
import { isSearchable, type Kind, SCHEMA_KEYS } from './foreign.ts';
import { textsOf, type Value } from './value.ts';

/** What asks for the form of a value, and for no word of it. */
const FREE_TESTS = new Set([
  'defined',
  'undefined',
  'none',
  'string',
  'mapping',
  'sequence',
  'iterable',
  'number',
  'boolean',
  'true',
  'false',
  'integer',
  'float',
  'callable',
]);
const COMPARING_TESTS = new Set([
  'eq',
  'equalto',
  '==',
  'ne',
  '!=',
  'in',
  'lt',
  'lessthan',
  '<',
  'le',
  '<=',
  'gt',
  'greaterthan',
  '>',
  'ge',
  '>=',
  'sameas',
  'contains',
  'startingwith',
  'endingwith',
  'search',
  'match',
  'regex',
]);

/** Does `left operator right` depend on what somebody wrote? */
export function compared(left: Value, operator: string, right: Value, at: number): Choice | null {
  const before = either(left.choice, right.choice);
  const [a, b] = [isSearchable(left.kind), isSearchable(right.kind)];
  if (a && b) {
    // A tool's name held against a list of tools: nobody's words of the template are in it.
    const isSame = operator === '==' || operator === '!=';
    if (
      left.kind === 'tree' ||
      right.kind === 'tree' ||
      (isSame && left.kind !== 'size' && left.kind !== 'date')
    )
      return before;
    return either({ at, sought: ['what another text says'], protocol: false }, before);
  }
  if (!a && !b) {
    // `('content', 'words') in message.items()`: a whole message is asked for.
    const [whole, part] = left.kind === 'conversation' ? [left, right] : [right, left];
    const isWhole = whole.kind === 'conversation' && part.kind === 'own';
    const sought = part.known
      .filter((plain) => typeof plain === 'object' && plain.length > 1)
      .flatMap(textsOf);
    if (!isWhole || sought.length === 0) return before;
    return either({ at, sought, protocol: false }, before);
  }
  const [text, other] = a ? [left, right] : [right, left];
  // What a caller gives is no word of the template: a list of built-in tools, a switch.
  if (other.kind === 'option') return before;
  return either(soughtIn(text.kind, other, operator, at), before);
}

function soughtIn(kind: Kind, other: Value, operator: string, at: number): Choice | null {
  const sought = other.known.flatMap(textsOf);
  if (!other.open && sought.every((text) => text.trim() === '')) return null;
  if (kind === 'size' && !other.open && sought.every((text) => isEmptiness(text, operator))) return null;
  const isFree = (text: string): boolean =>
    text.trim() === '' ||
    isMarker(text) ||
    (kind === 'tree' && text.split(/\W+/).every((word) => SCHEMA_KEYS.has(word))) ||
    (kind === 'tree' && /^[.,:;!?]$/.test(text)) ||
    isPartKey(text, kind === 'part');
  const protocol = !other.open && kind !== 'size' && kind !== 'date' && sought.every(isFree);
  const words = sought.filter((text) => text.trim() !== '');
  return { at, sought: words.length > 0 ? words : ['what is given'], protocol };
}

export const LENGTH = 'how long it is';

const isEmptiness = (number: string, operator: string): boolean =>
  number === '0' || (number === '1' && (operator === '<' || operator === '>='));

export const isFreeTest = (name: string): boolean => FREE_TESTS.has(name);

/** Does `input is name(args)` depend on it? */
export function tested(input: Value, name: string, args: readonly Value[], at: number): Choice | null {
  const given = args.reduce<Choice | null>((choice, value) => either(choice, value.choice), input.choice);
  if (FREE_TESTS.has(name)) return decidedBy(input, at);
  const [first] = args;
  if (COMPARING_TESTS.has(name) && first !== undefined) return compared(input, name, first, at);
  return isSearchable(input.kind) ? either({ at, sought: [name], protocol: false }, given) : given;
}

/** What it means to ask whether the value is true, or there: whether there is anything, which a place in a text tells of its length. */
export const decidedBy = (value: Value, at: number): Choice | null =>
  value.kind === 'slice' ? either({ at, sought: [LENGTH], protocol: false }, value.choice) : value.choice;

/** What it means to choose by the value: by its content where it is text, not only by whether there is any. */
export function chosenBy(value: Value, sought: readonly string[], at: number): Choice | null {
  if (!isSearchable(value.kind)) return value.choice;
  if (value.kind === 'size') return either({ at, sought: [LENGTH], protocol: false }, value.choice);
  return either({ at, sought: sought.length > 0 ? sought : ['what it says'], protocol: false }, value.choice);
}
