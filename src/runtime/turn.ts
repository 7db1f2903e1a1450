// Long work in pieces, so that a server that scans a model goes on answering meanwhile.
import { setImmediate } from 'node:timers/promises';

/** Yields every few milliseconds, and returns its result. */
export type Pieces<T> = Generator<void, T, void>;

/**
 * To be called in a loop over what others wrote: throws when the time is over or nobody waits for the answer. It is handed to pure
 * stages, which have no clock of their own.
 */
export type Check = () => void;

/** For who waits as long as it takes. */
export const unhurried: Check = () => undefined;

const HELD_MAX = 10; // ms

/**
 * A function to await between two pieces: it lets the event loop turn if this thread was held for long enough, and then hears
 * `check`.
 */
export function turns(check: Check = unhurried): () => Promise<void> {
  let since = performance.now();
  return async () => {
    if (performance.now() - since < HELD_MAX) return;
    await setImmediate();
    since = performance.now();
    check();
  };
}

export async function inTurns<T>(work: Pieces<T>, check: Check = unhurried): Promise<T> {
  const turn = turns(check);
  for (;;) {
    const { done, value } = work.next();
    if (done) return value;
    await turn();
  }
}

/** For who has nobody to answer. */
export function atOnce<T>(work: Pieces<T>): T {
  for (;;) {
    const { done, value } = work.next();
    if (done) return value;
  }
}
