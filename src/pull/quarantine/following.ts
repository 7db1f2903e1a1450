// The native pass behind the bytes: a weight file is measured while it arrives, and a header that no loader takes ends the transfer as
// soon as it is there. The readers run again over the finished file; what was measured here counts only if they plan the same.
import { closeSync, readSync } from 'node:fs';
import type { Violation } from '../../document/violations.ts';
import { detectFormat } from '../../scan/format/format.ts';
import type { Format } from '../../scan/format/layout.ts';
import type { Followed, MeasureOptions } from '../../scan/measure/options.ts';
import { planRanges, wantedOf } from '../../scan/measure/plan.ts';
import { MeasurePool } from '../../scan/measure/thread/pool.ts';
import type { SourceFile } from '../../source/source.ts';
import { earlyLayout } from '../peek/prefix.ts';

/** Smaller files are measured when they are there: in less time than a worker takes to begin. */
const LEAST = 2 ** 20;
/** Most headers have no more; one that has is read again when twice as much is there. */
const FIRST = 64 * 1024;
/** A header that is longer is read when the file is there. */
const MOST = 256 * 2 ** 20;

interface Follower {
  readonly file: SourceFile;
  readonly index: number;
  readonly format: Format;
  readonly descriptor: number;
  /** Bytes that the next look at the header needs; infinite: there is none to come. */
  needed: number;
  available: number;
  looking: Promise<void> | null;
  ranges: Float64Array | null;
  result: Promise<Followed['native'] | null>;
}

interface FollowingOptions extends Pick<MeasureOptions, 'threads' | 'forensics' | 'signal'> {
  /** Opens a file of the quarantine for reading. */
  readonly open: (path: string) => number;
  /** What is wrong with a header, before the rest of the file has come. */
  readonly onHeader: (file: SourceFile, violations: readonly Violation[]) => void;
}

export class Following {
  readonly #options: FollowingOptions;
  readonly #pool: MeasurePool;
  readonly #followers = new Map<string, Follower>();
  readonly #files: readonly SourceFile[];

  /** Throws NATIVE_UNAVAILABLE. */
  constructor(files: readonly SourceFile[], threads: number, options: FollowingOptions) {
    this.#files = files.filter(
      ({ path, size }) => size >= LEAST && detectFormat(path, new Uint8Array()) !== null,
    );
    this.#options = options;
    this.#pool = new MeasurePool(threads, Math.max(1, this.#files.length), options.signal, true);
  }

  /** The first `available` bytes of a file are in the quarantine. */
  arrived(file: SourceFile, available: number): void {
    const follower = this.#followers.get(file.path) ?? this.#begin(file);
    if (follower === null) return;
    follower.available = available;
    this.#pool.arrived(follower.index, available);
    if (available < follower.needed || follower.looking !== null) return;
    follower.looking = this.#look(follower)
      .catch(() => {
        follower.needed = Number.POSITIVE_INFINITY; // the scan will say what is wrong with it
      })
      .then(() => {
        follower.looking = null;
      });
  }

  /** Waits for the files that are followed. What could not be followed is missing, and is measured later. */
  async end(): Promise<ReadonlyMap<string, Followed>> {
    const found = new Map<string, Followed>();
    for (const follower of this.#followers.values()) {
      await follower.looking;
      const { file, ranges } = follower;
      const native = await follower.result;
      if (native !== null && ranges !== null) found.set(file.path, { size: file.size, ranges, native });
    }
    return found;
  }

  /** Nothing more comes. */
  async close(): Promise<void> {
    for (const { index } of this.#followers.values()) this.#pool.arrived(index, -1);
    for (const follower of this.#followers.values()) {
      await follower.looking;
      this.#pool.arrived(follower.index, -1); // it may have begun meanwhile
      await follower.result;
    }
    for (const { descriptor } of this.#followers.values()) closeSync(descriptor);
    await this.#pool.close();
  }

  #begin(file: SourceFile): Follower | null {
    const index = this.#files.indexOf(file);
    const format = index < 0 ? null : detectFormat(file.path, new Uint8Array());
    if (format === null) return null;
    const descriptor = this.#options.open(file.path);
    const needed = Math.min(FIRST, file.size);
    const state = { needed, available: 0, looking: null, ranges: null, result: Promise.resolve(null) };
    const follower: Follower = { file, index, format, descriptor, ...state };
    this.#followers.set(file.path, follower);
    return follower;
  }

  async #look(follower: Follower): Promise<void> {
    while (follower.available >= follower.needed) {
      const bytes = readPrefix(follower.descriptor, follower.needed);
      const format = detectFormat(follower.file.path, bytes)!;
      const early = await earlyLayout(format, bytes, follower.file.size);
      if (typeof early === 'number') {
        follower.needed = early > MOST ? Number.POSITIVE_INFINITY : early;
        continue;
      }
      follower.needed = Number.POSITIVE_INFINITY;
      const { header, parsed } = early;
      this.#options.onHeader(follower.file, header.violations);
      const layout = header.headerSize === null ? null : header;
      const first = Math.min(parsed, layout?.headerSize ?? 0);
      follower.ranges = planRanges(layout, first, wantedOf(this.#options)).ranges;
      const { index, descriptor, file, ranges } = follower;
      // What goes wrong here goes wrong again when the file is measured, and is told there.
      follower.result = this.#pool.follow(index, descriptor, file.size, ranges, 'auto').catch(() => null);
    }
  }
}

function readPrefix(descriptor: number, size: number): Buffer {
  const bytes = Buffer.allocUnsafeSlow(size);
  for (let done = 0; done < size; ) {
    const got = readSync(descriptor, bytes, done, size - done, done);
    if (got === 0) return bytes.subarray(0, done); // cut by somebody else; the scan will say so
    done += got;
  }
  return bytes;
}
