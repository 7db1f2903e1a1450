// The worker threads that hold tensors against each other: a job is a pair. Abort and progress as in pool.ts.
import { Piscina } from 'piscina';
import { SteelyardError } from '../error.ts';
import type { DifferenceJob, DifferenceReply } from './difference-worker.ts';
import { type Io, native } from './native.ts';

export class DifferencePool {
  readonly #piscina: Piscina<DifferenceJob, DifferenceReply>;
  readonly #control = new BigInt64Array(new SharedArrayBuffer(16));
  readonly #signal: AbortSignal | undefined;
  readonly #abort = (): void => {
    Atomics.store(this.#control, 0, 1n);
  };

  /** Throws NATIVE_UNAVAILABLE. */
  constructor(threads: number, signal: AbortSignal | undefined) {
    native();
    this.#piscina = new Piscina({
      filename: new URL('./difference-worker.js', import.meta.url).href,
      minThreads: 0,
      maxThreads: threads,
    });
    this.#signal = signal;
    if (signal?.aborted) this.#abort();
    signal?.addEventListener('abort', this.#abort);
  }

  /** Of all pairs, both sides. */
  get bytesDone(): number {
    return Number(this.#control[1]);
  }

  /** Throws ABORTED. */
  async measure(
    plan: Float64Array,
    shape: readonly number[],
    seed: bigint,
    io: Io,
  ): Promise<DifferenceReply> {
    this.#assertGoing();
    const reply = await this.#piscina.run({ plan, shape, seed, control: this.#control, io });
    if (reply.outcome === 'aborted') this.#assertGoing();
    return reply;
  }

  #assertGoing(): void {
    if (Atomics.load(this.#control, 0) !== 0n)
      throw new SteelyardError('ABORTED', 'the comparison was aborted', { cause: this.#signal?.reason });
  }

  async close(): Promise<void> {
    this.#signal?.removeEventListener('abort', this.#abort);
    this.#abort();
    await this.#piscina.close({ force: true });
  }
}
