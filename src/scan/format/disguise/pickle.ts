// Follows a Python pickle opcode by opcode, without running anything. Loading a pickle runs what it imports, so a file that is
// a weight file and a pickle is an attack; its first bytes decide. A pickle needs no header: the length bytes of a
// safetensors file can be an opcode that steps over everything up to bytes of the attacker's choice.
import type { ByteSource } from '../layout.ts';

interface Pickle {
  /** The first thing it imports, as 'module name'; null: data only. */
  readonly imports: string | null;
  /** Whether it came to its STOP. */
  readonly complete: boolean;
  /** Bytes followed. */
  readonly size: number;
}

/** null: not a pickle, or one that fails before it imports anything. Followed for so many opcodes. */
export function followPickle(source: ByteSource, start = 0, most = MAX_OPCODES): Pickle | null {
  return new Walk(source, start).follow(most);
}

const MAX_OPCODES = 5000;
const MAX_LINE = 1024;
const WINDOW = 4096;

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

class Walk {
  readonly #source: ByteSource;
  readonly #start: number;
  readonly #stack: string[] = [];
  readonly #memo = new Map<number, string>();
  #at: number;
  #window: Uint8Array = new Uint8Array(0);
  #windowAt = 0;

  constructor(source: ByteSource, start: number) {
    this.#source = source;
    this.#start = start;
    this.#at = start;
  }

  follow(most: number): Pickle | null {
    let imports: string | null = null;
    for (let i = 0; i < most; i++) {
      const code = this.#byte();
      const ends = code === STOP && this.#stack.length > 0;
      const imported = ends ? '' : this.#step(code);
      if (ends || imported === null) {
        // One that fails has imported, and may have called, what stood before the failure.
        if (!ends && imports === null) return null;
        return { imports, complete: ends, size: this.#at - this.#start };
      }
      if (imported !== '') imports ??= imported;
    }
    return { imports, complete: false, size: this.#at - this.#start };
  }

  /** null: this is no pickle. Otherwise what the opcode imports, mostly ''. */
  #step(code: number): string | null {
    const stack = this.#stack;
    if (PUTS.has(code) || GETS.has(code) || code === MEMOIZE || code === DUP) return this.#memoize(code);
    const effect = EFFECT.get(code);
    if (effect === undefined) return null;
    const strings = stack.at(-1) === 's' && stack.at(-2) === 's';
    const lines = this.#skip(code);
    if (lines === null) return null;
    const [take, put] = effect;
    if (take === 'm') {
      const mark = stack.lastIndexOf('(');
      if (mark < (put === '^' ? 1 : 0)) return null;
      stack.length = mark;
    } else {
      // POP alone may take a mark.
      const taken = stack.slice(-take);
      if (stack.length < take || (take > 0 && code !== POP && taken.includes('('))) return null;
      stack.length -= take;
    }
    if (put !== '' && put !== '^') stack.push(put);
    if (code === STACK_GLOBAL) return strings ? 'a name from its stack' : null;
    if (code !== GLOBAL && code !== INST) return '';
    return lines.every((line) => MODULE.test(line)) ? lines.join(' ') : null;
  }

  /** Steps over what follows the opcode; the lines of it, or null. */
  #skip(code: number): string[] | null {
    const width = LENGTH.get(code);
    const size = width === undefined ? (ARGUMENT.get(code) ?? 0) : this.#number(width);
    if (!(size <= this.#source.size - this.#at)) return null;
    this.#at += size;
    const lines: string[] = [];
    for (let i = 0; i < (LINES.get(code) ?? 0); i++) {
      const line = this.#line();
      if (line === null) return null;
      lines.push(line);
    }
    const [line] = lines;
    if (line === undefined) return lines;
    if ('FIL'.includes(String.fromCharCode(code)) && !NUMBER_LINE.test(line)) return null;
    return String.fromCharCode(code) === 'S' && !STRING_LINE.test(line) ? null : lines;
  }

  #memoize(code: number): '' | null {
    const top = this.#stack.at(-1);
    if (code === MEMOIZE || code === DUP || PUTS.has(code)) {
      if (top === undefined || top === '(') return null;
      if (code === DUP) this.#stack.push(top);
      else this.#memo.set(code === MEMOIZE ? this.#memo.size : this.#key(PUTS.get(code)!), top);
      return '';
    }
    const kind = this.#memo.get(this.#key(GETS.get(code)!));
    if (kind === undefined) return null;
    this.#stack.push(kind);
    return '';
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
