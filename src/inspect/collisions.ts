// Finds names that are different to one reader and the same to another. Only names that a reader would change are kept, so
// millions of ordinary ones cost a test each.
import { quoted, type Violations } from '../format/violations.ts';
import type { RuleId } from '../rules.ts';
import { skeletonOf } from './confusables.ts';

export class Collisions {
  readonly #what: 'tensor' | 'key';
  readonly #names: { readonly name: string; readonly offset: number }[] = [];
  /** What a name becomes → the name, by the reader that changes it. */
  readonly #changed = READERS.map(() => new Map<string, string>());

  constructor(what: 'tensor' | 'key') {
    this.#what = what;
  }

  add(name: string, offset: number): void {
    this.#names.push({ name, offset });
  }

  report(violations: Violations): void {
    READERS.forEach(({ rule, changes, change, words }, i) => {
      const changed = this.#changed[i]!;
      const report = (name: string, other: string, offset: number): void => {
        const message = (): string => `${this.#what} ${quoted(name)} and ${quoted(other)} are ${words}`;
        violations.report(rule, message, { offset, ...(this.#what === 'tensor' ? { tensor: name } : {}) });
      };
      for (const { name, offset } of this.#names) {
        if (!changes.test(name)) continue;
        const became = change(name);
        if (became === name) continue;
        const other = changed.get(became);
        if (other === undefined) changed.set(became, name);
        else if (other !== name) report(name, other, offset);
      }
      if (changed.size === 0) return;
      for (const { name, offset } of this.#names) {
        const other = changed.get(name);
        if (other !== undefined) report(name, other, offset);
      }
    });
  }
}

interface Reader {
  readonly rule: RuleId;
  /** Cheap test: names without a match stay as they are. */
  readonly changes: RegExp;
  readonly change: (name: string) => string;
  readonly words: string;
}

const READERS: readonly Reader[] = [
  {
    rule: 'name/nul-shadow',
    changes: /\0/,
    change: (name) => name.slice(0, name.indexOf('\0')),
    words: 'the same to C, which ends a name at its NUL',
  },
  {
    rule: 'name/normal-form',
    changes: /[^\p{ASCII}]/u,
    change: (name) => name.normalize('NFC'),
    words: 'the same characters, composed differently',
  },
  {
    rule: 'name/confusable',
    changes: /[^\p{ASCII}]/u,
    change: skeletonOf,
    words: 'the same to the eye',
  },
  {
    rule: 'name/case',
    // W and w are two letters of mathematics: a capital alone is honest.
    changes: /[\p{Lu}\p{Lt}]\p{L}|\p{L}[\p{Lu}\p{Lt}]/u,
    change: (name) => name.toLowerCase(),
    words: 'the same but for upper and lower case',
  },
];
