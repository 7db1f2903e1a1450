// Reads one tensor of a safetensors header: {"dtype": "F32", "shape": [2, 3], "data_offsets": [0, 24]}, and nothing else
// in it: an unknown field is ignored by every loader, which makes it a place to carry things.

import { BRACE, BRACKET, type JsonReader, NUMERIC, QUOTE } from '../../../document/json/reader.ts';
import { quoted, type Violations } from '../../../document/violations.ts';
import type { RuleId } from '../../../rules/rules.ts';
import { type DtypeInfo, safetensorsDtype } from '../../dtype.ts';
import { extentOf } from '../extent.ts';
import type { Span } from '../gaps.ts';
import type { TensorLayout } from '../layout.ts';

/** A tensor, or of one that breaks a rule of its own, where its bytes are. */
export type Entry = Span | TensorLayout;

const MAX_RANK = 64; // NumPy 2, NPY_MAXDIMS
const DTYPE = 'dtype';
const SHAPE = 'shape';
const OFFSETS = 'data_offsets';
const FIELDS = [DTYPE, SHAPE, OFFSETS] as const;
const BYTES = { blockCount: 1, blockSize: 1 };

export class EntryReader {
  readonly #json: JsonReader;
  readonly #dataStart: number;
  readonly #fileSize: number;
  readonly #violations: Violations;
  readonly #shapes = new Map<number, readonly number[]>();
  #name = '';
  #at = 0;
  #dtype: DtypeInfo | string | null = null;
  #shape: readonly number[] | null = null;
  #ranged = false;
  #begin = 0;
  #finish = 0;
  #last: DtypeInfo | null = null;
  /** The integers of the last array: reused, because a header has millions of small arrays. */
  readonly #numbers: number[] = [];

  constructor(json: JsonReader, dataStart: number, fileSize: number, violations: Violations) {
    this.#json = json;
    this.#dataStart = dataStart;
    this.#fileSize = fileSize;
    this.#violations = violations;
  }

  /** Reads the value of the key just read. null: not even the tensor's place in the file is known. */
  read(name: string): Entry | null {
    const json = this.#json;
    this.#name = name;
    this.#at = json.textAt;
    this.#dtype = null;
    this.#shape = null;
    this.#ranged = false;
    if (!this.#expect(BRACE, 'an object')) return null;
    let seen = 0;
    let others: Set<string> | null = null;
    json.enterObject();
    while (json.nextKey()) {
      const bit = json.is(DTYPE) ? 1 : json.is(SHAPE) ? 2 : json.is(OFFSETS) ? 4 : 0;
      if (bit !== 0) {
        if (seen & bit) json.reportDuplicate(json.text());
        seen |= bit;
        if (bit === 1) this.#readDtype();
        else if (bit === 2) this.#readShape();
        else this.#readOffsets();
        continue;
      }
      const field = json.text();
      others ??= new Set();
      if (others.has(field)) json.reportDuplicate(field);
      others.add(field);
      this.#report('tensor/field-unknown', `has a field ${quoted(field)}`, json.textAt);
      json.skip();
    }
    if (seen !== 7) {
      const field = FIELDS[seen & 1 ? (seen & 2 ? 2 : 1) : 0];
      this.#report('tensor/field-missing', `has no ${field}`, this.#at);
    }
    return this.#locate();
  }

  #readDtype(): void {
    const json = this.#json;
    this.#dtype = null;
    if (!this.#expect(QUOTE, 'a string')) return;
    json.readString();
    // Neighbours mostly have one dtype: compared in place, it costs no string.
    if (!json.is(this.#last?.name ?? '')) {
      const name = json.text();
      const dtype = safetensorsDtype(name);
      if (dtype === undefined) {
        this.#report(
          'tensor/dtype-unknown',
          `has dtype ${quoted(name)}, which the format does not have`,
          json.textAt,
        );
        this.#dtype = name;
        return;
      }
      this.#last = dtype;
    }
    this.#dtype = this.#last;
  }

  #readShape(): void {
    this.#json.peek();
    const offset = this.#json.at;
    const count = this.#readIntegers(SHAPE, MAX_RANK);
    this.#shape = count === null ? null : this.#shared(count);
    if (count === null || count <= MAX_RANK) return;
    this.#shape = null;
    this.#report('tensor/rank', `has ${count} dimensions`, offset, `at most ${MAX_RANK}`, String(count));
  }

  #readOffsets(): void {
    this.#json.peek();
    const offset = this.#json.at;
    const count = this.#readIntegers(OFFSETS, 2);
    this.#ranged = count === 2;
    this.#begin = this.#numbers[0] ?? 0;
    this.#finish = this.#numbers[1] ?? 0;
    if (count === null || count === 2) return;
    this.#report('tensor/offsets', `has ${count} numbers in ${OFFSETS}`, offset, '2', String(count));
  }

  /** Reads an array of integers into #numbers, up to `most`, and returns how many there are. null: one is unusable. */
  #readIntegers(field: string, most: number): number | null {
    const json = this.#json;
    if (!this.#expect(BRACKET, 'an array')) return null;
    let valid = true;
    let count = 0;
    json.enterArray();
    while (json.nextItem()) {
      if (!this.#expect(NUMERIC, 'an integer')) {
        valid = false;
        continue;
      }
      const at = json.at;
      const value = json.readInteger();
      if (!Number.isFinite(value)) {
        valid = false;
        if (value > 0) this.#report('header/integer-unsafe', `has an integer above 2^53 - 1 in ${field}`, at);
        else this.#report('header/integer', `has a number in ${field} that is no plain integer`, at);
      }
      if (count < most) this.#numbers[count] = value;
      count++;
    }
    return valid ? count : null;
  }

  #locate(): Entry | null {
    const name = this.#name;
    if (!this.#ranged) return null;
    const begin = this.#begin;
    const finish = this.#finish;
    if (begin > finish) {
      this.#report('tensor/offsets', 'ends before it starts', this.#at, `at least ${begin}`, String(finish));
      return null;
    }
    const dataSize = this.#fileSize - this.#dataStart;
    if (finish > dataSize) {
      this.#report(
        'tensor/out-of-bounds',
        'runs past the end of the file',
        this.#at,
        `at most ${dataSize}`,
        String(finish),
      );
      return begin > dataSize ? null : { name, start: this.#dataStart + begin, end: this.#fileSize };
    }
    const start = this.#dataStart + begin;
    const end = this.#dataStart + finish;
    const dtype = this.#dtype;
    if (this.#shape === null || dtype === null) return { name, start, end };
    const known = typeof dtype === 'string' ? null : dtype;
    const extent = extentOf(this.#shape, known ?? BYTES);
    if (extent === null) {
      this.#report('tensor/size-overflow', 'has a shape whose product overflows 64 bits', this.#at);
      return { name, start, end };
    }
    if (known !== null && extent.count % known.blockCount !== 0) {
      this.#report(
        'tensor/partial-block',
        `has ${extent.count} elements of ${known.name}, which end inside a byte`,
        this.#at,
      );
      return { name, start, end };
    }
    const size = finish - begin;
    if (known !== null && extent.size !== size) {
      this.#report(
        'tensor/size-mismatch',
        'has data_offsets that do not fit its shape and dtype',
        this.#at,
        `${extent.size} bytes`,
        `${size} bytes`,
      );
      return { name, start, end };
    }
    // Another word than the file's: a safetensors dtype that calls itself Q4_0 is not ggml's.
    const word = known?.name ?? `safetensors:${dtype}`;
    return {
      name,
      dtype: word,
      shape: this.#shape,
      count: extent.count,
      start,
      end,
    };
  }

  /** The first `rank` numbers. Millions of tensors have a few hundred shapes: equal ones share one array. */
  #shared(rank: number): readonly number[] {
    const numbers = this.#numbers;
    let hash = rank;
    for (let i = 0; i < rank; i++) hash = (Math.imul(hash, 31) + numbers[i]!) | 0;
    const known = this.#shapes.get(hash);
    if (known !== undefined && startsWith(numbers, known, rank)) return known;
    const shape = numbers.slice(0, rank);
    this.#shapes.set(hash, shape);
    return shape;
  }

  #expect(kind: number, what: string): boolean {
    return this.#json.expect(kind, what, 'tensor', this.#name);
  }

  #report(rule: RuleId, message: string, offset: number, expected?: string, actual?: string): void {
    this.#violations.report(rule, `tensor ${quoted(this.#name)} ${message}`, {
      offset,
      tensor: this.#name,
      ...(expected === undefined ? {} : { expected }),
      ...(actual === undefined ? {} : { actual }),
    });
  }
}

function startsWith(numbers: readonly number[], shape: readonly number[], rank: number): boolean {
  if (shape.length !== rank) return false;
  for (let i = 0; i < rank; i++) if (numbers[i] !== shape[i]) return false;
  return true;
}
