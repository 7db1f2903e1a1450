// The time that an answer may take, and whether anybody still waits for it: one for everything that a command does. What was known
// when it is over is still told, and what was not is an error.
import { SteelyardError } from '../rules/error.ts';
import type { Check } from './turn.ts';

interface Patience {
  /** Seconds. */
  readonly timeout?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Timers count milliseconds in 31 bits, and fire at once where they overflow. */
const MAX_TIMEOUT = 2_147_483;

export class Deadline {
  readonly #patience: Patience;
  readonly #end: number;
  readonly #over: SteelyardError;
  // Not AbortSignal.any() of AbortSignal.timeout(): the timeout may be collected as garbage and never come (nodejs/node#57736,
  // seen with Node 20).
  readonly #controller = new AbortController();
  readonly #abort = (): void => this.#controller.abort(this.#patience.signal?.reason);
  readonly #timer: NodeJS.Timeout | undefined;

  /** `what` the time is for, as a noun. */
  constructor(patience: Patience, what: string) {
    this.#patience = patience;
    const { timeout, signal } = patience;
    if (timeout !== undefined && !(timeout > 0 && timeout <= MAX_TIMEOUT)) {
      const message = `timeout must be a number of seconds up to ${MAX_TIMEOUT}, not ${timeout}`;
      throw new SteelyardError('USAGE', message);
    }
    const told = `the ${timeout} seconds for the ${what} were over before everything was looked at; allow more`;
    this.#over = new SteelyardError('LIMIT', told);
    this.#end = performance.now() + 1000 * (timeout ?? Number.POSITIVE_INFINITY);
    if (signal?.aborted) this.#abort();
    signal?.addEventListener('abort', this.#abort);
    if (timeout !== undefined) this.#timer = setTimeout(this.#abort, 1000 * timeout).unref();
  }

  /** Aborted by the caller or by time. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Timers wait for work that holds the thread; this looks at the clock itself. */
  readonly check: Check = () => {
    if (this.#patience.signal?.aborted) throw new SteelyardError('ABORTED', 'the scan was aborted');
    if (!this.signal.aborted && performance.now() < this.#end) return;
    this.#abort();
    throw this.#over;
  };

  /** Whether it was the time that ended the work. */
  isOver(error: unknown): boolean {
    if (this.#patience.signal?.aborted || !this.signal.aborted) return false;
    return error === this.#over || (error instanceof SteelyardError && error.code === 'ABORTED');
  }

  /** Leaves no timer and no listener behind. */
  end(): void {
    clearTimeout(this.#timer);
    this.#patience.signal?.removeEventListener('abort', this.#abort);
  }

  get over(): SteelyardError {
    return this.#over;
  }

  /** The error of a file that was stopped: by time, if the caller did not ask. */
  errorOf(error: SteelyardError, file: string): SteelyardError {
    return this.isOver(error) ? new SteelyardError('LIMIT', this.#over.message, { file }) : error;
  }
}
