// What a caller asks of the measure stage, and hears of it.
import {
  type Checks,
  callback,
  flag,
  ofType,
  oneOf,
  positive,
  signal,
  threads,
} from '../../document/options.ts';
import type { Io, NativeMeasurement } from './native.ts';

/** Of one file. */
export interface FileMeasurement extends Omit<NativeMeasurement, 'record'> {
  /** Of the workers that shared the file, in the order of its ranges; the last has the file's digest. */
  readonly records: readonly ArrayBuffer[];
}

/** What the native pass made of a file while it arrived, and which ranges it was told. */
export interface Followed {
  readonly size: number;
  readonly ranges: Float64Array;
  readonly native: FileMeasurement;
  /** Of a file that is not kept whole: whether these bytes of it are. What lies between them is zeros that nobody sent. */
  readonly kept?: (start: number, end: number) => boolean;
}

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
   * Seconds after which nothing is measured or looked at any more: LIMIT, or TIMEOUT for a file whose process was killed. A system call that
   * hangs (a dead network file system) can only be left behind with isolate 'process'.
   */
  readonly timeout?: number;
  /** Stops the scan within 100 ms; the promise rejects with ABORTED. */
  readonly signal?: AbortSignal;
  /** Called about ten times a second. */
  readonly onProgress?: (progress: Progress) => void;
  /** Files that were measured while they arrived, by path; one whose readers now plan otherwise is measured again. */
  readonly followed?: ReadonlyMap<string, Followed>;
}

export const MEASURE_CHECKS: Checks<MeasureOptions> = {
  threads,
  io: oneOf('auto', 'mmap', 'pread'),
  rows: flag,
  sketch: flag,
  forensics: flag,
  isolate: oneOf('thread', 'process'),
  timeout: positive,
  signal,
  onProgress: callback,
  followed: ofType('object', 'what pull returned'),
};
