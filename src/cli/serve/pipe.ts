// Standard input as bytes, bounded: a template may render for ever.
import { errnoOf, SteelyardError } from '../../rules/error.ts';

/** Throws LIMIT, IO, ABORTED. */
export async function readPiped(most: number, signal: AbortSignal): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  const stop = (): void => void process.stdin.destroy();
  signal.addEventListener('abort', stop, { once: true });
  try {
    for await (const chunk of process.stdin as AsyncIterable<Buffer>) {
      size += chunk.length;
      if (size > most) throw new SteelyardError('LIMIT', `standard input has more than ${most} bytes`);
      chunks.push(chunk);
    }
  } catch (cause) {
    if (cause instanceof SteelyardError) throw cause;
    if (!signal.aborted) {
      const errno = errnoOf(cause);
      throw new SteelyardError('IO', `cannot read standard input (${errno ?? 'unknown'})`, { cause });
    }
  } finally {
    signal.removeEventListener('abort', stop);
  }
  if (signal.aborted) throw new SteelyardError('ABORTED', 'interrupted');
  return Buffer.concat(chunks);
}
