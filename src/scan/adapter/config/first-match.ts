// rank_pattern and alpha_pattern: of all expressions that match the end of a module's name, the first one's value. Most of them are
// plain names, one for each of thousands of modules; those are looked up by length instead of being run one by one.
import type { Pattern, Patterns } from './expression.ts';

interface Plain {
  readonly index: number;
  /** A dot in it is any character, as it is to PEFT: who writes `q.proj` means q_proj and hopes that we do not. */
  readonly text: string;
  /** Begins with '^', so that nothing may stand before it. */
  readonly whole: boolean;
}

export class FirstMatch {
  readonly #patterns: Patterns;
  readonly #values: readonly number[];
  readonly #plain = new Map<number, Plain[]>();
  readonly #others: (readonly [index: number, matches: Pattern])[] = [];
  readonly #keys: readonly string[];
  readonly #met = new Set<number>();
  readonly #asked = new Set<number>();

  constructor(entries: readonly (readonly [pattern: string, value: number])[], patterns: Patterns) {
    this.#patterns = patterns;
    this.#values = entries.map(([, value]) => value);
    this.#keys = entries.map(([key]) => key);
    entries.forEach(([key], index) => {
      const plain = /^(\^?)([\w.-]+)$/.exec(key);
      if (plain === null) this.#others.push([index, patterns.tail(key)]);
      else this.#add({ index, text: plain[2]!, whole: plain[1] === '^' });
    });
  }

  /** `missing` where none matches; null: it cannot be told. */
  valueOf(module: string, missing: number): number | null {
    let first = this.#firstPlain(module);
    if (first === null) return null;
    for (const [index, matches] of this.#others) {
      if (index > first) break;
      const found = matches(module);
      if (found === null) return null;
      this.#asked.add(index);
      if (found) this.#met.add(index);
      if (found) first = index;
    }
    return this.#values[first] ?? missing;
  }

  /** Those that match no module that was asked for. Behind one that matches, expressions are not asked. */
  unused(): string[] {
    const isOther = new Set(this.#others.map(([index]) => index));
    return this.#keys.filter(
      (_, index) => !this.#met.has(index) && (!isOther.has(index) || this.#asked.has(index)),
    );
  }

  #add(plain: Plain): void {
    const alike = this.#plain.get(plain.text.length);
    if (alike === undefined) this.#plain.set(plain.text.length, [plain]);
    else alike.push(plain);
  }

  /** Infinity: none. */
  #firstPlain(module: string): number | null {
    let first = Number.POSITIVE_INFINITY;
    for (let at = 0; at >= 0; at = module.indexOf('.', at) + 1 || -1) {
      for (const { index, text, whole } of this.#plain.get(module.length - at) ?? []) {
        if (!this.#patterns.spend(1, text)) return null;
        if ((at > 0 && whole) || !this.#equals(text, module, at)) continue;
        this.#met.add(index);
        first = Math.min(first, index);
      }
    }
    return first;
  }

  #equals(text: string, module: string, at: number): boolean {
    for (let i = 0; i < text.length; i++) if (text[i] !== '.' && text[i] !== module[at + i]) return false;
    return true;
  }
}
