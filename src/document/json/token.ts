// The tokens of strict JSON: strings and numbers checked byte by byte, without a value being made of each. What is stricter
// than RFC 8259 here: bytes are UTF-8, surrogates come in pairs (parsers replace, keep or refuse a lone one, so a name
// differs between them), and an integer is told from a number that two parsers may round to two integers.
import { isUtf8 } from 'node:buffer';
import { Fault } from '../violations.ts';

export const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const SPACE = 0x20;
const BLOCK = 65_536;
const NUMBER = /^-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?$/;
const LITERALS = ['true', 'false', 'null'];

export class JsonTokens {
  readonly #bytes: Buffer;
  readonly #base: number;
  #at = 0;
  // The last string token, without its quotes.
  #start = 0;
  #end = 0;
  #escaped = false;
  #ascii = true;

  /** @param base absolute position of the first byte, for offsets in faults. */
  constructor(bytes: Uint8Array, base: number) {
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
    this.#base = base;
    if (!isUtf8(bytes)) {
      throw new Fault('header/utf8', 'the header is not UTF-8', { offset: base + validPrefix(bytes) });
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

  /** Position of the next byte that differs from this one, or of the end. */
  firstNot(byte: number): number {
    let at = this.#at;
    while (this.#bytes[at] === byte) at++;
    return this.#base + at;
  }

  /** Checks a string token; `text` and `is` then speak of it. */
  readString(): void {
    if (this.peek() !== QUOTE) this.fail('a string is missing');
    const bytes = this.#bytes;
    let at = this.#at + 1;
    this.#start = at;
    this.#escaped = false;
    this.#ascii = true;
    for (;;) {
      const c = bytes[at];
      if (c === QUOTE) break;
      if (c === undefined) this.fail('a string does not end', this.#start - 1);
      if (c < SPACE) this.fail('a control character stands in a string', at);
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
    if (at === start) this.fail('a number is missing');
    if (bytes[start] === 0x30 && at - start > 1) return Number.NaN;
    // Every integer up to 2^53 is exact while it is summed up; whatever is larger only grows.
    return value > Number.MAX_SAFE_INTEGER ? Number.POSITIVE_INFINITY : value;
  }

  /** Steps over a number, true, false or null. */
  protected skipScalar(): void {
    const c = this.peek();
    if (isNumberByte(c)) {
      const start = this.#at;
      this.#oddNumber();
      const text = this.#bytes.toString('latin1', start, this.#at);
      if (!NUMBER.test(text)) this.fail('a number is malformed', start);
      return;
    }
    const word = LITERALS.find((w) => this.#bytes.toString('latin1', this.#at, this.#at + w.length) === w);
    if (word === undefined) this.fail('a value is missing');
    this.#at += word.length;
  }

  /** Steps over one byte, which was peeked at. */
  protected advance(): void {
    this.#at++;
  }

  protected fail(message: string, at = this.#at): never {
    throw new Fault('header/json', message, { offset: this.#base + at });
  }

  /** Checks the escape at `at` and returns the position after it. */
  #escape(at: number): number {
    const c = this.#bytes[at + 1];
    if (c !== 0x75) {
      if (c === undefined || !'"\\/bfnrt'.includes(String.fromCharCode(c)))
        this.fail('an escape is malformed', at);
      return at + 2;
    }
    const unit = this.#codeUnit(at);
    if (unit < 0xd800 || unit > 0xdfff) return at + 6;
    if (unit > 0xdbff || this.#bytes[at + 6] !== BACKSLASH || this.#bytes[at + 7] !== 0x75) this.#lone(at);
    const low = this.#codeUnit(at + 6);
    if (low < 0xdc00 || low > 0xdfff) this.#lone(at);
    return at + 12;
  }

  #codeUnit(at: number): number {
    const hex = this.#bytes.toString('latin1', at + 2, at + 6);
    if (!/^[0-9a-fA-F]{4}$/.test(hex)) this.fail('an escape is malformed', at);
    return Number.parseInt(hex, 16);
  }

  #oddNumber(): number {
    while (isNumberByte(this.#bytes[this.#at])) this.#at++;
    return Number.NaN;
  }

  #lone(at: number): never {
    throw new Fault('header/surrogate', 'half a surrogate pair is escaped', { offset: this.#base + at });
  }
}

/** A byte that continues a number: digit, sign, point or exponent. */
export function isNumberByte(c: number | undefined): boolean {
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
