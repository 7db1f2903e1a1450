// A run on disk while it grows: a line for each answer, on the disk before the next question is asked, readable by its owner alone.
// A run that was cut off goes on where it ended.

import { closeSync, constants, fdatasyncSync, fstatSync, ftruncateSync, openSync, writeSync } from 'node:fs';
import { isDeepStrictEqual } from 'node:util';
import { json } from '../../document/json/chunks.ts';
import { errnoOf, SteelyardError } from '../../rules/error.ts';
import { openRun } from './run-file.ts';
import type { RunAnswer, RunEnd, RunHeader } from './run-schema.ts';

export interface Journal {
  /** `id repeat` of the answers that are there already. */
  readonly done: ReadonlySet<string>;
  write(line: RunAnswer | RunEnd): void;
  close(): void;
}

export const keyOf = ({ id, repeat }: { readonly id: string; readonly repeat: number }): string =>
  `${id} ${repeat}`;

/** Begins a file. Throws IO, also where there is one already. */
export function createJournal(path: string, header: RunHeader): Journal {
  const { O_WRONLY, O_CREAT, O_EXCL, O_NOFOLLOW } = constants;
  const file = opened(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW);
  const journal = journalOf(file, new Set(), path);
  append(file, header, path);
  return journal;
}

/** Goes on with a file of the same run. Throws USAGE where it is of another one, and what `openRun` throws. */
export function resumeJournal(path: string, header: RunHeader): Journal {
  const run = openRun(path);
  const done = new Set(run.keys.filter((key) => run.isAnswered(key)));
  run.close();
  const same = isDeepStrictEqual({ ...run.header, startedAt: '' }, { ...header, startedAt: '' });
  if (!same)
    throw new SteelyardError('USAGE', `${path} is a run of another suite, target, release or sampling`, {
      file: path,
    });
  const file = opened(path, constants.O_WRONLY | constants.O_APPEND | constants.O_NOFOLLOW);
  // What a crash left of a line, and the end of a run that had failures, make room for what follows.
  ftruncateSync(file, run.bodyEnd);
  return journalOf(file, done, path);
}

function opened(path: string, flags: number): number {
  try {
    const file = openSync(path, flags, 0o600);
    if (!fstatSync(file).isFile())
      throw new SteelyardError('NOT_REGULAR', `${path} is not a file`, { file: path });
    return file;
  } catch (cause) {
    if (cause instanceof SteelyardError) throw cause;
    const errno = errnoOf(cause);
    const advice = errno === 'EEXIST' ? ': go on with --resume, or name another file' : '';
    throw new SteelyardError('IO', `cannot write the run to ${path} (${errno ?? cause})${advice}`, {
      file: path,
      cause,
    });
  }
}

const journalOf = (file: number, done: ReadonlySet<string>, path: string): Journal => ({
  done,
  write: (line) => append(file, line, path),
  close: () => closeSync(file),
});

function append(file: number, line: object, path: string): void {
  try {
    const bytes = Buffer.from(`${json(line)}\n`);
    for (let at = 0; at < bytes.length; ) at += writeSync(file, bytes, at);
    fdatasyncSync(file);
  } catch (cause) {
    throw new SteelyardError('IO', `cannot write the run to ${path} (${errnoOf(cause) ?? cause})`, {
      file: path,
      cause,
    });
  }
}
