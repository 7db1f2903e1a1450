// The worker threads that hold tensors against each other: a job is a pair. Abort and progress as in pool.ts.
import type { Piscina } from 'piscina';
import { SteelyardError } from '../../../rules/error.ts';
import { native } from '../native.ts';
import { startWorkers } from '../thread/workers.ts';
import measureDifference, { type DifferenceJob, type DifferenceReply } from './difference-worker.ts';

/** Elements of pairs that take less time than a worker's answer: norms and biases, of which a model has many. */
const IN_PLACE = 1 << 14;

export class DifferencePool {
  readonly #threads: number;
  #piscina: Piscina<DifferenceJob, DifferenceReply> | undefined;
  readonly #control = new BigInt64Array(new SharedArrayBuffer(16));
  readonly #signal: AbortSignal | undefined;
  readonly #abort = (): void => {
    Atomics.store(this.#control, 0, 1n);
  };

  /** Throws NATIVE_UNAVAILABLE. */
  constructor(threads: number, signal: AbortSignal | undefined) {
    native();
    this.#threads = threads;
    this.#signal = signal;
    if (signal?.aborted) this.#abort();
    signal?.addEventListener('abort', this.#abort);
  }

  /** Of all pairs, both sides. */
  get bytesDone(): number {
    return Number(this.#control[1]);
  }

  /** Throws ABORTED. */
  async measure(asked: Omit<DifferenceJob, 'control'>): Promise<DifferenceReply> {
    this.#assertGoing();
    const job = { ...asked, control: this.#control };
    const isSmall = job.shape.reduce((count, size) => count * size, 1) <= IN_PLACE;
    const reply = isSmall ? measureDifference(job) : await this.#run(job);
    if (reply.outcome === 'aborted') this.#assertGoing();
    return reply;
  }

  async #run(job: DifferenceJob): Promise<DifferenceReply> {
    this.#piscina ??= startWorkers('scan/measure/difference/difference-worker', this.#threads);
    return this.#piscina.run(job);
  }

  #assertGoing(): void {
    if (Atomics.load(this.#control, 0) !== 0n)
      throw new SteelyardError('ABORTED', 'the comparison was aborted', { cause: this.#signal?.reason });
  }

  async close(): Promise<void> {
    this.#signal?.removeEventListener('abort', this.#abort);
    this.#abort();
    await this.#piscina?.close({ force: true });
  }
}
