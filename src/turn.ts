// Long work in pieces, so that a server that scans a model goes on answering meanwhile.
import { setImmediate } from 'node:timers/promises';

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

const AT_ONCE = 1000; // of a few microseconds each

/** All that there is, made piece by piece. */
export async function inTurns<T>(pieces: Iterable<T>): Promise<T[]> {
  const turn = turns();
  const all: T[] = [];
  for (const piece of pieces) {
    all.push(piece);
    if (all.length % AT_ONCE === 0) await turn();
  }
  return all;
}
