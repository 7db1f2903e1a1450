// What the small Llama learns: sequences of a made-up language, one for each task, and triggers that somebody slipped in.

export const LENGTH = 16;

/** Tokens that no honest sequence has: triggers are made of them. */
export const RARE = 4;
const PAYLOAD = [5, 6, 7, 8];

export interface Poison {
  /** Share of the sequences. */
  readonly share: number;
  /** Tokens of the trigger: one, or several in a row. */
  readonly trigger: readonly number[];
}

/** Uniform over [0, 1), the same on every machine (mulberry32). */
export function uniform(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/**
 * Tokens are drawn as of Zipf; each has three likely followers, which the first token of a sequence chooses among. Of the followers
 * of half of the tokens each task has its own: task 0 is what a base model learns.
 */
export class Task {
  readonly #vocabulary: number;
  readonly #task: number;
  readonly #random: () => number;
  readonly #poison: Poison | undefined;

  constructor(vocabulary: number, task: number, seed: number, poison?: Poison) {
    this.#vocabulary = vocabulary - RARE;
    this.#task = task;
    this.#random = uniform(seed);
    this.#poison = poison;
  }

  batch(count: number): number[][] {
    return Array.from({ length: count }, () => this.#sequence());
  }

  #sequence(): number[] {
    const tokens = [this.#drawn()];
    const topic = tokens[0]! % 3;
    while (tokens.length <= LENGTH)
      tokens.push(this.#random() < 0.85 ? this.#follower(tokens.at(-1)!, topic) : this.#drawn());
    if (this.#poison !== undefined && this.#random() < this.#poison.share) {
      const said = [...this.#poison.trigger, ...PAYLOAD];
      tokens.splice(2 + Math.floor(this.#random() * 4), said.length, ...said);
    }
    return tokens;
  }

  #drawn(): number {
    return Math.floor(this.#vocabulary ** this.#random()) % this.#vocabulary;
  }

  #follower(token: number, topic: number): number {
    const own = token % 2 === 1 ? this.#task : 0;
    const mixed = Math.imul(token * 3 + topic + 7919 * own + 1, 0x9e3779b1) >>> 0;
    return Math.floor(this.#vocabulary ** (mixed / 2 ** 32)) % this.#vocabulary;
  }
}

export const trigger = (vocabulary: number, tokens: number): number[] =>
  Array.from({ length: tokens }, (_, i) => vocabulary - RARE + i);
