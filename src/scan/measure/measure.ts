// Every file of the model, some at a time; what became of each, in order.
import { statSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { SteelyardError } from '../../rules/error.ts';
import { Deadline } from '../../runtime/deadline.ts';
import { DOCUMENTS_MAX } from '../model/companion.ts';
import type { FileEntry } from '../model/file.ts';
import type { Lanes, MeasuredFile } from './measured.ts';
import type { MeasureOptions } from './options.ts';
import { MeasurePool } from './thread/pool.ts';
import { MeasureThreads } from './thread/threads.ts';
import { ticking } from './ticker.ts';

interface ModelMeasurement {
  readonly files: readonly MeasuredFile[];
  readonly errors: readonly SteelyardError[];
}

/**
 * Errors about single files are collected; ABORTED, NATIVE_UNAVAILABLE and INTERNAL are thrown.
 * `staysFree`: this thread has somebody to listen to, so that it measures nothing itself, however small.
 */
export async function measureFiles(
  entries: readonly FileEntry[],
  options: MeasureOptions,
  staysFree = false,
): Promise<ModelMeasurement> {
  const deadline = new Deadline(options, 'scan');
  try {
    return await measureUntil(deadline, entries, options, staysFree);
  } finally {
    deadline.end();
  }
}

/** With the time that a caller has for more than measuring. */
export async function measureUntil(
  deadline: Deadline,
  entries: readonly FileEntry[],
  options: MeasureOptions,
  staysFree = false,
): Promise<ModelMeasurement> {
  // A long file can employ two workers.
  const threads = Math.min(threadsOf(options), entries.length + 1);
  const lanes: Lanes =
    options.isolate === 'process'
      ? new (await import('./process/isolation.ts')).MeasureProcesses(threads, options, deadline.signal)
      : new MeasureThreads(
          new MeasurePool(threads, entries.length, deadline.signal, staysFree),
          options,
          deadline.check,
        );
  const results = new Array<MeasuredFile | SteelyardError>(entries.length);
  const order = longestFirst(entries);
  let filesDone = 0;
  let documents = 0;
  const end = ticking(options.onProgress, () => {
    const { bytesDone, bytesTotal } = lanes;
    return { filesDone, filesTotal: entries.length, bytesDone, bytesTotal };
  });
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
  } finally {
    end();
    await lanes.close();
  }
  return {
    files: results.filter((result): result is MeasuredFile => !(result instanceof SteelyardError)),
    errors: results.filter((result) => result instanceof SteelyardError),
  };

  /** Errors that belong to one file and leave the others to be measured. */
  function collectable(error: unknown, entry: FileEntry): SteelyardError {
    const found = error instanceof SteelyardError ? deadline.errorOf(error, entry.path) : error;
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
