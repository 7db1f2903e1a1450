// Decisions that depend on what somebody wrote: the currency of the interpreter. A value carries the decisions that led to it,
// wherever it is stored meanwhile.

export interface Choice {
  /** Where the question stands, in UTF-16 units. */
  readonly at: number;
  /** What was asked for: the words looked for, or in words what of a text was asked. */
  readonly sought: readonly string[];
  /** Only words of the protocol between a model and its program were looked for. */
  readonly protocol: boolean;
}

const SOUGHT_MAX = 16;

/** Both decisions; a free one is null. */
export function either(a: Choice | null, b: Choice | null): Choice | null {
  if (a === null || a === b) return b;
  if (b === null) return a;
  const [first, second] = a.protocol && !b.protocol ? [b, a] : [a, b];
  const protocol = first.protocol && second.protocol;
  const more = second.sought.filter((text) => !first.sought.includes(text));
  if (more.length === 0 || first.sought.length >= SOUGHT_MAX) return first;
  return { at: first.at, sought: [...first.sought, ...more].slice(0, SOUGHT_MAX), protocol };
}

/** A decision that is more than a word of the protocol. */
export const isOpenChoice = (choice: Choice | null): choice is Choice => choice !== null && !choice.protocol;
