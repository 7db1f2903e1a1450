// The time a scan may take. When it is over, what was measured is still reported, and what was not is an error.
import { SteelyardError } from '../../rules/error.ts';
import type { FileEntry } from '../model/file.ts';
import type { MeasureOptions } from './options.ts';

/** Timers count milliseconds in 31 bits, and fire at once where they overflow. */
const MAX_TIMEOUT = 2_147_483;

export class Deadline {
  readonly #options: MeasureOptions;
  // Not AbortSignal.any() of AbortSignal.timeout(): the timeout may be collected as garbage and never come (nodejs/node#57736,
  // seen with Node 20).
  readonly #controller = new AbortController();
  readonly #abort = (): void => this.#controller.abort(this.#options.signal?.reason);
  readonly #timer: NodeJS.Timeout | undefined;

  constructor(options: MeasureOptions) {
    this.#options = options;
    const { timeout, signal } = options;
    if (timeout !== undefined && !(timeout > 0 && timeout <= MAX_TIMEOUT)) {
      const message = `timeout must be a number of seconds up to ${MAX_TIMEOUT}, not ${timeout}`;
      throw new SteelyardError('USAGE', message);
    }
    if (signal?.aborted) this.#abort();
    signal?.addEventListener('abort', this.#abort);
    if (timeout !== undefined) this.#timer = setTimeout(this.#abort, 1000 * timeout).unref();
  }

  /** Aborted by the caller or by time. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Leaves no timer and no listener behind. */
  end(): void {
    clearTimeout(this.#timer);
    this.#options.signal?.removeEventListener('abort', this.#abort);
  }

  /** The error of a file that was stopped: by time, if the caller did not ask. */
  errorOf(error: SteelyardError, { path }: FileEntry): SteelyardError {
    if (error.code !== 'ABORTED' || !this.signal.aborted || this.#options.signal?.aborted) return error;
    const message = `the ${this.#options.timeout} seconds for the scan were over before the file was measured; allow more`;
    return new SteelyardError('LIMIT', message, { file: path });
  }
}
