// What filters, methods and functions make of values. A closed list keeps a text what it is; everything else that is done to
// somebody's text is a question about it, and what is not known comes to something unknown.

import { isMarker } from '../../marker.ts';
import { type Choice, either } from './choice.ts';
import { isSearchable, isWords, SCHEMA_KEYS } from './foreign.ts';
import {
  ASKING,
  JOINING,
  KEEPING,
  KEEPING_ALONE,
  LABELS,
  LENGTHS,
  NUMBERS,
  PICKING,
  STRUCTURAL,
} from './operations.ts';
import { MOST_VALUES, type Plain, small } from './plain.ts';
import { chosenBy, isFreeTest } from './question.ts';
import { methodResult } from './string-method.ts';
import {
  isText,
  NUMBER,
  stringsOf,
  stronger,
  textsOf,
  type Value,
  valueWith,
  withChoice,
  withCut,
} from './value.ts';

interface Operation {
  readonly name: string;
  readonly input: Value;
  readonly args: readonly Value[];
  readonly at: number;
}

interface Outcome {
  readonly value: Value;
  /** By what the texts in the value were chosen. */
  readonly by: Choice | null;
}

/** `item.type | replace('_url', '')` is a type still. */
const CUTTING = ['replace', 'removeprefix', 'removesuffix'];

const MOST_JOINED = 8;

export function applied(operation: Operation): Outcome {
  const { name, input, args } = operation;
  const given = args.reduce<Choice | null>((choice, value) => either(choice, value.choice), input.choice);
  if (LENGTHS.includes(name) && args.length === 0) {
    const isLong = isSearchable(input.kind) && input.kind !== 'tree';
    return { value: { ...NUMBER, kind: isLong ? 'size' : 'own', choice: given }, by: given };
  }
  if (input.kind === 'conversation' && (STRUCTURAL.has(name) || PICKING.has(name)))
    return picked(operation, given);
  const asked = askedOf(operation);
  const choice = either(asked, given);
  if (NUMBERS.includes(name) && folded(operation) === null)
    return { value: { ...NUMBER, choice }, by: choice };
  const byArguments = args.reduce<Choice | null>((one, value) => either(one, value.choice), null);
  const by = JOINING.has(name) || KEEPING.has(name) ? asked : either(asked, byArguments);
  const value = withChoice(result(operation), choice);
  const cut = [input, ...args].reduce<Choice | null>((one, { cut }) => either(one, cut), null);
  return { value: withCut({ ...value, cut }, isWords(input.kind) ? by : null), by };
}

const isPoint = ({ known, open }: Value): boolean =>
  !open && known.every((plain) => typeof plain === 'string' && /^[.:/_-]{1,2}$/.test(plain));

/** An expression without what takes all that is before and behind a word. */
const bare = (expression: string): string =>
  expression.replace(/^\^?(?:\[\\s\\S\]|\.)[*+]\??|(?:\[\\s\\S\]|\.)[*+]\??\$?$|\\s[*+]/g, '');

/** The question that the operation asks of a text among what it works on. */
function askedOf({ name, input, args, at }: Operation): Choice | null {
  const isKeeping =
    KEEPING.has(name) || (KEEPING_ALONE.has(name) && args.length === 0) || isKeepingEach(name, args);
  const texts = [input, ...args].filter(({ kind }) => isSearchable(kind));
  // The name of a tool, taken apart at a point.
  if (input.kind === 'tree' && name === 'split' && args.every(isPoint)) return null;
  if (name === 'default' || name === 'd' || texts.length === 0 || isKeeping) return null;
  if (input.kind === 'conversation') return { at, sought: [name], protocol: false };
  const words = args.flatMap(({ known }) =>
    known.filter((plain) => typeof plain !== 'number').flatMap(textsOf),
  );
  const sought = name.includes('replace')
    ? words.slice(0, 1).map(name.startsWith('regex') ? bare : String)
    : words;
  const isOpen = args.some(({ open, numeric }) => open && !numeric);
  const protocol =
    !isOpen &&
    sought.length > 0 &&
    sought.every(
      (text) => isMarker(text) || (input.kind === 'tree' && SCHEMA_KEYS.has(text)) || text.trim() === '',
    );
  if (protocol && sought.every((text) => text.trim() === '')) return null;
  const isProtocol = protocol && input.kind !== 'date';
  return { at, sought: sought.length > 0 ? sought : [name], protocol: isProtocol };
}

/** `map('upper')`, `map(attribute='text')`, `selectattr('type', 'equalto', 'image')`. */
function isKeepingEach(name: string, args: readonly Value[]): boolean {
  const [first] = args.flatMap(stringsOf);
  if (name === 'map') return first === undefined || KEEPING.has(first) || args.length === 1;
  const test = args.flatMap(stringsOf)[1] ?? '';
  return name.endsWith('attr') && (args.length === 1 || LABELS.includes(first ?? '') || isFreeTest(test));
}

/** Messages picked from the conversation, or something of each. */
function picked({ name, input, args, at }: Operation, given: Choice | null): Outcome {
  const attribute = args.flatMap(stringsOf)[0];
  const ofLabel = attribute !== undefined && LABELS.includes(attribute);
  const isMap = name === 'map' && attribute !== undefined;
  const words = args.slice(1).flatMap(({ known }) => known.flatMap(textsOf));
  const isAsked = name.endsWith('attr') && !ofLabel && args.length > 1;
  const isSearch =
    (isAsked && !isFreeTest(args.flatMap(stringsOf)[1] ?? '')) ||
    (/^(?:select|reject)$/.test(name) && args.length > 1);
  const choice = isSearch
    ? either({ at, sought: words.length > 0 ? words : [name], protocol: false }, given)
    : given;
  const kind = isMap ? (ofLabel ? 'label' : 'text') : input.kind;
  return { value: withChoice({ ...input, kind }, choice), by: choice };
}

function result(operation: Operation): Value {
  const { name, input, args } = operation;
  const said = ASKING.has(name) ? [input] : [input, ...args];
  const known = folded(operation);
  const kind = said.reduce((most, value) => stronger(most, value.kind), input.kind);
  const own = new Set(said.flatMap((value) => value.own));
  for (const text of (known ?? []).flatMap(textsOf)) if (isText(text)) own.add(text);
  const isOwn = said.some(
    (value) => value.own.length > 0 || value.built || value.known.some((plain) => typeof plain !== 'number'),
  );
  return valueWith({
    kind:
      kind === 'conversation' || kind === 'label'
        ? (KEEPING.has(name) || CUTTING.includes(name)) && kind === 'label'
          ? 'label'
          : 'text'
        : kind,
    known: known ?? [],
    open: known === null || [input, ...args].some(({ open }) => open),
    built: said.some(({ built }) => built) || (isOwn && known === null),
    computed: said.some(({ computed }) => computed),
    own: [...own].slice(0, 24),
    many: own.size > 24 || said.some(({ many }) => many),
  });
}

/** What it comes to for each of the known values; null: not known. */
function folded({ name, input, args }: Operation): readonly Plain[] | null {
  if (input.known.length === 0 || args.some(({ known }) => known.length === 0)) return null;
  let rows: Plain[][] = [[]];
  for (const { known } of args)
    rows = rows.flatMap((row) => known.map((plain) => [...row, plain])).slice(0, MOST_VALUES);
  const found = input.known.flatMap((plain) => rows.flatMap((row) => methodResult(name, plain, row) ?? []));
  return found.length === 0 ? null : found.filter(small).slice(0, MOST_VALUES);
}

/** `a ~ b`, and what stands in a template one after the other. */
export function concatenated(a: Value, b: Value): Value {
  const known: Plain[] = [];
  for (const x of a.known)
    for (const y of b.known) {
      const text = `${x}${y}`;
      if (known.length < MOST_JOINED && small(text)) known.push(text);
    }
  const isCut = known.length < a.known.length * b.known.length;
  const own = [
    ...new Set([...a.own, ...b.own, ...(known.filter((text) => isText(String(text))) as string[])]),
  ];
  const kind = stronger(a.kind, b.kind);
  const open = a.open || b.open || isCut;
  return {
    ...valueWith({ known, open, own: own.slice(0, 24), many: a.many || b.many || own.length > 24 }),
    kind: kind === 'conversation' || kind === 'size' ? 'text' : kind,
    built: a.built || b.built || isCut || (open && [a, b].some((side) => !side.open || side.own.length > 0)),
    computed: a.computed || b.computed,
    choice: either(a.choice, b.choice),
    cut: either(a.cut, b.cut),
  };
}

/** `texts` repeated, cut or taken from by a number or a key. */
export const selectedBy = (value: Value, key: Value, sought: readonly string[], at: number): Outcome => {
  const by = chosenBy(key, sought, at);
  return { value: withChoice(value, by), by };
};
