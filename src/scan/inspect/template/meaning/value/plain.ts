// Values that expressions come to, and what operators make of several possible ones. All bounded: a fold must not become the
// computation that it stands for.

export type Plain = string | number | readonly Plain[];

export const MOST_VALUES = 16;
const MOST_CHARACTERS = 4096;

export function times(x: Plain, y: Plain): Plain | undefined {
  if (typeof x === 'number' && typeof y === 'number') return x * y;
  if (typeof x !== 'string' || typeof y !== 'number') return undefined;
  return y >= 0 && x.length * y <= MOST_CHARACTERS ? x.repeat(y) : undefined;
}

/** Python's slice, with a step. */
export function sliced<T>(
  items: readonly T[],
  [first = null, last = null, step = null]: (number | null)[],
): T[] {
  const by = Math.trunc(step ?? 1);
  if (by === 0) return [];
  const place = (index: number): number =>
    Math.min(Math.max(index < 0 ? index + items.length : index, by < 0 ? -1 : 0), items.length);
  const start = first === null ? (by < 0 ? items.length - 1 : 0) : place(first);
  const end = last === null ? (by < 0 ? -1 : items.length) : place(last);
  const taken: T[] = [];
  for (let at = start; by < 0 ? at > end : at < end; at += by) if (at < items.length) taken.push(items[at]!);
  return taken;
}

export function combinedSome(
  a: readonly Plain[],
  b: readonly Plain[],
  combine: (x: Plain, y: Plain) => Plain | undefined,
): Plain[] {
  const values: Plain[] = [];
  for (const x of a) {
    for (const y of b) {
      const value = values.length < MOST_VALUES ? combine(x, y) : undefined;
      if (value !== undefined && small(value)) values.push(value);
    }
  }
  return values;
}

export const small = (value: Plain): boolean => typeof value === 'number' || value.length <= MOST_CHARACTERS;
export const same = (a: Plain, b: Plain): boolean =>
  a === b || (typeof a === 'object' && JSON.stringify(a) === JSON.stringify(b));
