// Bytes on their way to the native pass that are nowhere else: a ring of shared memory. Who fills it waits for who measures.
import { setTimeout } from 'node:timers/promises';
import type { FileMeasurement } from '../../scan/measure/options.ts';
import type { MeasurePool } from '../../scan/measure/thread/pool.ts';

const SIZE = 16 * 2 ** 20;
/** Native code cannot wake this thread. It takes more than ten times as long to measure what is in the ring. */
const LOOK_AGAIN = 2; // ms

export class Ring {
  readonly result: Promise<FileMeasurement | null>;
  readonly #pool: MeasurePool;
  readonly #index: number;
  readonly #bytes: Uint8Array;
  #written = 0;
  #ended = false;

  /** For one file of a pool; the descriptor says nothing of its content. */
  constructor(
    pool: MeasurePool,
    index: number,
    descriptor: number,
    size: number,
    ranges: Float64Array,
    length = SIZE,
  ) {
    this.#bytes = new Uint8Array(new SharedArrayBuffer(length));
    this.#pool = pool;
    this.#index = index;
    const end = (): void => {
      this.#ended = true;
    };
    this.result = pool.follow(index, descriptor, size, ranges, 'auto', this.#bytes);
    this.result.then(end, end);
  }

  /** Waits while the ring is full. After the pass has ended, early or not, nothing is taken any more. */
  async push(bytes: Uint8Array): Promise<void> {
    for (let done = 0; done < bytes.length && !this.#ended; ) {
      const room = this.#bytes.length - (this.#written - this.#pool.taken(this.#index));
      const place = this.#written % this.#bytes.length;
      const piece = bytes.subarray(done, done + Math.min(room, this.#bytes.length - place));
      this.#bytes.set(piece, place);
      this.#written += piece.length;
      done += piece.length;
      this.#pool.arrived(this.#index, this.#written);
      if (piece.length === 0) await setTimeout(LOOK_AGAIN);
    }
  }
}
