// Every file of the model, some at a time; what became of each, in order.
import { statSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { SteelyardError } from '../error.ts';
import type { Format, Layout, Violation } from '../format/layout.ts';
import type { FileEntry } from '../model/file.ts';
import { Deadline } from './deadline.ts';
import { DOCUMENTS_MAX } from './document.ts';
import { MeasureProcesses } from './isolation.ts';
import type { Io } from './native.ts';
import { MeasurePool } from './pool.ts';
import type { RangeMeasurement } from './record.ts';
import { MeasureThreads } from './threads.ts';

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
  /** A linear sketch of each 2-D tensor, 64 bytes per row: says of what rank a change is. */
  readonly sketch?: boolean;
  /** Traces of payloads in the values of tensors (docs/forensics.md). Costs several times the scan. */
  readonly forensics?: boolean;
  /**
   * Where files are measured: in threads of this process, where a crash of native code would take it along, or each in a
   * process that can die alone (CRASHED). The latter costs some 100 ms per process and 30 ms per file.
   */
  readonly isolate?: 'thread' | 'process';
  /**
   * Seconds after which no file is measured any more: LIMIT, or TIMEOUT for one whose process was killed. A system call that
   * hangs (a dead network file system) can only be left behind with isolate 'process'.
   */
  readonly timeout?: number;
  /** Stops the scan within 100 ms; the promise rejects with ABORTED. */
  readonly signal?: AbortSignal;
  /** Called about ten times a second. */
  readonly onProgress?: (progress: Progress) => void;
}

/** What became of one file. */
export interface MeasuredFile {
  readonly entry: FileEntry;
  /** ModelFile.identity: who opens the file again can tell whether it is the one that was measured. */
  readonly identity: string;
  readonly format: Format | null;
  readonly size: number;
  readonly sha256: string;
  /** null: not a weight file, or its header could not be used (there are violations then). */
  readonly layout: Layout | null;
  readonly violations: readonly Violation[];
  /** The whole file, if it holds no weights but says something about them (a shard index). */
  readonly document: Uint8Array | null;
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

/**
 * Errors about single files are collected; ABORTED, NATIVE_UNAVAILABLE and INTERNAL are thrown.
 * `staysFree`: this thread has somebody to listen to, so that it measures nothing itself, however small.
 */
export async function measureFiles(
  entries: readonly FileEntry[],
  options: MeasureOptions,
  staysFree = false,
): Promise<ModelMeasurement> {
  const deadline = new Deadline(options);
  try {
    return await measureUntil(deadline, entries, options, staysFree);
  } finally {
    deadline.end();
  }
}

async function measureUntil(
  deadline: Deadline,
  entries: readonly FileEntry[],
  options: MeasureOptions,
  staysFree: boolean,
): Promise<ModelMeasurement> {
  // A long file can employ two workers.
  const threads = Math.min(threadsOf(options), entries.length + 1);
  const lanes: Lanes =
    options.isolate === 'process'
      ? new MeasureProcesses(threads, options, deadline.signal)
      : new MeasureThreads(new MeasurePool(threads, entries.length, deadline.signal, staysFree), options);
  const results = new Array<MeasuredFile | SteelyardError>(entries.length);
  const order = longestFirst(entries);
  let filesDone = 0;
  let documents = 0;
  const tell = (): void => {
    const { bytesDone, bytesTotal } = lanes;
    options.onProgress?.({ filesDone, filesTotal: entries.length, bytesDone, bytesTotal });
  };
  const timer = setInterval(tell, PROGRESS_INTERVAL);
  try {
    let next = 0;
    const lane = async (): Promise<void> => {
      while (next < entries.length) {
        const { index, last } = order[next++]!;
        const entry = entries[index]!;
        const result = await lanes.measure(entry, index, last).catch((error) => collectable(error, entry));
        results[index] = bounded(result);
        filesDone++;
      }
    };
    await Promise.all(Array.from({ length: lanes.width }, lane));
    tell();
  } finally {
    clearInterval(timer);
    await lanes.close();
  }
  return {
    files: results.filter((result): result is MeasuredFile => !(result instanceof SteelyardError)),
    errors: results.filter((result) => result instanceof SteelyardError),
  };

  /** Errors that belong to one file and leave the others to be measured. */
  function collectable(error: unknown, entry: FileEntry): SteelyardError {
    const found = error instanceof SteelyardError ? deadline.errorOf(error, entry) : error;
    if (found instanceof SteelyardError && found.file !== undefined) return found;
    throw found;
  }

  function bounded(result: MeasuredFile | SteelyardError): MeasuredFile | SteelyardError {
    if (result instanceof SteelyardError || result.document === null) return result;
    documents += result.document.length;
    if (documents <= DOCUMENTS_MAX) return result;
    const message = `the documents of the model have more than ${DOCUMENTS_MAX} bytes; scan its folders one by one`;
    return new SteelyardError('LIMIT', message, { file: result.entry.path });
  }
}

/** Where files are measured, `width` of them at a time. */
export interface Lanes {
  readonly width: number;
  readonly bytesDone: number;
  readonly bytesTotal: number;
  /** `last`: what follows is shorter than this file, so that more than one worker may take it. */
  measure(entry: FileEntry, index: number, last: boolean): Promise<MeasuredFile>;
  close(): Promise<void>;
}

/** So that no worker is left with a long file when the others are done. A size that changes meanwhile changes the order only. */
function longestFirst(entries: readonly FileEntry[]): { index: number; last: boolean }[] {
  const sizes = entries.map(({ absolute }) => sizeOf(absolute));
  const order = sizes.map((_, index) => index).sort((a, b) => sizes[b]! - sizes[a]! || a - b);
  let left = sizes.reduce((sum, size) => sum + size, 0);
  return order.map((index) => {
    left -= sizes[index]!;
    return { index, last: 4 * left <= sizes[index]! };
  });
}

function sizeOf(path: string): number {
  try {
    return statSync(path).size;
  } catch {
    return 0; // opening it will say why
  }
}

export function threadsOf(options: MeasureOptions): number {
  const threads = options.threads ?? availableParallelism();
  if (!Number.isSafeInteger(threads) || threads < 1) {
    throw new SteelyardError('USAGE', `threads must be a whole number above 0, not ${threads}`);
  }
  return threads;
}
