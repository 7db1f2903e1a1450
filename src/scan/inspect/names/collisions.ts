// Finds names that are different to one reader and the same to another. Millions of ordinary ones cost a test each.

import { quoted, type Violations } from '../../../document/violations.ts';
import type { RuleId } from '../../../rules/rules.ts';
import { skeletonOf } from './confusables.ts';

/** A name, and where in the file it is reported. */
interface Named {
  readonly name: string;
  readonly start: number;
}

export function reportCollisions(
  what: 'tensor' | 'key',
  names: readonly Named[],
  violations: Violations,
): void {
  if (!names.some(({ name }) => ANY_CHANGES.test(name))) return;
  for (const { rule, changes, change, words } of READERS) {
    const report = ({ name, start: offset }: Named, other: string): void => {
      const message = (): string => `${what} ${quoted(name)} and ${quoted(other)} are ${words}`;
      violations.report(rule, message, { offset, ...(what === 'tensor' ? { tensor: name } : {}) });
    };
    /** What a name becomes → the name. */
    const changed = new Map<string, string>();
    for (const one of names) {
      if (!changes.test(one.name)) continue;
      const became = change(one.name);
      if (became === one.name) continue;
      const other = changed.get(became);
      if (other === undefined) changed.set(became, one.name);
      else if (other !== one.name) report(one, other);
    }
    if (changed.size === 0) continue;
    for (const one of names) {
      const other = changed.get(one.name);
      if (other !== undefined) report(one, other);
    }
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

const ANY_CHANGES = new RegExp(READERS.map(({ changes }) => changes.source).join('|'), 'u');
