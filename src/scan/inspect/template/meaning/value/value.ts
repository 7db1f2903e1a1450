// An abstract value: all that an expression may come to, as far as it is known, and on what that depends.

import { type Choice, either, isOpenChoice } from './choice.ts';
import { KINDS, type Kind } from './foreign.ts';
import { MOST_VALUES, type Plain, same } from './plain.ts';

export interface Value {
  readonly kind: Kind;
  /** Values that it can have for certain. */
  readonly known: readonly Plain[];
  /** Whether it can have others. */
  readonly open: boolean;
  /** It can only be a number or a truth value. */
  readonly numeric: boolean;
  /** Put together from pieces, in a way that was not followed to its end. */
  readonly built: boolean;
  /** It may be an attribute whose name is not known. */
  readonly computed: boolean;
  /** Texts of the template's own that it can hold, each as a whole. */
  readonly own: readonly string[];
  /** More of them than are kept. */
  readonly many: boolean;
  readonly choice: Choice | null;
  /** The decision by which somebody's words in it may have been left out or changed. */
  readonly cut: Choice | null;
  /** Of a dictionary that the template makes. */
  readonly fields: ReadonlyMap<string, Value> | null;
}

const OWN_MAX = 24;

const BASE: Value = {
  kind: 'own',
  known: [],
  open: false,
  numeric: false,
  built: false,
  computed: false,
  own: [],
  many: false,
  choice: null,
  cut: null,
  fields: null,
};

/** Nothing at all: what joins to anything without a trace. */
export const NEVER: Value = BASE;
/** true, false, none. */
export const CONSTANT: Value = { ...BASE, numeric: true };
export const NUMBER: Value = { ...BASE, open: true, numeric: true };

export const valueWith = (changes: Partial<Value>): Value => ({ ...BASE, ...changes });
export const foreign = (kind: Kind): Value => ({ ...BASE, kind, open: true });
export const constant = (plain: Plain): Value => ({
  ...BASE,
  known: [plain],
  numeric: typeof plain === 'number',
  own: typeof plain === 'string' && isText(plain) ? [plain] : [],
});

/** What can be said in a prompt; digits and marks alone are not. */
export const isText = (text: string): boolean => /\p{L}/u.test(text);

export const withChoice = (value: Value, choice: Choice | null): Value => {
  const both = either(value.choice, choice);
  return both === value.choice ? value : { ...value, choice: both };
};

export const withCut = (value: Value, cut: Choice | null): Value =>
  isOpenChoice(cut) ? { ...value, cut: either(value.cut, cut) } : value;

export const stronger = (a: Kind, b: Kind): Kind => (KINDS.indexOf(a) >= KINDS.indexOf(b) ? a : b);

/** Either of the two. */
export function join(a: Value, b: Value): Value {
  if (a === b || b === NEVER) return a;
  if (a === NEVER) return b;
  const known = joined(a.known, b.known, MOST_VALUES, same);
  const own = joined(a.own, b.own, OWN_MAX, (x, y) => x === y);
  return {
    kind: stronger(a.kind, b.kind),
    known: known.items,
    open: a.open || b.open || known.cut,
    numeric: (a.numeric && (b.numeric || isEmpty(b))) || (b.numeric && isEmpty(a)),
    built: a.built || b.built || known.cut,
    computed: a.computed || b.computed,
    own: own.items,
    many: a.many || b.many || own.cut,
    choice: either(a.choice, b.choice),
    cut: either(a.cut, b.cut),
    fields: joinedFields(a.fields, b.fields),
  };
}

const isEmpty = (value: Value): boolean =>
  !value.open && value.kind === 'own' && value.known.every((plain) => plain === '');

function joined<T>(
  a: readonly T[],
  b: readonly T[],
  most: number,
  equal: (x: T, y: T) => boolean,
): { items: readonly T[]; cut: boolean } {
  if (b.length === 0) return { items: a, cut: false };
  const more = b.filter((item) => !a.some((other) => equal(other, item)));
  if (more.length === 0) return { items: a, cut: false };
  return { items: [...a, ...more].slice(0, most), cut: a.length + more.length > most };
}

function joinedFields(a: Value['fields'], b: Value['fields']): Value['fields'] {
  if (a === null || b === null) return a ?? b;
  if (a === b) return a;
  const fields = new Map(a);
  for (const [key, value] of b) addField(fields, key, value);
  return fields;
}

/** Where a dictionary has more fields than are kept apart, the rest of them. */
export const REST = '*';
const FIELDS_MAX = 24;

export function addField(fields: Map<string, Value>, key: string, value: Value): void {
  const name = fields.has(key) || fields.size < FIELDS_MAX ? key : REST;
  fields.set(name, join(fields.get(name) ?? NEVER, value));
}

/** Whether nothing that a later round could bring is new. */
export function covers(a: Value, b: Value): boolean {
  const both = join(a, b);
  return (
    both === a ||
    (both.kind === a.kind &&
      both.known.length === a.known.length &&
      both.own.length === a.own.length &&
      both.open === a.open &&
      both.numeric === a.numeric &&
      both.built === a.built &&
      both.computed === a.computed &&
      both.many === a.many &&
      sameChoice(both.choice, a.choice) &&
      sameChoice(both.cut, a.cut) &&
      sameFields(both.fields, a.fields))
  );
}

const sameChoice = (a: Choice | null, b: Choice | null): boolean =>
  a === b || (a?.sought.length === b?.sought.length && a?.protocol === b?.protocol);

function sameFields(a: Value['fields'], b: Value['fields']): boolean {
  if (a === b || a === null || b === null) return a === b;
  return a.size === b.size && [...a].every(([key, value]) => covers(b.get(key)!, value));
}

/** The strings that it can be for certain. */
export const stringsOf = (value: Value): string[] => value.known.filter((plain) => typeof plain === 'string');

/** Everything in it as text. */
export const textsOf = (plain: Plain): string[] =>
  typeof plain === 'object' ? plain.flatMap(textsOf) : [String(plain)];
