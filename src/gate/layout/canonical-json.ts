// OLPC canonical JSON, over which in-toto's old envelope signs: keys sorted, no blanks, integers alone, and in strings only `\` and
// `"` escaped, so that control characters stay raw. Not RFC 8785, and not even JSON.
import { deny } from '../verdict/denial.ts';

export function canonicalJson(value: unknown): Buffer {
  const parts: string[] = [];
  write(value, parts);
  return Buffer.from(parts.join(''), 'utf8');
}

function write(value: unknown, parts: string[]): void {
  if (value === null || typeof value === 'boolean') parts.push(String(value));
  else if (typeof value === 'string') parts.push(quoted(value));
  else if (typeof value === 'number') parts.push(integer(value));
  else if (Array.isArray(value)) list(value, parts);
  else object(value as Record<string, unknown>, parts);
}

const quoted = (text: string): string => `"${text.replace(/[\\"]/g, '\\$&')}"`;

function integer(value: number): string {
  if (Number.isSafeInteger(value)) return String(value);
  return deny('MALFORMED_LAYOUT', 'a number that is no integer cannot be signed over');
}

function list(values: readonly unknown[], parts: string[]): void {
  parts.push('[');
  for (const [index, value] of values.entries()) {
    if (index > 0) parts.push(',');
    write(value, parts);
  }
  parts.push(']');
}

function object(fields: Record<string, unknown>, parts: string[]): void {
  parts.push('{');
  for (const [index, key] of Object.keys(fields).sort(byCodePoint).entries()) {
    parts.push(index > 0 ? ',' : '', quoted(key), ':');
    write(fields[key], parts);
  }
  parts.push('}');
}

/** Python sorts by code points, JavaScript by UTF-16 units: bytes of UTF-8 are in the order of code points. */
const byCodePoint = (a: string, b: string): number => Buffer.compare(Buffer.from(a), Buffer.from(b));
