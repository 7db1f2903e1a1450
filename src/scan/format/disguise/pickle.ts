// Follows a Python pickle opcode by opcode, without running anything. Loading a pickle runs what it imports, so a file that is
// a weight file and a pickle is an attack; its first bytes decide. A pickle needs no header: the length bytes of a
// safetensors file can be an opcode that steps over everything up to bytes of the attacker's choice.
import { atOnce, type Pieces } from '../../../runtime/turn.ts';
import type { ByteSource } from '../layout.ts';

interface Pickle {
  /** The first thing it imports, as 'module name'; null: data only. */
  readonly imports: string | null;
  /** All that it imports, each once, in order: at most 1,000. */
  readonly names: readonly string[];
  /** Whether it came to its STOP. */
  readonly complete: boolean;
  /** Bytes followed. */
  readonly size: number;
}

/** null: not a pickle, or one that fails before it imports anything. Followed for so many opcodes. */
export const followPickle = (source: ByteSource, start = 0, most = MAX_OPCODES): Pickle | null =>
  atOnce(walkPickle(source, start, most));

/** The same in pieces, for one that is followed far. */
export const walkPickle = (source: ByteSource, start: number, most: number): Pieces<Pickle | null> =>
  new Walk(source, start).follow(most);

/** Stands for a name that only loading puts together. */
export const COMPUTED = 'a name from its stack';

const MAX_OPCODES = 5000;
const MAX_LINE = 1024;
const MAX_NAMES = 1000;
/** Characters of a string that may become a name; longer ones are none. */
const MAX_NAME = 256;
const WINDOW = 4096;
const PIECE = 2000; // opcodes

// What an opcode is followed by: so many bytes; a length of so many bytes and then as many; lines.
const ARGUMENT = new Map<number, number>();
const LENGTH = new Map<number, number>();
const LINES = new Map<number, number>();
// What it takes from the stack and puts there; 'm': takes everything down to the mark.
const EFFECT = new Map<number, readonly [take: number | 'm', put: string]>();

function opcodes(codes: string, take: number | 'm', put: string, more?: [Map<number, number>, number]): void {
  for (const code of Buffer.from(codes, 'latin1')) {
    EFFECT.set(code, [take, put]);
    if (more !== undefined) more[0].set(code, more[1]);
  }
}

opcodes('N\x88\x89})]\x8f\x97', 0, 'o');
opcodes('K\x82', 0, 'o', [ARGUMENT, 1]);
opcodes('M\x83', 0, 'o', [ARGUMENT, 2]);
opcodes('J\x84', 0, 'o', [ARGUMENT, 4]);
opcodes('G', 0, 'o', [ARGUMENT, 8]);
opcodes('\x80', 0, '', [ARGUMENT, 1]);
opcodes('\x95', 0, '', [ARGUMENT, 8]);
opcodes('U\x8c', 0, 's', [LENGTH, 1]);
opcodes('TX', 0, 's', [LENGTH, 4]);
opcodes('\x8d', 0, 's', [LENGTH, 8]);
opcodes('C\x8a', 0, 'o', [LENGTH, 1]);
opcodes('B\x8b', 0, 'o', [LENGTH, 4]);
opcodes('\x8e\x96', 0, 'o', [LENGTH, 8]);
opcodes('FILP', 0, 'o', [LINES, 1]);
opcodes('SV', 0, 's', [LINES, 1]);
opcodes('c', 0, 'o', [LINES, 2]);
opcodes('i', 'm', 'o', [LINES, 2]);
opcodes('Q\x85\x98', 1, 'o');
opcodes('Rab\x81\x86\x93', 2, 'o');
opcodes('s\x87\x92', 3, 'o');
opcodes('0', 1, '');
opcodes('(', 0, '(');
opcodes('1', 'm', '');
opcodes('dlot\x91', 'm', 'o');
// On top of what stands below the mark.
opcodes('eu\x90', 'm', '^');

const STOP = 0x2e;
const POP = 0x30;
const DUP = 0x32;
const GLOBAL = 0x63;
const INST = 0x69;
const STACK_GLOBAL = 0x93;
const MEMOIZE = 0x94;
const NUMBER_LINE = /^[\w.+\- ]+$/; // also 0x10, inf, 12L
const STRING_LINE = /^(['"]).*\1$/s;
const MODULE = /^[A-Za-z_][\w.]*$/;
// opcode → how its memo key is written: 0 as a line, else in so many bytes.
const PUTS = new Map([...'pqr'].map((c, i) => [c.charCodeAt(0), [0, 1, 4][i]!] as const));
const GETS = new Map([...'ghj'].map((c, i) => [c.charCodeAt(0), [0, 1, 4][i]!] as const));

/** What lies on the stack: a mark, a string with its text (null: too long, or not read), or anything else. */
type Slot = typeof MARK | typeof OBJECT | { readonly text: string | null };
const MARK = 'mark';
const OBJECT = 'object';
const SLOTS: Readonly<Record<string, Slot>> = { '(': MARK, o: OBJECT };

class Walk {
  readonly #source: ByteSource;
  readonly #start: number;
  readonly #stack: Slot[] = [];
  readonly #memo = new Map<number, Slot>();
  readonly #names = new Set<string>();
  #text: string | null = null;
  #at: number;
  #window: Uint8Array = new Uint8Array(0);
  #windowAt = 0;

  constructor(source: ByteSource, start: number) {
    this.#source = source;
    this.#start = start;
    this.#at = start;
  }

  *follow(most: number): Pieces<Pickle | null> {
    for (let i = 1; i <= most; i++) {
      if (i % PIECE === 0) yield;
      const code = this.#byte();
      if (code === STOP && this.#stack.length > 0) return this.#ended(true);
      // One that fails has imported, and may have called, what stood before the failure.
      if (!this.#step(code)) return this.#names.size === 0 ? null : this.#ended(false);
    }
    return this.#ended(false);
  }

  #ended(complete: boolean): Pickle {
    const names = [...this.#names];
    return { imports: names[0] ?? null, names, complete, size: this.#at - this.#start };
  }

  /** false: this is no pickle. */
  #step(code: number): boolean {
    const stack = this.#stack;
    if (PUTS.has(code) || GETS.has(code) || code === MEMOIZE || code === DUP) return this.#memoize(code);
    const effect = EFFECT.get(code);
    if (effect === undefined) return false;
    const [module, name] = [stack.at(-2), stack.at(-1)];
    const lines = this.#skip(code);
    if (lines === null) return false;
    const [take, put] = effect;
    if (take === 'm') {
      const mark = stack.lastIndexOf(MARK);
      if (mark < (put === '^' ? 1 : 0)) return false;
      stack.length = mark;
    } else if (take > 0) {
      // POP alone may take a mark.
      if (stack.length < take || (code !== POP && stack.slice(-take).includes(MARK))) return false;
      stack.length -= take;
    }
    if (put !== '' && put !== '^') stack.push(SLOTS[put] ?? { text: this.#text });
    if (code === STACK_GLOBAL) return this.#importFrom(module, name);
    if (code !== GLOBAL && code !== INST) return true;
    return lines.every((line) => MODULE.test(line)) && this.#import(lines.join(' '));
  }

  #import(name: string): true {
    // Names of strangers go into messages.
    const shown = name.replace(/[^ -~]/g, (c) => `\\u{${c.charCodeAt(0).toString(16)}}`);
    if (this.#names.size < MAX_NAMES) this.#names.add(shown);
    return true;
  }

  /** Python takes only strings there. What is an object here may be one by then, if something was imported to make it. */
  #importFrom(module: Slot | undefined, name: Slot | undefined): boolean {
    const strings = typeof module === 'object' && typeof name === 'object';
    if (!strings) return this.#names.size > 0 && this.#import(COMPUTED);
    const known = module.text !== null && name.text !== null;
    return this.#import(known ? `${module.text} ${name.text}` : COMPUTED);
  }

  /** Steps over what follows the opcode; the lines of it, or null. */
  #skip(code: number): string[] | null {
    const width = LENGTH.get(code);
    const size = width === undefined ? (ARGUMENT.get(code) ?? 0) : this.#number(width);
    if (!(size <= this.#source.size - this.#at)) return null;
    this.#text = width === undefined || size > MAX_NAME ? null : this.#string(size);
    this.#at += size;
    const lines: string[] = [];
    for (let i = 0; i < (LINES.get(code) ?? 0); i++) {
      const line = this.#line();
      if (line === null) return null;
      lines.push(line);
    }
    const [line] = lines;
    if (line === undefined) return lines;
    const opcode = String.fromCharCode(code);
    if ('FIL'.includes(opcode) && !NUMBER_LINE.test(line)) return null;
    if (opcode === 'S' && !STRING_LINE.test(line)) return null;
    // What is escaped is a name that nobody writes so.
    if (!line.includes('\\')) this.#text = opcode === 'S' ? line.slice(1, -1) : line;
    return lines;
  }

  #string(size: number): string {
    let text = '';
    for (let i = 0; i < size; i++) text += String.fromCharCode(this.#byte());
    this.#at -= size;
    return Buffer.from(text, 'latin1').toString('utf8');
  }

  #memoize(code: number): boolean {
    const top = this.#stack.at(-1);
    if (code === MEMOIZE || code === DUP || PUTS.has(code)) {
      if (top === undefined || top === MARK) return false;
      if (code === DUP) this.#stack.push(top);
      else this.#memo.set(code === MEMOIZE ? this.#memo.size : this.#key(PUTS.get(code)!), top);
      return true;
    }
    const slot = this.#memo.get(this.#key(GETS.get(code)!));
    if (slot === undefined) return false;
    this.#stack.push(slot);
    return true;
  }

  #key(width: number): number {
    return width === 0 ? Number(this.#line() ?? Number.NaN) : this.#number(width);
  }

  /** NaN past the end. */
  #byte(): number {
    const at = this.#at++;
    if (at >= this.#source.size) return Number.NaN;
    if (at < this.#windowAt || at >= this.#windowAt + this.#window.length) {
      this.#window = this.#source.read(at, Math.min(WINDOW, this.#source.size - at));
      this.#windowAt = at;
    }
    return this.#window[at - this.#windowAt]!;
  }

  #number(width: number): number {
    let value = 0;
    for (let i = 0; i < width; i++) value += this.#byte() * 256 ** i;
    return value;
  }

  #line(): string | null {
    let line = '';
    for (let i = 0; i < MAX_LINE; i++) {
      const c = this.#byte();
      if (c === 0x0a) return line;
      if (Number.isNaN(c)) return null;
      line += String.fromCharCode(c);
    }
    return null;
  }
}
