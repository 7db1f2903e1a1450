// The worker threads that measure. One job is one file.
import { turns } from '../../../runtime/turn.ts';
import type { Io, NativeMeasurement } from '../native.ts';
import type { FileMeasurement } from '../options.ts';
import { RANGE_SIZE } from '../plan.ts';
import { divide } from '../record/share.ts';
import { Crew } from './crew.ts';
import { type Job, measure } from './worker.ts';

/** Below this, waking a second worker costs more than it saves (about 30 ms). */
const SHARED_SIZE = 64 * 1024 * 1024;
/** Up to this the pass takes less time (0.1 ms) than a worker's answer, and a scan of small files needs no worker at all. */
const IN_PLACE_SIZE = 64 * 1024;

export class MeasurePool {
  readonly #crew: Crew<Job, NativeMeasurement>;
  readonly #staysFree: boolean;
  readonly #files: number;
  #busy = 0;

  /** `files`: how many jobs there can be. `staysFree`: as in {@link measureFiles}. Throws NATIVE_UNAVAILABLE. */
  constructor(threads: number, files: number, signal: AbortSignal | undefined, staysFree: boolean) {
    this.#files = files;
    this.#staysFree = staysFree;
    this.#crew = new Crew('scan/measure/thread/worker', 'scan', threads, 2 * files, signal);
  }

  get threads(): number {
    return this.#crew.threads;
  }

  /** Bytes that all jobs together have done. */
  get bytesDone(): number {
    return Number(this.#crew.control.subarray(1, this.#files + 1).reduce((sum, bytes) => sum + bytes, 0n));
  }

  /** `index` of the file, from 0. `last`: no other file will ask for a worker soon. Throws ABORTED. */
  async measure(
    index: number,
    fd: number,
    size: number,
    ranges: Float64Array,
    io: Io,
    last: boolean,
  ): Promise<FileMeasurement> {
    const job = { fd, size, ranges, control: this.#crew.control, slot: index + 1, io, following: 0 };
    const shared = last && size >= SHARED_SIZE && this.#busy + 2 <= this.threads;
    const parts = shared ? await this.#share(job) : [await this.#run({ ...job, part: 'all' })];
    const measured = parts.findLast(({ outcome }) => outcome !== 'done') ?? parts[0]!;
    if (measured.outcome === 'aborted') this.assertGoing();
    return { ...measured, records: parts.map(({ record }) => record) };
  }

  /**
   * Measures a file while it arrives: no byte is touched before `arrived` has said that it is there. null: no more came.
   * `fd` must stay open until this is done. `ring`: shared memory that its bytes come through; nothing is read from the file then.
   */
  async follow(
    index: number,
    fd: number,
    size: number,
    ranges: Float64Array,
    io: Io,
    ring?: Uint8Array,
  ): Promise<FileMeasurement | null> {
    const [slot, following] = [index + 1, this.#wordOf(index)];
    const measured = await this.#run({
      fd,
      size,
      ranges,
      control: this.#crew.control,
      slot,
      io,
      following,
      part: 'all',
      ...(ring === undefined ? {} : { ring }),
    });
    return measured.outcome === 'aborted' ? null : { ...measured, records: [measured.record] };
  }

  /** The first `bytes` of a file are there; negative: no more will come. */
  arrived(index: number, bytes: number): void {
    Atomics.store(this.#crew.control, this.#wordOf(index), BigInt(bytes));
  }

  /** How many bytes of a file have been measured. */
  taken(index: number): number {
    return Number(Atomics.load(this.#crew.control, index + 1));
  }

  #wordOf(index: number): number {
    return this.#files + 1 + index;
  }

  /** One file, two workers. Two passes read the same bytes or the file changed meanwhile, which its times tell. */
  async #share(job: Omit<Job, 'part'>): Promise<NativeMeasurement[]> {
    const turn = turns();
    const first = divide(job.ranges, job.size);
    await turn();
    const [others, own] = [
      job.ranges.subarray(0, RANGE_SIZE * first),
      job.ranges.subarray(RANGE_SIZE * first),
    ];
    const end = others.at(1 - RANGE_SIZE) ?? 0;
    return settled([
      this.#run({ ...job, ranges: others, size: end, part: 'ranges' }),
      this.#run({ ...job, ranges: own, part: 'all' }),
    ]);
  }

  async #run(job: Job): Promise<NativeMeasurement> {
    this.assertGoing();
    if (job.size <= IN_PLACE_SIZE && !this.#staysFree) return measure(job);
    this.#busy++;
    try {
      return await this.#crew.run(job);
    } finally {
      this.#busy--;
    }
  }

  /** Throws ABORTED. */
  assertGoing(): void {
    this.#crew.assertGoing();
  }

  close(): Promise<void> {
    return this.#crew.close();
  }
}

/** Waits for both even if one fails: the descriptor must stay open as long as either runs. */
async function settled<T>(promises: readonly [Promise<T>, Promise<T>]): Promise<[T, T]> {
  await Promise.allSettled(promises);
  return Promise.all(promises);
}
