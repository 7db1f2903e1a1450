// The worker threads that take updates apart, a module at a time.
import type { Piscina } from 'piscina';
import { SteelyardError } from '../../rules/error.ts';
import { native } from '../../scan/measure/native.ts';
import { startWorkers } from '../../scan/measure/thread/workers.ts';
import type { ModuleJob, ModuleResult } from './worker.ts';

export class ModulePool {
  readonly width: number;
  readonly #piscina: Piscina<ModuleJob, ModuleResult>;
  readonly #signal: AbortSignal | undefined;
  #stop: (error: Error) => void = () => undefined;
  /** Rejects when the caller stops: a job of rank 1,024 is not waited for. */
  readonly #stopped = new Promise<never>((_, reject) => {
    this.#stop = reject;
  });
  readonly #abort = (): void =>
    this.#stop(new SteelyardError('ABORTED', 'the comparison was aborted', { cause: this.#signal?.reason }));

  /** Throws NATIVE_UNAVAILABLE. */
  constructor(threads: number, signal: AbortSignal | undefined) {
    native();
    this.width = threads;
    this.#signal = signal;
    signal?.addEventListener('abort', this.#abort);
    this.#stopped.catch(() => undefined);
    if (signal?.aborted) this.#abort();
    this.#piscina = startWorkers('diff/adapter/worker', threads);
  }

  /** In the order of `jobs`, each of which is asked for when a worker is free: factors are read as they are needed. Throws ABORTED. */
  async all(jobs: readonly (() => ModuleJob)[]): Promise<ModuleResult[]> {
    return Promise.race([this.#run(jobs), this.#stopped]);
  }

  async #run(jobs: readonly (() => ModuleJob)[]): Promise<ModuleResult[]> {
    const results = new Array<ModuleResult>(jobs.length);
    let next = 0;
    const lane = async (): Promise<void> => {
      while (next < jobs.length) {
        if (this.#signal?.aborted) return;
        const index = next++;
        results[index] = await this.#piscina.run(jobs[index]!());
      }
    };
    // One more than there are workers, so that factors are read while others are taken apart.
    await Promise.all(Array.from({ length: this.width + 1 }, lane));
    return results;
  }

  async close(): Promise<void> {
    this.#signal?.removeEventListener('abort', this.#abort);
    await this.#piscina.close({ force: true });
  }
}
