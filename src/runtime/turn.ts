// Long work in pieces, so that a server that scans a model goes on answering meanwhile.
import { setImmediate } from 'node:timers/promises';

/** Yields every few milliseconds, and returns its result. */
export type Pieces<T> = Generator<void, T, void>;

const HELD_MAX = 10; // ms

/** A function to await between two pieces: it lets the event loop turn if this thread was held for long enough. */
export function turns(): () => Promise<void> {
  let since = performance.now();
  return async () => {
    if (performance.now() - since < HELD_MAX) return;
    await setImmediate();
    since = performance.now();
  };
}

export async function inTurns<T>(work: Pieces<T>): Promise<T> {
  const turn = turns();
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
