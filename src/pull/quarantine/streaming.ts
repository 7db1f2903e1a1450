// A model that is measured while it comes and is not kept: weights go through a ring in memory, and on the disk is what readers look
// at: headers, what no tensor covers, both ends. Kept whole is what no header tells, and every file that is no weight file.
import { setMaxListeners } from 'node:events';
import { closeSync, fstatSync, ftruncateSync, readSync, writeSync } from 'node:fs';
import { SteelyardError } from '../../rules/error.ts';
import { dtypeByName } from '../../scan/dtype.ts';
import type { Layout } from '../../scan/format/layout.ts';
import { threadsOf } from '../../scan/measure/measure.ts';
import type { Followed, MeasureOptions } from '../../scan/measure/options.ts';
import { RANGE_SIZE, type Wanted } from '../../scan/measure/plan.ts';
import { MeasurePool } from '../../scan/measure/thread/pool.ts';
import type { Source, SourceFile } from '../../source/source.ts';
import { firstLook, isFollowed, planEarly } from './early-plan.ts';
import { type Quarantine, writeError } from './quarantine.ts';
import { Ring } from './ring.ts';

/** Kept of both ends, whatever covers them: where other formats have their magics and directories. */
const HEAD = 2 ** 20;
const TAIL = 128 * 1024;
const PIECE = 2 ** 20;

interface StreamOptions extends Pick<MeasureOptions, 'threads' | 'signal' | 'onProgress'> {
  readonly wanted: Wanted;
}

/** What was measured, by path. Throws what sources and disks throw; what could not be measured in passing is not among it. */
export async function streamInto(
  quarantine: Quarantine,
  source: Source,
  { wanted, signal, onProgress, ...options }: StreamOptions,
): Promise<ReadonlyMap<string, Followed>> {
  const { files } = source;
  const stop = new AbortController();
  const aborted = signal === undefined ? stop.signal : AbortSignal.any([signal, stop.signal]);
  setMaxListeners(0, aborted); // each request on its way hears it
  const threads = threadsOf(options);
  const pool = new MeasurePool(threads, Math.max(1, files.length), aborted, true);
  const found = new Map<string, Followed>();
  const bytesTotal = files.reduce((sum, { size }) => sum + size, 0);
  let [next, filesDone, bytesDone] = [0, 0, 0];
  const lane = async (): Promise<void> => {
    while (next < files.length) {
      const index = next++;
      const file = files[index]!;
      const passage = new Passage(file, index, quarantine.openFile(file.path), pool, wanted);
      try {
        for await (const bytes of source.read(file, 0, file.size, aborted)) {
          await passage.take(bytes);
          bytesDone += bytes.length;
          onProgress?.({ filesDone, filesTotal: files.length, bytesDone, bytesTotal });
        }
        const followed = await passage.end();
        if (followed !== null) found.set(file.path, followed);
        filesDone++;
      } catch (error) {
        stop.abort(error);
        throw error;
      } finally {
        passage.close();
      }
    }
  };
  try {
    const lanes = await Promise.allSettled(Array.from({ length: Math.min(threads, files.length) }, lane));
    if (stop.signal.aborted) throw stop.signal.reason;
    for (const one of lanes) if (one.status === 'rejected') throw one.reason;
    return found;
  } finally {
    await pool.close();
  }
}

/** One file on its way. */
class Passage {
  readonly #file: SourceFile;
  readonly #index: number;
  readonly #descriptor: number;
  readonly #pool: MeasurePool;
  readonly #wanted: Wanted;
  #at = 0;
  #needed: number;
  #ring: Ring | null = null;
  #ranges: Float64Array | null = null;
  /** Where nothing is on the disk, in order: starts and ends. */
  #holes: Float64Array = new Float64Array();
  #hole = 0;

  constructor(file: SourceFile, index: number, descriptor: number, pool: MeasurePool, wanted: Wanted) {
    this.#file = file;
    this.#index = index;
    this.#descriptor = descriptor;
    this.#pool = pool;
    this.#wanted = wanted;
    this.#needed = isFollowed(file) ? firstLook(file.size) : Number.POSITIVE_INFINITY;
  }

  async take(bytes: Uint8Array): Promise<void> {
    if (this.#ring === null) this.#write(bytes, this.#at);
    else this.#keep(bytes);
    await this.#ring?.push(bytes);
    this.#at += bytes.length;
    while (this.#at >= this.#needed) await this.#look();
  }

  /** null: the file is on the disk, whole. */
  async end(): Promise<Followed | null> {
    const { size } = this.#file;
    if (fstatSync(this.#descriptor).size !== size) ftruncateSync(this.#descriptor, size);
    if (this.#ring === null) return null;
    const native = await this.#ring.result;
    if (native === null) throw new SteelyardError('ABORTED', 'the scan was aborted');
    const holes = this.#holes;
    return { size, ranges: this.#ranges!, native, kept: (start, end) => !meetsHole(holes, start, end) };
  }

  close(): void {
    this.#pool.arrived(this.#index, -1);
    const close = (): void => closeSync(this.#descriptor);
    if (this.#ring === null) close();
    else this.#ring.result.then(close, close);
  }

  async #look(): Promise<void> {
    const { path, size } = this.#file;
    const early = await planEarly(this.#descriptor, path, size, this.#needed, this.#wanted);
    this.#needed = typeof early === 'number' ? early : Number.POSITIVE_INFINITY;
    if (typeof early === 'number' || early.header.headerSize === null || !isCounted(early.header)) return;
    this.#ranges = early.ranges;
    this.#holes = holesOf(early.ranges, size);
    this.#ring = new Ring(this.#pool, this.#index, this.#descriptor, size, early.ranges);
    const piece = Buffer.allocUnsafe(PIECE);
    for (let at = 0; at < this.#at; ) {
      const got = readSync(this.#descriptor, piece, 0, Math.min(PIECE, this.#at - at), at);
      if (got === 0) throw new SteelyardError('IO', 'the file was cut while it came', { file: path });
      await this.#ring.push(piece.subarray(0, got));
      at += got;
    }
  }

  /** Writes what lies in no hole. */
  #keep(bytes: Uint8Array): void {
    const end = this.#at + bytes.length;
    for (let at = this.#at; at < end; ) {
      while (this.#hole < this.#holes.length && this.#holes[this.#hole + 1]! <= at) this.#hole += 2;
      const [start = end, until = end] = this.#holes.subarray(this.#hole, this.#hole + 2);
      const kept = Math.min(Math.max(at, start), end);
      this.#write(bytes.subarray(at - this.#at, kept - this.#at), at);
      at = kept < end ? Math.min(until, end) : end;
    }
  }

  #write(bytes: Uint8Array, position: number): void {
    try {
      for (let done = 0; done < bytes.length; )
        done += writeSync(this.#descriptor, bytes, done, bytes.length - done, position + done);
    } catch (cause) {
      throw writeError(cause, this.#file.path);
    }
  }
}

/** Tensors of other dtypes are looked at a second time, whatever they hold. */
const isCounted = ({ tensors }: Layout): boolean =>
  tensors.every(({ dtype }) => dtypeByName(dtype)?.coverage === 'values');

/** What tensors cover, but for both ends of the file; neighbours are one. */
function holesOf(ranges: Float64Array, size: number): Float64Array {
  const holes: number[] = [];
  for (let i = RANGE_SIZE; i < ranges.length; i += RANGE_SIZE) {
    const start = Math.max(ranges[i]!, HEAD);
    const end = Math.min(ranges[i + 1]!, size - TAIL);
    if (start >= end) continue;
    if (holes.at(-1) === start) holes[holes.length - 1] = end;
    else holes.push(start, end);
  }
  return Float64Array.from(holes);
}

/** Whether [start, end) has a byte of a hole. */
function meetsHole(holes: Float64Array, start: number, end: number): boolean {
  let [low, high] = [0, holes.length / 2];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (holes[2 * middle + 1]! <= start) low = middle + 1;
    else high = middle;
  }
  return low < holes.length / 2 && holes[2 * low]! < end;
}
