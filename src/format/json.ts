// A strict pull reader for JSON bytes. It builds nothing: the caller asks for one token at a time, so a 100 MB header
// costs what the caller keeps. Stricter than RFC 8259 wherever two parsers could read two things: keys are unique after
// unescaping (JSON.parse and the Rust reference keep the last), surrogates come in pairs, integers fit 2^53.
import { isUtf8 } from 'node:buffer';
import { Fault, quoted, type Violations } from './violations.ts';

// The kinds of value, by the byte that begins them.
export const QUOTE = 0x22;
export const BRACE = 0x7b;
export const BRACKET = 0x5b;
export const NUMERIC = 0x30;
const COMMA = 0x2c;
const COLON = 0x3a;
const BACKSLASH = 0x5c;
const END_BRACE = 0x7d;
const END_BRACKET = 0x5d;
const SPACE = 0x20;
const BLOCK = 65_536;

const MAX_DEPTH = 64;
const MAX_SKIPPED_KEYS = 100_000;
const NUMBER = /^-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?$/;
const LITERALS = ['true', 'false', 'null'];

export class JsonReader {
  readonly #bytes: Buffer;
  readonly #base: number;
  readonly #violations: Violations;
  #at = 0;
  #depth = 0;
  /** Just inside a bracket: no comma is due yet. */
  #fresh = false;
  // The last string token, without its quotes.
  #start = 0;
  #end = 0;
  #escaped = false;
  #ascii = true;

  /** @param base absolute position of the first byte, for offsets in faults. */
  constructor(bytes: Uint8Array, base: number, violations: Violations) {
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
    this.#base = base;
    this.#violations = violations;
    if (!isUtf8(bytes)) {
      throw new Fault('header/utf8', 'the header is not UTF-8', { offset: base + validPrefix(this.#bytes) });
    }
  }

  /** Absolute position of the next unread byte. */
  get at(): number {
    return this.#base + this.#at;
  }

  /** Absolute position of the last string token's opening quote. */
  get textAt(): number {
    return this.#base + this.#start - 1;
  }

  /** The next byte that is not whitespace, unread; NaN at the end. */
  peek(): number {
    let at = this.#at;
    let c = this.#bytes[at];
    while (c === SPACE || c === 0x0a || c === 0x0d || c === 0x09) c = this.#bytes[++at];
    this.#at = at;
    return c ?? Number.NaN;
  }

  /** Whether the next value is of a kind; if not, says so and steps over it. */
  expect(kind: number, what: string, owner: 'tensor' | 'metadata', name: string): boolean {
    const c = this.peek();
    if (c === kind || (kind === NUMERIC && isNumberByte(c))) return true;
    const offset = this.at;
    this.skip();
    this.#violations.report('header/type', `${owner} ${quoted(name)}: ${what} is expected`, {
      offset,
      ...(owner === 'tensor' ? { tensor: name } : {}),
    });
    return false;
  }

  /** Position of the next byte that differs from this one, or of the end. */
  firstNot(byte: number): number {
    let at = this.#at;
    while (this.#bytes[at] === byte) at++;
    return this.#base + at;
  }

  enterObject(): void {
    this.#enter(BRACE, 'an object');
  }

  enterArray(): void {
    this.#enter(BRACKET, 'an array');
  }

  /** Reads the next key and its colon; false at the end of the object. */
  nextKey(): boolean {
    if (!this.#next(END_BRACE)) return false;
    this.readString();
    if (this.peek() !== COLON) this.#fail("':' is missing after a key");
    this.#at++;
    return true;
  }

  /** Moves to the array's next item; false at its end. */
  nextItem(): boolean {
    return this.#next(END_BRACKET);
  }

  /** Checks a string token; `text` and `is` then speak of it. */
  readString(): void {
    if (this.peek() !== QUOTE) this.#fail('a string is missing');
    const bytes = this.#bytes;
    let at = this.#at + 1;
    this.#start = at;
    this.#escaped = false;
    this.#ascii = true;
    for (;;) {
      const c = bytes[at];
      if (c === QUOTE) break;
      if (c === undefined) this.#fail('a string does not end', this.#start - 1);
      if (c < SPACE) this.#fail('a control character stands in a string', at);
      if (c === BACKSLASH) {
        this.#escaped = true;
        at = this.#escape(at);
      } else {
        if (c > 0x7f) this.#ascii = false;
        at++;
      }
    }
    this.#end = at;
    this.#at = at + 1;
  }

  /** The last string token, unescaped. */
  text(): string {
    if (this.#escaped)
      return JSON.parse(this.#bytes.toString('utf8', this.#start - 1, this.#end + 1)) as string;
    return this.#bytes.toString(this.#ascii ? 'latin1' : 'utf8', this.#start, this.#end);
  }

  /** Whether the last string token is this ASCII word; makes no string of it. */
  is(word: string): boolean {
    if (this.#escaped) return this.text() === word;
    const start = this.#start;
    if (this.#end - start !== word.length) return false;
    for (let i = 0; i < word.length; i++) if (this.#bytes[start + i] !== word.charCodeAt(i)) return false;
    return true;
  }

  /** A number token. NaN: not a plain non-negative integer (4.0, 4e0, -0, 04); Infinity: above 2^53 - 1. */
  readInteger(): number {
    this.peek();
    const bytes = this.#bytes;
    const start = this.#at;
    let at = start;
    let value = 0;
    let c = bytes[at];
    for (; c !== undefined && c >= 0x30 && c <= 0x39; c = bytes[++at]) value = value * 10 + (c - 0x30);
    this.#at = at;
    if (isNumberByte(c)) return this.#oddNumber();
    if (at === start) this.#fail('a number is missing');
    if (bytes[start] === 0x30 && at - start > 1) return Number.NaN;
    // Every integer up to 2^53 is exact while it is summed up; whatever is larger only grows.
    return value > Number.MAX_SAFE_INTEGER ? Number.POSITIVE_INFINITY : value;
  }

  /** Steps over any value, just as strictly. */
  skip(): void {
    const c = this.peek();
    if (c === QUOTE) this.readString();
    else if (c === BRACE) this.#skipObject();
    else if (c === BRACKET) {
      this.enterArray();
      while (this.nextItem()) this.skip();
    } else if (isNumberByte(c)) {
      const start = this.#at;
      this.#oddNumber();
      if (!NUMBER.test(this.#bytes.toString('latin1', start, this.#at)))
        this.#fail('a number is malformed', start);
    } else {
      const word = LITERALS.find((w) => this.#bytes.toString('latin1', this.#at, this.#at + w.length) === w);
      if (word === undefined) this.#fail('a value is missing');
      this.#at += word.length;
    }
  }

  #skipObject(): void {
    const keys = new Set<string>();
    this.enterObject();
    while (this.nextKey()) {
      const key = this.text();
      if (keys.has(key)) this.reportDuplicate(key);
      else if (keys.size === MAX_SKIPPED_KEYS)
        this.#exceed(`an object has more than ${MAX_SKIPPED_KEYS} keys`);
      else keys.add(key);
      this.skip();
    }
  }

  /** The last string token is a key that this object already has. */
  reportDuplicate(key: string): void {
    this.#violations.report('header/duplicate-key', `the key ${quoted(key)} occurs twice in one object`, {
      offset: this.textAt,
    });
  }

  #enter(bracket: number, what: string): void {
    if (this.peek() !== bracket) this.#fail(`${what} is missing`);
    if (++this.#depth > MAX_DEPTH) this.#exceed(`values are nested more than ${MAX_DEPTH} deep`);
    this.#at++;
    this.#fresh = true;
  }

  #next(end: number): boolean {
    const c = this.peek();
    const fresh = this.#fresh;
    this.#fresh = false;
    if (c === end) {
      this.#at++;
      this.#depth--;
      return false;
    }
    if (fresh) return true;
    if (c !== COMMA) this.#fail(`',' or '${String.fromCharCode(end)}' is missing`);
    this.#at++;
    return true;
  }

  /** Checks the escape at `at` and returns the position after it. */
  #escape(at: number): number {
    const c = this.#bytes[at + 1];
    if (c !== 0x75) {
      if (c === undefined || !'"\\/bfnrt'.includes(String.fromCharCode(c)))
        this.#fail('an escape is malformed', at);
      return at + 2;
    }
    const unit = this.#codeUnit(at);
    if (unit < 0xd800 || unit > 0xdfff) return at + 6;
    // A lone surrogate has no UTF-8 form: parsers replace, keep or refuse it, so the name differs between them.
    if (unit > 0xdbff || this.#bytes[at + 6] !== BACKSLASH || this.#bytes[at + 7] !== 0x75) this.#lone(at);
    const low = this.#codeUnit(at + 6);
    if (low < 0xdc00 || low > 0xdfff) this.#lone(at);
    return at + 12;
  }

  #codeUnit(at: number): number {
    const hex = this.#bytes.toString('latin1', at + 2, at + 6);
    if (!/^[0-9a-fA-F]{4}$/.test(hex)) this.#fail('an escape is malformed', at);
    return Number.parseInt(hex, 16);
  }

  #oddNumber(): number {
    while (isNumberByte(this.#bytes[this.#at])) this.#at++;
    return Number.NaN;
  }

  #lone(at: number): never {
    throw new Fault('header/surrogate', 'half a surrogate pair is escaped', { offset: this.#base + at });
  }

  #exceed(message: string): never {
    throw new Fault('header/limit', message, { offset: this.at });
  }

  #fail(message: string, at = this.#at): never {
    throw new Fault('header/json', message, { offset: this.#base + at });
  }
}

/** A byte that continues a number: digit, sign, point or exponent. */
function isNumberByte(c: number | undefined): boolean {
  if (c === undefined) return false;
  return (c >= 0x30 && c <= 0x39) || c === 0x2d || c === 0x2b || c === 0x2e || c === 0x65 || c === 0x45;
}

/** How many leading bytes are UTF-8: whole blocks first, then the characters of the block that is not. */
function validPrefix(bytes: Uint8Array): number {
  let at = 0;
  for (;;) {
    let end = Math.min(at + BLOCK, bytes.length);
    for (let back = 0; back < 3 && isContinuation(bytes[end]); back++) end--;
    if (!isUtf8(bytes.subarray(at, end))) break;
    if (end === bytes.length) return end;
    at = end;
  }
  for (;;) {
    const c = bytes[at]!;
    const size = c < 0x80 ? 1 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;
    if (!isUtf8(bytes.subarray(at, at + size))) return at;
    at += size;
  }
}

function isContinuation(c: number | undefined): boolean {
  return c !== undefined && (c & 0xc0) === 0x80;
}
