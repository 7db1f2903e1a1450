// PEFT takes names of modules as regular expressions, out of a file that an attacker wrote. Python's engine backtracks, and so does
// JavaScript's: `(a+)+$` would hold a scan for ever. They run on RE2, in time linear in the name, and only in the part of the
// syntax that means the same to Python and to RE2. What is outside of it is not evaluated, and that is said.
import type * as Re2 from 're2js';
import { late } from '../../../runtime/loading.ts';

/** One name against one expression; null: not evaluated. */
export type Pattern = (name: string) => boolean | null;

/** Steps, about one per instruction and character, that all patterns of a configuration may take: a second. */
const BUDGET = 20_000_000;
const LONGEST = 4096;

export class Patterns {
  #left = BUDGET;
  /** Expressions, or names, that were not evaluated. */
  readonly unread = new Set<string>();

  /** The whole name, as re.fullmatch. */
  whole(expression: string): Pattern {
    return this.#compile(expression, expression);
  }

  /** The end of a name after a dot, or the whole, as peft.utils.other.get_pattern_key has it. */
  tail(expression: string): Pattern {
    return this.#compile(expression, `(?:.*\\.)?(?:${expression})`);
  }

  /** Whether so many more steps may be taken for an expression; if not, it is one of the unread. */
  spend(steps: number, expression: string): boolean {
    this.#left -= steps;
    if (this.#left < 0) this.unread.add(expression);
    return this.#left >= 0;
  }

  #compile(expression: string, full: string): Pattern {
    const compiled = compile(expression, full);
    if (compiled === null) {
      return () => {
        this.unread.add(expression);
        return null;
      };
    }
    const size = compiled.programSize();
    return (name) => (this.spend(size * (name.length + 1), expression) ? compiled.matches(name) : null);
  }
}

const re2 = (): typeof Re2 => late('re2js');

function compile(expression: string, full: string): Re2.RE2JS | null {
  if (expression.length > LONGEST || !COMMON.test(expression)) return null;
  try {
    return re2().RE2JS.compile(full);
  } catch {
    return null; // whatever it is to Python, it is no expression to RE2
  }
}

// Characters, sets of characters, repetitions, alternatives and groups. Not look-around, references and flags, which RE2 has not;
// nor `{,3}`, `[[:`, `\Z` and their like, which the two take for different things.
const COMMON =
  /^(?:[\w\-/,:=<> ]|\\[.\-/_dwsbDWSB]|\((?:\?:|(?!\?))|[)|.?*+^$]|\{\d{1,3}(?:,\d{0,3})?\}|\[\^?(?:[\w\-.]|\\[.\-dw])+\])*$/;
