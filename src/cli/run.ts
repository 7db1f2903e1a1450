// What commands that read a model have in common: Ctrl-C, progress, where it is written, and what becomes of an error.

import { SteelyardError } from '../rules/error.ts';
import type { Progress } from '../scan/measure/options.ts';
import { interruption } from './terminal/interruption.ts';
import { say, sayError } from './terminal/message.ts';
import { writeFileWhole, writeStdout } from './terminal/output.ts';
import { progressDisplay } from './terminal/progress.ts';

export interface Run {
  readonly signal: AbortSignal;
  readonly onProgress: (progress: Progress) => void;
  /** Clears the bar, before anything is printed. */
  measured(): void;
  /** Writes a file, or to stdout; after Ctrl-C the user is told what was written before it. */
  write(output: string | undefined, chunks: Iterable<string>): Promise<void>;
}

/** Errors that are a definite no, of where a model comes from and what came. */
const DEFINITE: ReadonlySet<string> = new Set([
  'SOURCE_NOT_ALLOWED',
  'SOURCE_REDIRECT',
  'SOURCE_UNPINNED',
  'SOURCE_CHANGED',
  'DIGEST_MISMATCH',
]);

/**
 * Sets the exit code: what `action` says, 2 after an error, the signal's after an interruption. `wanted`: the flag about progress.
 */
export async function run(action: (run: Run) => Promise<number>, wanted?: boolean): Promise<void> {
  const interrupted = interruption();
  const progress = progressDisplay(process.stderr, wanted);
  const written: string[] = [];
  try {
    const { signal } = interrupted;
    const write = async (output: string | undefined, chunks: Iterable<string>): Promise<void> => {
      if (output === undefined) await writeStdout(chunks);
      else await writeFileWhole(output, chunks, signal);
      written.push(output ?? 'the text on stdout');
    };
    const code = await action({ signal, onProgress: progress.update, measured: progress.end, write });
    process.exitCode = interrupted.code ?? code;
  } catch (error) {
    progress.end();
    if (error instanceof SteelyardError && error.code === 'ABORTED') {
      say(`interrupted, ${written.length === 0 ? 'nothing' : `only ${written.join(' and ')}`} was written`);
      process.exitCode = interrupted.code ?? 130;
    } else {
      sayError(error);
      process.exitCode = error instanceof SteelyardError && DEFINITE.has(error.code) ? 1 : 2;
    }
  } finally {
    interrupted.end();
  }
}
