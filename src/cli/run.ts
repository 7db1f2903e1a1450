// What commands that read a model have in common: Ctrl-C, progress, and what becomes of an error.
import { SteelyardError } from '../error.ts';
import type { Progress } from '../index.ts';
import { interruption } from './interruption.ts';
import { say, sayError } from './message.ts';
import { progressDisplay } from './progress.ts';

export interface Run {
  readonly signal: AbortSignal;
  readonly onProgress: (progress: Progress) => void;
  /** Clears the bar, before anything is printed. */
  measured(): void;
}

/**
 * Sets the exit code: what `action` says, 2 after an error, the signal's after an interruption. `wanted`: the flag about progress.
 */
export async function run(action: (run: Run) => Promise<number>, wanted?: boolean): Promise<void> {
  const interrupted = interruption();
  const progress = progressDisplay(process.stderr, wanted);
  try {
    const { signal } = interrupted;
    const code = await action({ signal, onProgress: progress.update, measured: progress.end });
    process.exitCode = interrupted.code ?? code;
  } catch (error) {
    progress.end();
    if (error instanceof SteelyardError && error.code === 'ABORTED') {
      say('interrupted, nothing was written');
      process.exitCode = interrupted.code ?? 130;
    } else {
      sayError(error);
      process.exitCode = 2;
    }
  } finally {
    interrupted.end();
  }
}
