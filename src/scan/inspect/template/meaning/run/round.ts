// What a loop takes, one by one, and under which names.

import type { Expression } from '../../jinja/syntax.ts';
import { kindOfRound } from '../value/foreign.ts';
import type { Plain } from '../value/plain.ts';
import { foreign, join, NEVER, textsOf, type Value, valueWith } from '../value/value.ts';

/** What a loop takes one by one. */
export function roundOf(over: Value): Value {
  const items = over.known.flatMap((plain): readonly Plain[] =>
    typeof plain === 'number' ? [] : typeof plain === 'object' ? plain : [...plain],
  );
  return {
    ...over,
    kind: kindOfRound(over.kind),
    known: [...new Set(items)].slice(0, 16),
    open: over.open || items.length > 16 || over.kind !== 'own',
    numeric: over.numeric,
    built: over.built || items.length > 16,
  };
}

/** One of the names that an item is unpacked into. */
export function placed(item: Value, index: number): Value {
  const known = item.known.flatMap((plain) =>
    typeof plain === 'object' && plain[index] !== undefined ? [plain[index]] : [],
  );
  const isKnown = known.length > 0 && !item.open;
  return { ...item, known, open: !isKnown, own: isKnown ? known.flatMap(textsOf) : item.own };
}

export const isPairs = (iterable: Expression): boolean =>
  (iterable.kind === 'filter' && ['items', 'dictsort'].includes(iterable.name)) ||
  (iterable.kind === 'call' &&
    iterable.callee.kind === 'member' &&
    iterable.callee.key.kind === 'string' &&
    iterable.callee.key.value === 'items');

/** Names of a message's fields are its form; names in a tool or in a text are somebody's words. */
export const keyOf = (over: Value): Value =>
  over.kind === 'own'
    ? valueWith({
        known: over.known.flatMap((plain) => (typeof plain === 'object' ? plain : [])),
        open: true,
        own: over.own,
      })
    : foreign(over.fields === null ? over.kind : over.kind);

export const valuesOf = (item: Value, over: Value): Value => {
  const fields = [...(over.fields?.values() ?? [])].reduce(join, NEVER);
  if (over.kind === 'own') return over.fields === null ? { ...item, known: [], open: true } : fields;
  return {
    ...foreign(over.kind === 'tree' ? 'tree' : over.kind === 'option' ? 'option' : 'text'),
    own: over.own,
    choice: over.choice,
  };
};
