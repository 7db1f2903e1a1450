// When to try again, and how long to wait before it.
import { setTimeout } from 'node:timers/promises';
import { SteelyardError } from '../../rules/error.ts';

/** Tries without a new byte before a transfer is given up. */
export const TRIES = 6;
const FIRST = 0.5; // seconds
const LONGEST = 30;

/** Full jitter, so that a thousand clients of a server that fell over do not come back at once; what the server says wins. */
export const pauseBefore = (attempt: number, asked: number | null, random = Math.random()): number =>
  asked ?? random * Math.min(LONGEST, FIRST * 2 ** attempt);

/** Throws ABORTED. */
export async function wait(seconds: number, signal?: AbortSignal): Promise<void> {
  await setTimeout(1000 * seconds, undefined, signal === undefined ? {} : { signal }).catch(() => {
    throw new SteelyardError('ABORTED', 'the transfer was aborted');
  });
}
