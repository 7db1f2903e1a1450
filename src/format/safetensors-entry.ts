// Reads one tensor of a safetensors header: {"dtype": "F32", "shape": [2, 3], "data_offsets": [0, 24]}, and nothing else
// in it: an unknown field is ignored by every loader, which makes it a place to carry things.
import { type DtypeInfo, safetensorsDtype } from '../dtype.ts';
import type { RuleId } from '../rules.ts';
import type { Span } from './coverage.ts';
import { extentOf } from './extent.ts';
import { BRACE, BRACKET, type JsonReader, NUMERIC, QUOTE } from './json.ts';
import type { TensorLayout } from './layout.ts';
import { quoted, type Violations } from './violations.ts';

/** A tensor, or of one that breaks a rule of its own, where its bytes are. */
export type Entry = Span | TensorLayout;

const MAX_RANK = 64; // what NumPy and PyTorch can hold
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
  #range: readonly number[] | null = null;

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
    this.#range = null;
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
        else if (bit === 2) this.#shape = this.#readIntegers(SHAPE, MAX_RANK);
        else this.#range = this.#readIntegers(OFFSETS, 2);
        continue;
      }
      const field = json.text();
      others ??= new Set();
      if (others.has(field)) json.reportDuplicate(field);
      others.add(field);
      this.#report('tensor/field-unknown', `has a field ${quoted(field)}`, json.textAt);
      json.skip();
    }
    FIELDS.forEach((field, i) => {
      if (!(seen & (1 << i))) this.#report('tensor/field-missing', `has no ${field}`, this.#at);
    });
    return this.#locate();
  }

  #readDtype(): void {
    const json = this.#json;
    this.#dtype = null;
    if (!this.#expect(QUOTE, 'a string')) return;
    json.readString();
    const name = json.text();
    const dtype = safetensorsDtype(name);
    this.#dtype = dtype ?? name;
    if (dtype !== undefined) return;
    this.#report(
      'tensor/dtype-unknown',
      `has dtype ${quoted(name)}, which the format does not have`,
      json.textAt,
    );
  }

  /** null: there is a violation. */
  #readIntegers(field: string, most: number): readonly number[] | null {
    const json = this.#json;
    if (!this.#expect(BRACKET, 'an array')) return null;
    const offset = json.at;
    const numbers: number[] = [];
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
        const unsafe = value === Number.POSITIVE_INFINITY;
        this.#report(
          unsafe ? 'header/integer-unsafe' : 'header/integer',
          unsafe
            ? `has an integer above 2^53 - 1 in ${field}`
            : `has a number in ${field} that is no plain integer`,
          at,
        );
      }
      if (++count <= most) numbers.push(value);
    }
    if (field === OFFSETS ? count !== 2 : count > most) {
      const rule = field === OFFSETS ? 'tensor/offsets' : 'tensor/rank';
      this.#report(
        rule,
        `has ${count} numbers in ${field}`,
        offset,
        `${field === OFFSETS ? '' : 'at most '}${most}`,
      );
      return null;
    }
    return valid ? numbers : null;
  }

  #locate(): Entry | null {
    const name = this.#name;
    if (this.#range === null) return null;
    const [begin, finish] = this.#range as [number, number];
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
    const span = { name, start: this.#dataStart + begin, end: this.#dataStart + finish };
    const dtype = this.#dtype;
    if (this.#shape === null || dtype === null) return span;
    const known = typeof dtype === 'string' ? null : dtype;
    const extent = extentOf(this.#shape, known ?? BYTES);
    if (extent === null) {
      this.#report('tensor/size-overflow', 'has a shape whose product overflows 64 bits', this.#at);
      return span;
    }
    if (known !== null && extent.count % known.blockCount !== 0) {
      this.#report(
        'tensor/partial-block',
        `has ${extent.count} elements of ${known.name}, which end inside a byte`,
        this.#at,
      );
      return span;
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
      return span;
    }
    // Another word than the file's: a safetensors dtype that calls itself Q4_0 is not ggml's.
    const word = known?.name ?? `safetensors:${dtype}`;
    return {
      name,
      dtype: word,
      shape: this.#shared(this.#shape),
      count: extent.count,
      start: span.start,
      end: span.end,
    };
  }

  /** Millions of tensors have a few hundred shapes: equal ones share one array. */
  #shared(shape: readonly number[]): readonly number[] {
    let hash = shape.length;
    for (const dim of shape) hash = (Math.imul(hash, 31) + dim) | 0;
    const known = this.#shapes.get(hash);
    if (known !== undefined && known.length === shape.length && known.every((dim, i) => dim === shape[i]))
      return known;
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
