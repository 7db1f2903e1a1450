// How a reader of headers ends where nothing more can be trusted.
import { Fault, type Violations } from '../../document/violations.ts';
import type { Pieces } from '../../runtime/turn.ts';
import type { Format, Unreadable } from './layout.ts';

/** Runs a reader; a Fault becomes its last violation. Errors about the world pass through. */
export function* refusable<T>(
  format: Format,
  violations: Violations,
  read: () => Pieces<T>,
): Pieces<T | Unreadable> {
  try {
    return yield* read();
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    violations.report(error.rule, error.message, error.place);
    return { format, headerSize: null, violations: violations.list() };
  }
}
