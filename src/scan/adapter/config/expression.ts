// PEFT takes names of modules as regular expressions, out of a file that an attacker wrote. Python's engine backtracks, and so does
// JavaScript's: `(a+)+$` would hold a scan for ever. They run on RE2, in time linear in the name, and only in the part of the
// syntax that means the same to Python and to RE2. What is outside of it is not evaluated, and that is said.
import type * as Re2 from 're2js';
import { late } from '../../../runtime/loading.ts';

// Loaded where there is an expression, and not for every scan.
const engine = (): typeof Re2 => late('re2js');

/** One name against one expression; null: not evaluated. */
export type Pattern = (name: string) => boolean | null;

/** Steps, about one per instruction and character, that all patterns of a configuration may take: a second. */
const BUDGET = 20_000_000;
/** Instructions of all compiled expressions together; compiling takes some 30 µs for each. */
const PROGRAM = 40_000;
/** What an expression costs before it has any instruction. */
const BEGUN = 20;
const LONGEST = 4096;

export class Patterns {
  #left = BUDGET;
  #program = PROGRAM;
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

  /** Compiled when it is first asked: of 20,000 expressions most stand behind one that matches. */
  #compile(expression: string, full: string): Pattern {
    let compiled: Compiled | null | undefined;
    return (name) => {
      if (compiled === undefined) compiled = this.#built(expression, full);
      if (compiled === null) this.unread.add(expression);
      if (compiled === null || !this.spend(compiled.size * (name.length + 1), expression)) return null;
      return compiled.matches(name);
    };
  }

  #built(expression: string, full: string): Compiled | null {
    const cost = BEGUN + expression.length * largestRepeat(expression);
    if (cost > this.#program) return null;
    const compiled = compile(expression, full);
    this.#program -= Math.max(BEGUN, compiled?.size ?? expression.length);
    return compiled;
  }
}

interface Compiled {
  readonly size: number;
  matches(name: string): boolean;
}

function compile(expression: string, full: string): Compiled | null {
  if (expression.length > LONGEST || !COMMON.test(expression)) return null;
  try {
    const program = engine().RE2JS.compile(full);
    return { size: program.programSize(), matches: (name) => program.matches(name) };
  } catch {
    return null; // whatever it is to Python, it is no expression to RE2
  }
}

/** RE2 writes out what is repeated, and nested repetitions in each other, up to a thousand times in all. */
function largestRepeat(expression: string): number {
  let most = 1;
  for (const [, least, greatest] of expression.matchAll(/\{(\d{1,3})(?:,(\d{0,3}))?\}/g))
    most *= Math.max(1, Number(least), Number(greatest ?? 0));
  return Math.min(most, 1000);
}

// Characters, sets of characters, repetitions, alternatives and groups. Not look-around, references and flags, which RE2 has not;
// nor `{,3}`, `[[:`, `\Z` and their like, which the two take for different things.
const COMMON =
  /^(?:[\w\-/,:=<> ]|\\[.\-/_dwsbDWSB]|\((?:\?:|(?!\?))|[)|.?*+^$]|\{\d{1,3}(?:,\d{0,3})?\}|\[\^?(?:[\w\-.]|\\[.\-dw])+\])*$/;
