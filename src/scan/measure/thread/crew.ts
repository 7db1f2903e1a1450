// Worker threads, the shared word that stops them, and their end. Abort travels through shared memory that native code polls, never
// through piscina's own signal: that one rejects at once and leaves the native call running.
import type { Piscina } from 'piscina';
import { SteelyardError } from '../../../rules/error.ts';
import { native } from '../native.ts';
import { startWorkers } from './workers.ts';

export class Crew<Job, Reply> {
  readonly threads: number;
  /** Word 0: not 0 once everything must stop. The others are the jobs' own, such as bytes done. */
  readonly control: BigInt64Array;
  readonly #module: string;
  readonly #work: string;
  readonly #signal: AbortSignal | undefined;
  #piscina: Piscina<Job, Reply> | undefined;
  readonly #stop = (): void => {
    Atomics.store(this.control, 0, 1n);
  };

  /**
   * @param module started in each thread, at the first job.
   * @param work what was stopped, as the message of ABORTED says it: 'scan'.
   * @param words of shared memory, beside the first.
   * @throws SteelyardError NATIVE_UNAVAILABLE, here with its advice, and not inside a worker.
   */
  constructor(module: string, work: string, threads: number, words: number, signal: AbortSignal | undefined) {
    native();
    this.#module = module;
    this.#work = work;
    this.threads = threads;
    this.control = new BigInt64Array(new SharedArrayBuffer(8 * (words + 1)));
    this.#signal = signal;
    if (signal?.aborted) this.#stop();
    signal?.addEventListener('abort', this.#stop);
  }

  run(job: Job): Promise<Reply> {
    this.#piscina ??= startWorkers(this.#module, this.threads);
    return this.#piscina.run(job);
  }

  /** Throws ABORTED. */
  assertGoing(): void {
    if (Atomics.load(this.control, 0) === 0n) return;
    throw new SteelyardError('ABORTED', `the ${this.#work} was aborted`, { cause: this.#signal?.reason });
  }

  async close(): Promise<void> {
    this.#signal?.removeEventListener('abort', this.#stop);
    this.#stop(); // after an error elsewhere nobody waits for the jobs that still run
    // They see the word and come back: a worker is not ended inside a native call.
    await this.#piscina?.close({ force: true });
  }
}
