// A strict pull reader for JSON bytes. It builds nothing: the caller asks for one token at a time, so a 100 MB header
// costs what the caller keeps. A key must be unique in its object after unescaping, also in objects that nobody asks for:
// JSON.parse and the reference implementation of safetensors keep the last of two, others the first.

import { Fault, quoted, type Violations } from '../violations.ts';
import { isNumberByte, JsonTokens, QUOTE } from './token.ts';

// The kinds of value, by the byte that begins them.
export { QUOTE };
export const BRACE = 0x7b;
export const BRACKET = 0x5b;
export const NUMERIC = 0x30;
const COMMA = 0x2c;
const COLON = 0x3a;
const END_BRACE = 0x7d;
const END_BRACKET = 0x5d;

const MAX_DEPTH = 64;
const MAX_SKIPPED_KEYS = 100_000;

export class JsonReader extends JsonTokens {
  readonly #violations: Violations;
  #depth = 0;
  /** Just inside a bracket: no comma is due yet. */
  #fresh = false;

  /** @param base absolute position of the first byte, for offsets in faults. */
  constructor(bytes: Uint8Array, base: number, violations: Violations) {
    super(bytes, base);
    this.#violations = violations;
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
    if (this.peek() !== COLON) this.fail("':' is missing after a key");
    this.advance();
    return true;
  }

  /** Moves to the array's next item; false at its end. */
  nextItem(): boolean {
    return this.#next(END_BRACKET);
  }

  /** Steps over any value, just as strictly. */
  skip(): void {
    const c = this.peek();
    if (c === QUOTE) this.readString();
    else if (c === BRACE) this.#skipObject();
    else if (c === BRACKET) {
      this.enterArray();
      while (this.nextItem()) this.skip();
    } else this.skipScalar();
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

  /** The key at `offset`, the last string token if not given, is one that this object already has. */
  reportDuplicate(key: string, offset = this.textAt): void {
    this.#violations.report('header/duplicate-key', `the key ${quoted(key)} occurs twice in one object`, {
      offset,
    });
  }

  #enter(bracket: number, what: string): void {
    if (this.peek() !== bracket) this.fail(`${what} is missing`);
    if (++this.#depth > MAX_DEPTH) this.#exceed(`values are nested more than ${MAX_DEPTH} deep`);
    this.advance();
    this.#fresh = true;
  }

  #next(end: number): boolean {
    const c = this.peek();
    const fresh = this.#fresh;
    this.#fresh = false;
    if (c === end) {
      this.advance();
      this.#depth--;
      return false;
    }
    if (fresh) return true;
    if (c !== COMMA) this.fail(`',' or '${String.fromCharCode(end)}' is missing`);
    this.advance();
    return true;
  }

  #exceed(message: string): never {
    throw new Fault('header/limit', message, { offset: this.at });
  }
}
