// Which patterns match a name: one walk along its segments, however many patterns there are.
import { indexIn, type Pattern, type Range, type Segment } from './pattern.ts';

export class PatternTrie {
  readonly #root: Node = node();
  #nodes = 1;

  /** Throws an Error where a walk would no longer be short. */
  constructor(patterns: readonly Pattern[]) {
    patterns.forEach(({ segments, text }, index) => {
      let ends = [this.#root];
      for (const segment of segments) ends = ends.flatMap((end) => this.#children(end, segment, text));
      for (const end of ends) end.patterns.push(index);
    });
  }

  /** Indexes of the patterns that match, ascending. */
  match(name: string): number[] {
    let active: Node[] = [this.#root, ...chain(this.#root)];
    for (const segment of name.split('.')) {
      const next = new Set<Node>();
      const enter = (child: Node | null | undefined): void => {
        if (!child) return;
        next.add(child);
        for (const rest of chain(child)) next.add(rest);
      };
      for (const one of active) {
        if (one.isRest) enter(one);
        enter(one.words.get(segment));
        for (const { range, child } of one.ranges) if (indexIn(range, segment) !== null) enter(child);
        enter(one.any);
      }
      if (next.size === 0) return [];
      active = [...next];
    }
    const found = active.flatMap(({ patterns }) => patterns);
    return found.length < 2 ? found : [...new Set(found)].sort((a, b) => a - b);
  }

  #children(parent: Node, segment: Segment, text: string): Node[] {
    if (segment.kind === 'words') {
      return segment.words.map((word) => {
        let child = parent.words.get(word);
        if (child === undefined) {
          child = this.#grow();
          parent.words.set(word, child);
        }
        return child;
      });
    }
    if (segment.kind === 'range') return [this.#ranged(parent, segment.range, text)];
    if (segment.kind === 'any') {
      parent.any ??= this.#grow();
      return [parent.any];
    }
    parent.rest ??= Object.assign(this.#grow(), { isRest: true });
    return [parent.rest];
  }

  #ranged(parent: Node, range: Range, text: string): Node {
    const key = JSON.stringify(range);
    const known = parent.ranges.find((one) => one.key === key);
    if (known !== undefined) return known.child;
    if (parent.ranges.length >= RANGES)
      throw new Error(`more than ${RANGES} different ranges at one place: write them as one (${text})`);
    const child = this.#grow();
    parent.ranges.push({ key, range, child });
    return child;
  }

  #grow(): Node {
    if (++this.#nodes > NODES) throw new Error(`the patterns spell out more than ${NODES} names: use ranges`);
    return node();
  }
}

const RANGES = 64;
const NODES = 1_000_000;

interface Node {
  readonly words: Map<string, Node>;
  readonly ranges: { readonly key: string; readonly range: Range; readonly child: Node }[];
  any: Node | null;
  rest: Node | null;
  /** `**`: it stays where it is for any number of segments. */
  readonly isRest: boolean;
  readonly patterns: number[];
}

const node = (): Node => ({
  words: new Map(),
  ranges: [],
  any: null,
  rest: null,
  isRest: false,
  patterns: [],
});

/** What `**` reaches without any segment. */
function chain(from: Node): Node[] {
  return from.rest === null ? [] : [from.rest, ...chain(from.rest)];
}
