// One node of a manifest: a map, a list or a scalar, with its place. Aliases and merge keys are followed on the way, and every
// step is counted, so that a tree of aliases ends in a limit instead of in memory.
import { isMap, isScalar, isSeq, type Pair, type YAMLMap } from 'yaml';
import type { Fact, Place } from './place.ts';

export interface Home {
  /** What each alias stands for. The parser's own look-up walks the whole document for each. */
  readonly aliases: ReadonlyMap<unknown, unknown>;
  readonly at: (offset: number) => Place;
  /** How many more nodes may be visited. */
  left: number;
}

/** A document that is larger, followed through its aliases, than anything that is looked at. */
export class TooLarge extends Error {}

const DEPTH = 256;

export class Node {
  readonly #raw: unknown;
  readonly #home: Home;
  readonly #depth: number;

  constructor(raw: unknown, home: Home, depth = 0) {
    if (--home.left < 0 || depth > DEPTH) throw new TooLarge();
    this.#home = home;
    this.#raw = home.aliases.has(raw) ? home.aliases.get(raw) : raw;
    this.#depth = depth;
  }

  /** Where it stands; what an alias stands for is where the anchor is. */
  get at(): Place {
    return this.#home.at(startOf(this.#raw));
  }

  get isMap(): boolean {
    return isMap(this.#raw);
  }

  get isList(): boolean {
    return isSeq(this.#raw);
  }

  /** What a scalar says; undefined for maps and lists. */
  get value(): unknown {
    return isScalar(this.#raw) ? this.#raw.value : undefined;
  }

  /** A scalar as text; numbers and booleans as they were written. */
  get text(): string | undefined {
    if (!isScalar(this.#raw)) return undefined;
    const { value, source } = this.#raw;
    if (typeof value === 'string') return value;
    return value === null || value === undefined ? undefined : (source ?? String(value));
  }

  get fact(): Fact<string> | null {
    const { text } = this;
    return text === undefined ? null : { value: text, at: this.at };
  }

  get(...path: readonly string[]): Node | undefined {
    let found: Node = this;
    for (const key of path) {
      const child = found.#child(key);
      if (child === undefined) return undefined;
      found = child;
    }
    return found;
  }

  items(): Node[] {
    return isSeq(this.#raw) ? this.#raw.items.map((item) => this.#wrapped(item)) : [];
  }

  /** Keys and values, those of merged maps after the map's own. */
  entries(): [key: string, value: Node, at: Place][] {
    return [...this.#pairs()].map(([key, pair]) => [
      key,
      this.#wrapped(pair.value),
      this.#home.at(startOf(pair.key)),
    ]);
  }

  #child(key: string): Node | undefined {
    const pair = this.#pairs().get(key);
    return pair === undefined || pair.value === null ? undefined : this.#wrapped(pair.value);
  }

  #pairs(): Map<string, Pair> {
    const found = new Map<string, Pair>();
    if (isMap(this.#raw)) this.#collect(this.#raw, found, 0);
    return found;
  }

  #collect({ items }: YAMLMap, found: Map<string, Pair>, depth: number): void {
    this.#home.left -= items.length;
    if (this.#home.left < 0 || depth > DEPTH) throw new TooLarge();
    const merged: unknown[] = [];
    for (const pair of items) {
      const key = isScalar(pair.key) ? pair.key.value : pair.key;
      if (typeof key === 'symbol' || key === '<<') merged.push(pair.value);
      else if (!found.has(String(key))) found.set(String(key), pair);
    }
    for (const one of merged.flatMap((value) => this.#merged(value))) this.#collect(one, found, depth + 1);
  }

  #merged(value: unknown): YAMLMap[] {
    const { aliases } = this.#home;
    const target = aliases.has(value) ? aliases.get(value) : value;
    if (isMap(target)) return [target];
    return isSeq(target) ? target.items.flatMap((item) => this.#merged(item)) : [];
  }

  #wrapped(raw: unknown): Node {
    return new Node(raw, this.#home, this.#depth + 1);
  }
}

export const startOf = (node: unknown): number =>
  (node as { range?: readonly number[] | null } | null)?.range?.[0] ?? 0;
