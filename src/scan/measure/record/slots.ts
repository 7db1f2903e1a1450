// What native code hands over: one array of 64-bit slots, read in the order in which it was written.
import { SteelyardError } from '../../../rules/error.ts';

/** A cursor over 64-bit slots: doubles, or 64 raw bits. */
export class Slots {
  readonly #floats: Float64Array;
  readonly #bits: BigUint64Array;
  readonly #bytes: Buffer;
  readonly #last: number[] = [];
  #next = 0;

  constructor(record: ArrayBuffer) {
    this.#floats = new Float64Array(record);
    this.#bits = new BigUint64Array(record);
    this.#bytes = Buffer.from(record);
  }

  number(): number {
    const value = this.#floats[this.#next++];
    if (value === undefined) throw new SteelyardError('INTERNAL', 'the native record ends too early');
    return value;
  }

  /** A whole number. As an element of doubles it would stay one, boxed for itself: of 100,000 tensors a million objects. */
  count(): number {
    const value = this.number();
    const small = value | 0;
    return small === value ? small : value;
  }

  numbers(count: number): number[] {
    // Copied from an array that grows: one that grew itself leaves a fifth of the heap unused after 100,000 small tensors, and
    // one that is made with its length counts as one with holes, for which JSON.stringify takes half as long again.
    for (let i = 0; i < count; i++) this.#last[i] = this.number();
    return this.#last.slice(0, count);
  }

  floats(count: number): Float64Array {
    const values = this.#floats.subarray(this.#next, this.#next + count);
    this.#next += count;
    return values;
  }

  bits(): bigint {
    return this.#bits[this.#next++]!;
  }

  /** What is no finite number is null. */
  finite(): number | null {
    const value = this.number();
    return Number.isFinite(value) ? value : null;
  }

  /** NaN stands for null. */
  nullable(): number | null {
    const value = this.number();
    return Number.isNaN(value) ? null : value;
  }

  nullables(count: number): (number | null)[] {
    return Array.from({ length: count }, () => this.nullable());
  }

  list(): number[] {
    return this.numbers(this.number());
  }

  digest(): string {
    const start = this.#next * 8;
    this.#next += 4;
    return `sha256:${this.#bytes.toString('hex', start, start + 32)}`;
  }

  /** A copy. */
  bytes(count: number): Uint8Array {
    const start = this.#next * 8;
    this.#next += count;
    return Uint8Array.from(this.#bytes.subarray(start, this.#next * 8));
  }

  base64(count: number): string {
    const start = this.#next * 8;
    this.#next += count;
    return this.#bytes.toString('base64', start, this.#next * 8);
  }

  /** A minimum, maximum or magnitude: 64-bit integers come whole, so that none is rounded. */
  extreme(dtype: string, unsigned: boolean): number | string {
    if (dtype !== 'I64' && dtype !== 'U64') return this.number() + 0; // + 0: no sign on zero
    const bits = this.#bits[this.#next++]!;
    const value = unsigned || dtype === 'U64' ? bits : BigInt.asIntN(64, bits);
    const number = Number(value);
    return Number.isSafeInteger(number) ? number : value.toString();
  }

  get ended(): boolean {
    return this.#next === this.#floats.length;
  }

  assertEnd(): void {
    if (!this.ended) {
      throw new SteelyardError(
        'INTERNAL',
        `the native record has ${this.#floats.length - this.#next} slots too many`,
      );
    }
  }
}
