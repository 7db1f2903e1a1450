// The key-values of a GGUF header (ggml docs/gguf.md): 13 types of value, and arrays of them. A key decides what a loader
// does, so keys are held to the letter: ggml looks them up as C strings, and `tokenizer.chat_template\0x` before
// `tokenizer.chat_template` shows one template to a scanner and runs another.

import { Fault, quoted, type Violations } from '../../../document/violations.ts';
import type { Pieces } from '../../../runtime/turn.ts';
import type { Cursor } from '../bytes.ts';
import type { MetadataArray, MetadataEntry, MetadataValue } from '../layout.ts';

interface ValueType {
  readonly name: string;
  /** Least bytes a value takes. */
  readonly size: number;
  /** null: an array, which is read in pieces. */
  readonly read: ((reader: MetadataReader) => MetadataValue) | null;
}

// By number (enum gguf_type).
const TYPES: readonly ValueType[] = [
  { name: 'u8', size: 1, read: (reader) => reader.cursor.u8() },
  { name: 'i8', size: 1, read: (reader) => reader.cursor.i8() },
  { name: 'u16', size: 2, read: (reader) => reader.cursor.u16() },
  { name: 'i16', size: 2, read: (reader) => reader.cursor.i16() },
  { name: 'u32', size: 4, read: (reader) => reader.cursor.u32() },
  { name: 'i32', size: 4, read: (reader) => reader.cursor.i32() },
  { name: 'f32', size: 4, read: (reader) => reader.cursor.f32() },
  { name: 'bool', size: 1, read: (reader) => reader.readBool() },
  { name: 'string', size: 8, read: (reader) => reader.readString() },
  { name: 'array', size: 12, read: null },
  { name: 'u64', size: 8, read: (reader) => safe(reader.cursor.u64()) },
  { name: 'i64', size: 8, read: (reader) => safe(reader.cursor.i64()) },
  { name: 'f64', size: 8, read: (reader) => reader.cursor.f64() },
];

const MAX_KEY = 65_535; // ggml docs/gguf.md, "Must be at most 2^16-1 bytes long"
const MAX_DEPTH = 4;
const PIECE = 10_000; // elements
/** Elements in all arrays together: the largest vocabularies have a few hundred thousand. */
const MAX_ITEMS = 4_194_304;
const PRINTABLE = /^[\x21-\x7e]*$/;

export class MetadataReader {
  readonly cursor: Cursor;
  readonly #violations: Violations;
  readonly #keys = new Set<string>();
  #key = '';
  #depth = 0;
  #items = 0;

  constructor(cursor: Cursor, violations: Violations) {
    this.cursor = cursor;
    this.#violations = violations;
  }

  *read(): Pieces<MetadataEntry> {
    this.#readKey();
    const type = this.#readType();
    const start = this.cursor.at;
    const value = type.read === null ? yield* this.#readArray() : type.read(this);
    return { key: this.#key, type: type.name, value, start, end: this.cursor.at };
  }

  #readKey(): void {
    const offset = this.cursor.at;
    const { value: key, valid, size } = this.cursor.string();
    this.#key = key;
    const place = { offset };
    if (!valid) this.#violations.report('header/utf8', `the key ${quoted(key)} is not UTF-8`, place);
    else if (key.includes('\0'))
      this.#violations.report('gguf/nul', `the key ${quoted(key)} holds a NUL`, place);
    else if (!PRINTABLE.test(key)) {
      this.#violations.report('gguf/key-charset', `the key ${quoted(key)} is not plain ASCII`, place);
    }
    if (size === 0 || size > MAX_KEY) {
      this.#violations.report('gguf/key-length', `a key has ${size} bytes`, {
        ...place,
        expected: `1 to ${MAX_KEY}`,
      });
    }
    if (this.#keys.has(key)) {
      this.#violations.report('header/duplicate-key', `the key ${quoted(key)} occurs twice`, place);
    }
    this.#keys.add(key);
  }

  #readType(): ValueType {
    const offset = this.cursor.at;
    const id = this.cursor.u32();
    const type = TYPES[id];
    if (type !== undefined) return type;
    throw new Fault(
      'gguf/value-type',
      `${quoted(this.#key)} has a value of type ${id}, which does not exist`,
      {
        offset,
        expected: `0 to ${TYPES.length - 1}`,
        actual: String(id),
      },
    );
  }

  readBool(): boolean {
    const offset = this.cursor.at;
    const byte = this.cursor.u8();
    if (byte > 1) {
      this.#violations.report('gguf/bool', `${quoted(this.#key)} has a bool that is ${byte}`, {
        offset,
        expected: '0 or 1',
        actual: String(byte),
      });
    }
    return byte !== 0;
  }

  readString(): string {
    const offset = this.cursor.at;
    const { value, valid } = this.cursor.string();
    if (!valid) this.#violations.report('gguf/value-utf8', `${quoted(this.#key)} is not UTF-8`, { offset });
    // Inside an array a NUL is a token like any other.
    if (this.#depth === 0 && value.includes('\0')) {
      this.#violations.report('gguf/value-nul', `${quoted(this.#key)} goes on after a NUL`, { offset });
    }
    return value;
  }

  *#readArray(): Pieces<MetadataArray> {
    const offset = this.cursor.at;
    const type = this.#readType();
    if (type.read === null && this.#depth === 0) {
      this.#violations.report('gguf/nested-array', `${quoted(this.#key)} is an array of arrays`, { offset });
    }
    const count = this.cursor.count(type.size, 'array elements');
    this.#items += count;
    if (this.#items > MAX_ITEMS) this.#exceed(`the arrays have more than ${MAX_ITEMS} elements`, offset);
    if (++this.#depth > MAX_DEPTH) this.#exceed(`arrays are nested more than ${MAX_DEPTH} deep`, offset);
    const items: MetadataValue[] = [];
    for (let i = 0; i < count; i++) {
      items.push(type.read === null ? yield* this.#readArray() : type.read(this));
      if (i % PIECE === PIECE - 1) yield;
    }
    this.#depth--;
    return { elementType: type.name, items };
  }

  #exceed(message: string, offset: number): never {
    throw new Fault('header/limit', `${quoted(this.#key)}: ${message}`, { offset });
  }
}

function safe(value: bigint): number | bigint {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
}
