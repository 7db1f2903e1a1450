// Shapes with named dimensions: `[hidden, 3*hidden]`. A name has one size in the whole model.

/** A size, a name times a factor, or '*': any. */
export type Dimension = number | '*' | { readonly name: string; readonly factor: number };

/** Throws an Error with the reason. */
export function parseDimension(text: string | number): Dimension {
  if (typeof text === 'number' || text === '*') return text;
  const found = /^(?:(\d{1,9})\s*\*\s*)?([A-Za-z_]\w*)$/.exec(text);
  if (found === null) throw new Error('expected a size, a name, 3*name or *');
  return { name: found[2]!, factor: Number(found[1] ?? 1) };
}

/** The sizes that names have; what binds one first is remembered, so that a contradiction can be explained. */
export class Dimensions {
  readonly #sizes = new Map<string, { readonly size: number; readonly from: string | null }>();

  constructor(known: ReadonlyMap<string, number>) {
    for (const [name, size] of known) this.#sizes.set(name, { size, from: null });
  }

  /** Learns the names that stand alone in `shape` and have no size yet. */
  learn(shape: readonly Dimension[], actual: readonly number[], from: string): void {
    if (shape.length !== actual.length) return;
    shape.forEach((dimension, axis) => {
      if (typeof dimension !== 'object' || dimension.factor !== 1 || this.#sizes.has(dimension.name)) return;
      this.#sizes.set(dimension.name, { size: actual[axis]!, from });
    });
  }

  /** null: the shape is as it must be. Otherwise what it must be, and whose tensor says so. */
  check(
    shape: readonly Dimension[],
    actual: readonly number[],
  ): { expected: string; from: string | null } | null {
    let from: string | null = null;
    const fits = (dimension: Dimension, axis: number): boolean => {
      if (dimension === '*') return true;
      if (typeof dimension === 'number') return dimension === actual[axis];
      const known = this.#sizes.get(dimension.name);
      if (known === undefined || known.size * dimension.factor === actual[axis]) return true;
      from ??= known.from;
      return false;
    };
    if (shape.length === actual.length && shape.every(fits)) return null;
    return { expected: `[${shape.map((dimension) => this.#told(dimension)).join(', ')}]`, from };
  }

  #told(dimension: Dimension): string {
    if (typeof dimension !== 'object') return String(dimension);
    const known = this.#sizes.get(dimension.name);
    const name = dimension.factor === 1 ? dimension.name : `${dimension.factor}*${dimension.name}`;
    return known === undefined ? name : `${name} = ${known.size * dimension.factor}`;
  }
}
