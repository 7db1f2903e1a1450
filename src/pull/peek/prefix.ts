// The beginning of a file, before the rest has come: strict readers of headers run on it as on a whole file. What begins where nothing
// is yet reads as zeros, so a reader can plan here and can refuse; that a file passes is said only of all its bytes.

import { inTurns } from '../../runtime/turn.ts';
import { readLayout } from '../../scan/format/format.ts';
import type { ByteSource, Format, Layout, Unreadable } from '../../scan/format/layout.ts';

/** A reader needs more of the beginning than there is. */
class NeedMore extends Error {
  readonly end: number;

  constructor(end: number) {
    super(`${end} bytes are needed`);
    this.end = end;
  }
}

class Prefix implements ByteSource {
  readonly size: number;
  /** As ModelFile counts what readers were given from the beginning on, without a gap. */
  parsed = 0;
  readonly #bytes: Uint8Array;

  constructor(bytes: Uint8Array, size: number) {
    this.#bytes = bytes;
    this.size = size;
  }

  read(start: number, size: number): Uint8Array {
    if (start + size <= this.#bytes.length) {
      if (start === this.parsed) this.parsed += size;
      return this.#bytes.subarray(start, start + size);
    }
    if (start < this.#bytes.length) throw new NeedMore(start + size);
    return new Uint8Array(size);
  }
}

/** A header, and how many bytes of it the readers were given. */
interface Early {
  readonly header: Layout | Unreadable;
  readonly parsed: number;
}

/** Of a file of `size` bytes that begins with these. A number: how many it takes to say more, at least twice as many as there are. */
export async function earlyLayout(format: Format, bytes: Uint8Array, size: number): Promise<Early | number> {
  const prefix = new Prefix(bytes, size);
  try {
    const header = await inTurns(readLayout(format, prefix));
    return { header, parsed: prefix.parsed };
  } catch (error) {
    if (error instanceof NeedMore) return Math.min(size, Math.max(error.end, 2 * bytes.length));
    throw error;
  }
}
