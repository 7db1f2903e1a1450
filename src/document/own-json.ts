// Reads JSON strictly: documents of ours, which somebody may have written by hand, and those of other tools. Every complaint says line
// and column.
import { parseDocument } from 'yaml';
import type * as z from 'zod';
import { SteelyardError } from '../rules/error.ts';
import { JsonReader } from './json/reader.ts';
import { Fault, Violations } from './violations.ts';

/** Documents of ours are smaller; reports and profiles have readers of their own. */
const MOST = 16 * 2 ** 20;
/** SBOMs of large images with every file of every package. */
const FOREIGN_MOST = 128 * 2 ** 20;

/**
 * @param name what messages call the document, such as its path.
 * @throws SteelyardError INVALID_DOCUMENT or LIMIT.
 */
export const readOwn = <Schema extends z.ZodType>(
  bytes: Uint8Array,
  schema: Schema,
  name: string,
): z.infer<Schema> => checked(readStrict(bytes, name, MOST), bytes, schema, name);

/** A document of ours whose kind is only known when it is read: `schemaOf` chooses by the value of its field `schema`. */
export function readAny<Schema extends z.ZodType>(
  bytes: Uint8Array,
  schemaOf: (name: unknown) => Schema,
  name: string,
): z.infer<Schema> {
  const value = readStrict(bytes, name, FOREIGN_MOST);
  return checked(value, bytes, schemaOf((value as { readonly schema?: unknown } | null)?.schema), name);
}

function checked<Schema extends z.ZodType>(
  value: unknown,
  bytes: Uint8Array,
  schema: Schema,
  name: string,
): z.infer<Schema> {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const { path, message } = parsed.error.issues[0]!;
  const text = Buffer.from(bytes).toString('utf8');
  throw invalid(name, text, offsetOf(text, path), `${[...path, message].join(': ')}`);
}

/**
 * A value of any shape, which its reader must look at with care.
 *
 * @throws SteelyardError INVALID_DOCUMENT or LIMIT.
 */
export const readForeignJson = (bytes: Uint8Array, name: string): unknown =>
  readStrict(bytes, name, FOREIGN_MOST);

function readStrict(bytes: Uint8Array, name: string, most: number): unknown {
  if (bytes.length > most) throw new SteelyardError('LIMIT', `${name} is larger than ${most} bytes`);
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('utf8');
  const fault = faultOf(bytes);
  if (fault !== null) throw invalid(name, text, fault.offset, fault.message);
  return JSON.parse(text);
}

/** Two parsers must not see two documents: a key that stands twice is refused, as are lone surrogates. */
function faultOf(bytes: Uint8Array): { offset: number; message: string } | null {
  const violations = new Violations();
  try {
    const reader = new JsonReader(bytes, 0, violations);
    reader.skip();
    if (!Number.isNaN(reader.peek())) return { offset: reader.at, message: 'something follows the JSON' };
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    return { offset: error.place.offset ?? 0, message: error.message };
  }
  const [first] = violations.list();
  return first === undefined ? null : { offset: first.offset ?? 0, message: first.message };
}

/** Of the innermost value on the path that is there: JSON is YAML, and that parser keeps its places. */
function offsetOf(text: string, path: readonly PropertyKey[]): number {
  const document = parseDocument(text);
  for (let length = path.length; length > 0; length--) {
    const node = document.getIn(path.slice(0, length), true) as { range?: [number] | null } | undefined;
    if (node?.range) return node.range[0];
  }
  return 0;
}

function invalid(name: string, text: string, offset: number, reason: string): SteelyardError {
  const before = text.slice(0, offset).split('\n');
  const where = `${name}:${before.length}:${before.at(-1)!.length + 1}`;
  return new SteelyardError('INVALID_DOCUMENT', `${where}: ${reason.slice(0, 300)}`);
}
