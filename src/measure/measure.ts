// Every file of the model: open, read the header, measure in a worker, look again whether the file held still.
import { availableParallelism } from 'node:os';
import { getSystemErrorName } from 'node:util';
import { SteelyardError } from '../error.ts';
import { detectFormat, readLayout } from '../format/format.ts';
import type { Format, Layout, Violation } from '../format/layout.ts';
import { changed, type FileEntry, ModelFile } from '../model/file.ts';
import type { Io, NativeMeasurement } from './native.ts';
import { PARSED_RANGE, planRanges } from './plan.ts';
import { MeasurePool } from './pool.ts';
import { type RangeMeasurement, readRecord } from './record.ts';

export interface Progress {
  readonly filesDone: number;
  readonly filesTotal: number;
  readonly bytesDone: number;
  /** Of the files opened so far, and so growing at first. */
  readonly bytesTotal: number;
}

export interface MeasureOptions {
  /** Worker threads; default: one per core. */
  readonly threads?: number;
  readonly io?: Io;
  /** Norm and digest of each row of embeddings and output heads. */
  readonly rows?: boolean;
  /** Stops the scan within 100 ms; the promise rejects with ABORTED. */
  readonly signal?: AbortSignal;
  /** Called about ten times a second. */
  readonly onProgress?: (progress: Progress) => void;
}

/** What became of one file. */
export interface MeasuredFile {
  readonly entry: FileEntry;
  readonly format: Format | null;
  readonly size: number;
  readonly sha256: string;
  /** null: not a weight file, or its header could not be used (there are violations then). */
  readonly layout: Layout | null;
  readonly violations: readonly Violation[];
  /** As layout.tensors; null: overlaps another tensor. */
  readonly tensors: readonly (RangeMeasurement | null)[];
  readonly kernel: string;
  readonly seconds: number;
}

export interface ModelMeasurement {
  readonly files: readonly MeasuredFile[];
  readonly errors: readonly SteelyardError[];
}

const PROGRESS_INTERVAL = 100; // ms

/** Errors about single files are collected; ABORTED, NATIVE_UNAVAILABLE and INTERNAL are thrown. */
export async function measureFiles(
  entries: readonly FileEntry[],
  options: MeasureOptions,
): Promise<ModelMeasurement> {
  const threads = Math.min(threadsOf(options), entries.length);
  const pool = new MeasurePool(threads, entries.length, options.signal);
  const results = new Array<MeasuredFile | SteelyardError>(entries.length);
  let bytesTotal = 0;
  let filesDone = 0;
  const tell = (): void =>
    options.onProgress?.({ filesDone, filesTotal: entries.length, bytesDone: pool.bytesDone, bytesTotal });
  const timer = setInterval(tell, PROGRESS_INTERVAL);
  try {
    let next = 0;
    const lane = async (): Promise<void> => {
      while (next < entries.length) {
        const index = next++;
        const opened = (size: number): void => {
          bytesTotal += size;
        };
        results[index] = await measureFile(entries[index]!, index, pool, options, opened).catch(collectable);
        filesDone++;
      }
    };
    // One file more than there are workers is open, so that its header is read while they are busy.
    await Promise.all(Array.from({ length: threads + 1 }, lane));
    tell();
  } finally {
    clearInterval(timer);
    await pool.close();
  }
  return {
    files: results.filter((result): result is MeasuredFile => !(result instanceof SteelyardError)),
    errors: results.filter((result) => result instanceof SteelyardError),
  };
}

export function threadsOf(options: MeasureOptions): number {
  const threads = options.threads ?? availableParallelism();
  if (!Number.isSafeInteger(threads) || threads < 1) {
    throw new SteelyardError('USAGE', `threads must be a whole number above 0, not ${threads}`);
  }
  return threads;
}

async function measureFile(
  entry: FileEntry,
  index: number,
  pool: MeasurePool,
  options: MeasureOptions,
  opened: (size: number) => void,
): Promise<MeasuredFile> {
  pool.assertGoing();
  const file = ModelFile.open(entry);
  try {
    opened(file.size);
    const format = detectFormat(entry.path, file.head(4));
    const header = format === null ? null : readLayout(format, file);
    const layout = header === null || header.headerSize === null ? null : header;
    const parsed = file.takePrefix(layout?.headerSize ?? 0);

    const plan = planRanges(layout, parsed.size, options.rows ?? false);
    const begun = performance.now();
    const native = await pool.measure(index, file.fd, file.size, plan.ranges, options.io ?? 'auto');
    const seconds = (performance.now() - begun) / 1000;
    assertRead(entry, native);
    const { sha256, ranges } = readRecord(native.record, plan.dtypes);
    if (ranges[PARSED_RANGE]!.sha256 !== parsed.sha256) throw changed(entry, 'its header was rewritten');
    file.assertUnchanged();

    return {
      entry,
      format,
      size: file.size,
      sha256,
      layout,
      violations: header?.violations ?? [],
      tensors: Array.from(plan.tensors, (range) => (range < 0 ? null : ranges[range]!)),
      kernel: native.kernel,
      seconds,
    };
  } finally {
    file.close();
  }
}

function assertRead(entry: FileEntry, { outcome, offset, errno }: NativeMeasurement): void {
  if (outcome === 'truncated') throw changed(entry, 'it was truncated', offset);
  if (outcome === 'failed') {
    const name = errno === 0 ? 'unknown' : getSystemErrorName(-errno);
    throw new SteelyardError('IO', `cannot read the file: ${name}`, {
      file: entry.path,
      offset,
      errno: name,
    });
  }
}

/** Errors that belong to one file and leave the others to be measured. */
function collectable(error: unknown): SteelyardError {
  if (error instanceof SteelyardError && error.file !== undefined) return error;
  throw error;
}
