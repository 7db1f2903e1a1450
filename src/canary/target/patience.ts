// How a target is waited for: no faster than allowed, longer after each refusal, and as long as it asks for. What went wrong, as
// one of our errors.
import { setTimeout as pause } from 'node:timers/promises';
import { errnoOf, SteelyardError } from '../../rules/error.ts';

/** A target that asks for more patience is not waited for. */
const PATIENCE = 30_000;

/** At most `rate` a second, evenly. */
export function pacer(rate: number | undefined): (signal: AbortSignal) => Promise<void> {
  let next = 0;
  return async (signal) => {
    if (rate === undefined) return;
    const now = performance.now();
    const wait = Math.max(0, next - now);
    next = Math.max(next, now) + 1000 / rate;
    if (wait > 0) await waited(wait, signal);
  };
}

/** What the target asks for, else twice as long each time, with chance in it: clients that wait alike come back alike. */
export function delay(status: number | null, asked: string | undefined, attempts: number): number {
  const seconds = asked === undefined ? Number.NaN : Number(asked);
  if (seconds * 1000 > PATIENCE)
    throw new SteelyardError(
      'IO',
      `the target answered ${status} and asks to wait for ${seconds} s; ask at a lower --rate`,
    );
  if (seconds >= 0) return seconds * 1000;
  return 250 * 2 ** (attempts - 1) * (0.5 + Math.random());
}

export async function waited(ms: number, signal: AbortSignal): Promise<void> {
  await pause(ms, undefined, { signal }).catch((error) => {
    throw failure(error, signal);
  });
}

export const codeOf = (error: unknown): string => String((error as { code?: unknown } | null)?.code ?? '');

export function failure(cause: unknown, signal: AbortSignal): SteelyardError {
  if (cause instanceof SteelyardError) return cause;
  if (signal.aborted) return new SteelyardError('ABORTED', 'interrupted', { cause });
  const code = codeOf(cause);
  if ((cause as Error | null)?.name === 'TimeoutError' || code.includes('TIMEOUT'))
    return new SteelyardError('TIMEOUT', 'the target did not answer in time', { cause });
  const errno = errnoOf(cause);
  return new SteelyardError('IO', `the target cannot be reached (${code === '' ? String(cause) : code})`, {
    ...(errno === undefined ? {} : { errno }),
    cause,
  });
}
