// The native pass behind the bytes: a weight file is measured while it arrives, and a header that no loader takes ends the transfer as
// soon as it is there. The readers run again over the finished file; what was measured here counts only if they plan the same.
import { closeSync } from 'node:fs';
import type { Violation } from '../../document/violations.ts';
import type { Followed, MeasureOptions } from '../../scan/measure/options.ts';
import { wantedOf } from '../../scan/measure/plan.ts';
import { MeasurePool } from '../../scan/measure/thread/pool.ts';
import type { SourceFile } from '../../source/source.ts';
import { firstLook, isFollowed, planEarly } from './early-plan.ts';

interface Follower {
  readonly file: SourceFile;
  readonly index: number;
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
    this.#files = files.filter(isFollowed);
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
    if (index < 0) return null;
    const descriptor = this.#options.open(file.path);
    const needed = firstLook(file.size);
    const state = { needed, available: 0, looking: null, ranges: null, result: Promise.resolve(null) };
    const follower: Follower = { file, index, descriptor, ...state };
    this.#followers.set(file.path, follower);
    return follower;
  }

  async #look(follower: Follower): Promise<void> {
    const { index, descriptor, file } = follower;
    while (follower.available >= follower.needed) {
      const wanted = wantedOf(this.#options);
      const early = await planEarly(descriptor, file.path, file.size, follower.needed, wanted);
      follower.needed = typeof early === 'number' ? early : Number.POSITIVE_INFINITY;
      if (typeof early === 'number') continue;
      this.#options.onHeader(file, early.header.violations);
      follower.ranges = early.ranges;
      // What goes wrong here goes wrong again when the file is measured, and is told there.
      const following = this.#pool.follow(index, descriptor, file.size, early.ranges, 'auto');
      follower.result = following.catch(() => null);
    }
  }
}
