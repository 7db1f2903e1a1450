// The worker threads. One job is one file; abort and progress travel through shared memory that native code polls, never
// through piscina's own signal: that one rejects at once and leaves the native call running.
import { Piscina } from 'piscina';
import { SteelyardError } from '../error.ts';
import { type Io, type NativeMeasurement, native } from './native.ts';
import type { Job } from './worker.ts';

export class MeasurePool {
  readonly #piscina: Piscina<Job, NativeMeasurement>;
  readonly #control: BigInt64Array;
  readonly #signal: AbortSignal | undefined;
  readonly #abort = (): void => {
    Atomics.store(this.#control, 0, 1n);
  };

  /** `files`: how many jobs there can be. Throws NATIVE_UNAVAILABLE. */
  constructor(threads: number, files: number, signal: AbortSignal | undefined) {
    native(); // fails here, with its advice, and not inside a worker
    this.#control = new BigInt64Array(new SharedArrayBuffer(8 * (files + 1)));
    this.#piscina = new Piscina({
      filename: new URL('./worker.js', import.meta.url).href,
      minThreads: 0,
      maxThreads: threads,
    });
    this.#signal = signal;
    if (signal?.aborted) this.#abort();
    signal?.addEventListener('abort', this.#abort);
  }

  /** Bytes that all jobs together have done. */
  get bytesDone(): number {
    return Number(this.#control.subarray(1).reduce((sum, bytes) => sum + bytes, 0n));
  }

  /** `index` of the file, from 0. Throws ABORTED. */
  async measure(
    index: number,
    fd: number,
    size: number,
    ranges: Float64Array,
    io: Io,
  ): Promise<NativeMeasurement> {
    this.assertGoing();
    const measured = await this.#piscina.run({
      fd,
      size,
      ranges,
      control: this.#control,
      slot: index + 1,
      io,
    });
    if (measured.outcome === 'aborted') this.assertGoing();
    return measured;
  }

  assertGoing(): void {
    if (Atomics.load(this.#control, 0) !== 0n) {
      throw new SteelyardError('ABORTED', 'the scan was aborted', { cause: this.#signal?.reason });
    }
  }

  async close(): Promise<void> {
    this.#signal?.removeEventListener('abort', this.#abort);
    this.#abort(); // after an error elsewhere nobody waits for the jobs that still run
    await this.#piscina.destroy();
  }
}
