// Worker threads that work on modules of adapters, one at a time.
import type { Piscina } from 'piscina';
import { SteelyardError } from '../../rules/error.ts';
import type { AdapterModule } from '../../scan/adapter/module.ts';
import { native } from '../../scan/measure/native.ts';
import { startWorkers } from '../../scan/measure/thread/workers.ts';
import type { ModelFile } from '../../scan/model/file.ts';
import { type LoadedAdapter, type LoadedModule, moduleOf, openWeights, readFactors } from './factors.ts';
import type { ModuleJob, ModuleResult } from './worker.ts';

/** Between two adapters of a population. */
const IDLE = 10_000;

export class Pool<Job, Result> {
  readonly width: number;
  readonly #piscina: Piscina<Job, Result>;
  readonly #signal: AbortSignal | undefined;
  #stop: (error: Error) => void = () => undefined;
  /** Rejects when the caller stops: a job of rank 1,024 is not waited for. */
  readonly #stopped = new Promise<never>((_, reject) => {
    this.#stop = reject;
  });
  readonly #abort = (): void =>
    this.#stop(new SteelyardError('ABORTED', 'the comparison was aborted', { cause: this.#signal?.reason }));

  /** `module` runs in the workers. Throws NATIVE_UNAVAILABLE. */
  constructor(module: string, threads: number, signal: AbortSignal | undefined) {
    native();
    this.width = threads;
    this.#signal = signal;
    signal?.addEventListener('abort', this.#abort);
    this.#stopped.catch(() => undefined);
    if (signal?.aborted) this.#abort();
    this.#piscina = startWorkers(module, threads, IDLE);
  }

  /** In the order of `jobs`, each of which is asked for when a worker is free: factors are read as they are needed. Throws ABORTED. */
  async all(jobs: readonly (() => Job)[]): Promise<Result[]> {
    return Promise.race([this.#run(jobs), this.#stopped]);
  }

  async #run(jobs: readonly (() => Job)[]): Promise<Result[]> {
    const results = new Array<Result>(jobs.length);
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

export type Modules = readonly [good: AdapterModule | null, suspect: AdapterModule | null];

/** Takes updates apart. */
export class ModulePool extends Pool<ModuleJob, ModuleResult> {
  constructor(threads: number, signal: AbortSignal | undefined) {
    super('diff/adapter/worker', threads, signal);
  }

  /**
   * The modules of one adapter against those of another. `spectraOnly`: moments of entries are left out, which cost the most of all
   * that a worker does.
   */
  async decomposed(
    pairs: readonly Modules[],
    adapters: readonly [LoadedAdapter, LoadedAdapter],
    spectraOnly = false,
  ): Promise<ModuleResult[]> {
    const files: ModelFile[] = [];
    try {
      for (const adapter of adapters) files.push(openWeights(adapter));
      const loaded = pairs.map((pair) => pair.map((module, i) => module && moduleOf(adapters[i]!, module)));
      const read = (module: ReturnType<typeof moduleOf> | null, file: ModelFile): ModuleJob['good'] =>
        module === null || 'reason' in module ? null : readFactors(file, module);
      const results = await this.all(
        loaded.map(([good, suspect]) => () => ({
          good: read(good!, files[0]!),
          suspect: read(suspect!, files[1]!),
          spectraOnly,
        })),
      );
      for (const file of files) file.assertUnchanged();
      return results.map((result, i) => ({ ...result, reason: reasonOf(loaded[i]!) ?? result.reason }));
    } finally {
      for (const file of files) file.close();
    }
  }
}

const reasonOf = (sides: readonly (LoadedModule | { reason: string } | null)[]): string | null =>
  sides
    .map((side) => (side !== null && 'reason' in side ? side.reason : null))
    .find((reason) => reason !== null) ?? null;
