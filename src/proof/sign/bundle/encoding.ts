// Reads JSON that somebody else wrote, before anything is known about them. Two parsers must not see two documents: a key
// that stands twice is refused (JSON.parse keeps the last, Go's the last, others the first), as are lone surrogates.
import { JsonReader } from '../../../document/json/reader.ts';
import { Fault, Violations } from '../../../document/violations.ts';
import { refuse } from '../refusal.ts';

/** A statement about 100,000 files takes some 40 MB, and base64 a third more. */
export const MAX_DOCUMENT = 134_217_728;

/** A value for a check to look at. Refuses with MALFORMED_BUNDLE. */
export function readJson(bytes: Uint8Array, what: string): unknown {
  if (bytes.length > MAX_DOCUMENT) {
    refuse('MALFORMED_BUNDLE', `the ${what} is larger than ${MAX_DOCUMENT} bytes`);
  }
  const violations = new Violations();
  try {
    const reader = new JsonReader(bytes, 0, violations);
    reader.skip();
    if (!Number.isNaN(reader.peek())) {
      refuse('MALFORMED_BUNDLE', `something follows the JSON of the ${what} at byte ${reader.at}`);
    }
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    violations.report(error.rule, error.message, error.place);
  }
  const [first] = violations.list();
  if (first !== undefined) {
    refuse('MALFORMED_BUNDLE', `the ${what} is not strict JSON: ${first.message} at byte ${first.offset}`);
  }
  return JSON.parse(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('utf8'));
}

/** Standard base64 in its one canonical spelling: else bits that no signature covers could be changed. */
export function readBase64(text: string, what: string): Buffer {
  const bytes = Buffer.from(text, 'base64');
  if (bytes.toString('base64') !== text) refuse('MALFORMED_BUNDLE', `the ${what} is not canonical base64`);
  return bytes;
}
