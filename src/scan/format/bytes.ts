// The bytes of a header of unknown length: a little-endian cursor over a prefix of the file that grows as it is read.
// Lengths in a file are claims. Each is compared with the bytes that remain before it is used or added to anything
// (`n > remaining`): `offset + n` wraps in readers that use fixed-width integers (CVE-2025-53630).
import { isUtf8 } from 'node:buffer';
import { Fault } from '../../document/violations.ts';
import type { ByteSource } from './layout.ts';

const FIRST_READ = 65_536;
const NONE = new Uint8Array(0);

interface Text {
  readonly value: string;
  /** false: the bytes are not UTF-8, and `value` has U+FFFD where they are not. */
  readonly valid: boolean;
  /** Bytes. */
  readonly size: number;
}

export class Cursor {
  readonly #source: ByteSource;
  readonly #limit: number;
  #bytes: Buffer = Buffer.from(NONE);
  #view = new DataView(NONE.buffer);
  #at = 0;

  /** @param limit most bytes a header may take; beyond it reading ends with header/limit. */
  constructor(source: ByteSource, limit: number) {
    this.#source = source;
    this.#limit = limit;
  }

  /** Absolute position of the next byte. */
  get at(): number {
    return this.#at;
  }

  get remaining(): number {
    return this.#source.size - this.#at;
  }

  // #take may replace #bytes and #view: each reader takes first, then looks.

  u8(): number {
    const at = this.#take(1);
    return this.#bytes[at]!;
  }

  i8(): number {
    const at = this.#take(1);
    return this.#view.getInt8(at);
  }

  u16(): number {
    const at = this.#take(2);
    return this.#view.getUint16(at, true);
  }

  i16(): number {
    const at = this.#take(2);
    return this.#view.getInt16(at, true);
  }

  u32(): number {
    const at = this.#take(4);
    return this.#view.getUint32(at, true);
  }

  i32(): number {
    const at = this.#take(4);
    return this.#view.getInt32(at, true);
  }

  u64(): bigint {
    const at = this.#take(8);
    return this.#view.getBigUint64(at, true);
  }

  i64(): bigint {
    const at = this.#take(8);
    return this.#view.getBigInt64(at, true);
  }

  f32(): number {
    const at = this.#take(4);
    return this.#view.getFloat32(at, true);
  }

  f64(): number {
    const at = this.#take(8);
    return this.#view.getFloat64(at, true);
  }

  /** A u64 that says how many things follow, each at least `size` bytes. */
  count(size: number, what: string): number {
    const offset = this.#at;
    const count = this.u64();
    this.expectRoom(count, size, what, offset);
    return Number(count);
  }

  /** So many things of at least `size` bytes must fit the rest of the file; `offset` is where the count stands. */
  expectRoom(count: bigint | number, size: number, what: string, offset: number): void {
    const most = Math.floor(this.remaining / size);
    if (count <= most) return;
    throw new Fault(
      'header/count',
      `${count} ${what} are declared, the rest of the file could hold ${most}`,
      {
        offset,
        expected: `at most ${most}`,
        actual: String(count),
      },
    );
  }

  /** A string: u64 length, then bytes that should be UTF-8. */
  string(): Text {
    const offset = this.#at;
    const length = this.u64();
    if (length > BigInt(this.remaining)) {
      throw new Fault('header/truncated', `a string of ${length} bytes runs past the end of the file`, {
        offset,
        expected: `at most ${this.remaining}`,
        actual: String(length),
      });
    }
    const start = this.#take(Number(length));
    const value = this.#bytes.toString('utf8', start, this.#at);
    const valid = !value.includes('\uFFFD') || isUtf8(this.#bytes.subarray(start, this.#at));
    return { value, valid, size: this.#at - start };
  }

  /** Steps over `size` bytes and returns where they start. */
  #take(size: number): number {
    const start = this.#at;
    if (size > this.remaining) {
      throw new Fault('header/truncated', `the file ends at ${this.#source.size}, inside the header`, {
        offset: start,
        expected: `${size} bytes`,
        actual: `${this.remaining} bytes`,
      });
    }
    if (size > this.#limit - start) {
      throw new Fault('header/limit', `the header is longer than ${this.#limit} bytes`, { offset: start });
    }
    this.#at = start + size;
    if (this.#at > this.#bytes.length) this.#grow();
    return start;
  }

  #grow(): void {
    const held = this.#bytes.length;
    const size = Math.min(Math.max(FIRST_READ, 2 * held, this.#at), this.#limit, this.#source.size);
    const bytes = Buffer.allocUnsafeSlow(size);
    bytes.set(this.#bytes);
    bytes.set(this.#source.read(held, size - held), held);
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, size);
  }
}
