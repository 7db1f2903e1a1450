// Our own documents in JSON, read as strictly as a header: no key twice, nothing behind the end, no unknown field.
import type { z } from 'zod';
import { readJson } from '../document/json/value.ts';
import { SteelyardError } from '../rules/error.ts';

const SIZE = 16 * 2 ** 20;

/** @param what the document is, for messages: 'fingerprint'. Throws INVALID_DOCUMENT, LIMIT. */
export function readDocument<T>(bytes: Uint8Array, schema: z.ZodType<T>, what: string, most = SIZE): T {
  if (bytes.length > most) throw new SteelyardError('LIMIT', `the ${what} is larger than ${most} bytes`);
  const refuse = (reason: string, cause?: unknown): SteelyardError =>
    new SteelyardError('INVALID_DOCUMENT', `the ${what} cannot be used: ${reason}`, { cause });
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (cause) {
    throw refuse('it is not UTF-8', cause);
  }
  const reading = readJson(text);
  if ('wrong' in reading) throw refuse(reading.wrong);
  const parsed = schema.safeParse(JSON.parse(text));
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw refuse(`${issue!.path.length === 0 ? '' : `${issue!.path.join('.')}: `}${issue!.message}`);
}
