// The worker threads. One job is one file; abort and progress travel through shared memory that native code polls, never
// through piscina's own signal: that one rejects at once and leaves the native call running.
import { Piscina } from 'piscina';
import { SteelyardError } from '../error.ts';
import { type Io, type NativeMeasurement, native, type Part } from './native.ts';
import type { Job } from './worker.ts';

/** Below this, waking a second worker costs more than it saves (about 30 ms). */
const SHARED_SIZE = 64 * 1024 * 1024;
const DIGEST_SIZE = 32;

export class MeasurePool {
  readonly #threads: number;
  #busy = 0;
  readonly #piscina: Piscina<Job, NativeMeasurement>;
  readonly #control: BigInt64Array;
  readonly #signal: AbortSignal | undefined;
  readonly #abort = (): void => {
    Atomics.store(this.#control, 0, 1n);
  };

  /** `files`: how many jobs there can be. Throws NATIVE_UNAVAILABLE. */
  constructor(threads: number, files: number, signal: AbortSignal | undefined) {
    this.#threads = threads;
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

  /** `index` of the file, from 0. `last`: no other file will ask for a worker soon. Throws ABORTED. */
  async measure(
    index: number,
    fd: number,
    size: number,
    ranges: Float64Array,
    io: Io,
    last: boolean,
  ): Promise<NativeMeasurement> {
    const job = { fd, size, ranges, control: this.#control, slot: index + 1, io };
    const shared = last && size >= SHARED_SIZE && this.#busy + 2 <= this.#threads;
    const measured = shared ? await this.#share(job) : await this.#run({ ...job, part: 'all' });
    if (measured.outcome === 'aborted') this.assertGoing();
    return measured;
  }

  /** One file, two workers. Two passes read the same bytes or the file changed meanwhile, which its times tell. */
  async #share(job: Omit<Job, 'part'>): Promise<NativeMeasurement> {
    const [file, ranges] = await settled([
      this.#run({ ...job, part: 'file' }),
      this.#run({ ...job, part: 'ranges' }),
    ]);
    if (file.outcome !== 'done') return file;
    if (ranges.outcome === 'done')
      new Uint8Array(ranges.record).set(new Uint8Array(file.record, 0, DIGEST_SIZE));
    return ranges;
  }

  async #run(job: Job & { readonly part: Part }): Promise<NativeMeasurement> {
    this.assertGoing();
    this.#busy++;
    try {
      return await this.#piscina.run(job);
    } finally {
      this.#busy--;
    }
  }

  assertGoing(): void {
    if (Atomics.load(this.#control, 0) !== 0n) {
      throw new SteelyardError('ABORTED', 'the scan was aborted', { cause: this.#signal?.reason });
    }
  }

  async close(): Promise<void> {
    this.#signal?.removeEventListener('abort', this.#abort);
    this.#abort(); // after an error elsewhere nobody waits for the jobs that still run
    // They see the flag and come back: a worker is not ended inside a native call.
    await this.#piscina.close({ force: true });
  }
}

/** Waits for both even if one fails: the descriptor must stay open as long as either runs. */
async function settled<T>(promises: readonly [Promise<T>, Promise<T>]): Promise<[T, T]> {
  await Promise.allSettled(promises);
  return Promise.all(promises);
}
