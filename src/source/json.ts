// JSON of strangers: bounded, UTF-8, no key twice (parsers differ in which of the two they take), and then only plain values.
import { quoted } from '../document/violations.ts';
import { SteelyardError } from '../rules/error.ts';

/** Throws NETWORK. `what` it is, for the message. */
export function foreignJson(bytes: Uint8Array, what: string): unknown {
  try {
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
    assertKeysDistinct(text);
    return JSON.parse(text);
  } catch (error) {
    if (!(error instanceof SyntaxError) && !(error instanceof TypeError)) throw error;
    throw new SteelyardError('NETWORK', `${what} is not strict JSON: ${error.message.slice(0, 100)}`, {
      errno: 'HTTP_4',
    });
  }
}

export const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const MAX_DEPTH = 64;
const COLON = /[ \t\r\n]*:/y;

/** Walks the tokens once. Says nothing about what JSON.parse refuses anyway. */
function assertKeysDistinct(text: string): void {
  const objects: (Set<string> | null)[] = [];
  for (let at = 0; at < text.length; at++) {
    const character = text[at];
    if (character === '{') objects.push(new Set());
    else if (character === '[') objects.push(null);
    else if (character === '}' || character === ']') objects.pop();
    else if (character === '"') {
      const end = endOfString(text, at);
      const keys = objects.at(-1);
      COLON.lastIndex = end + 1;
      if (keys && COLON.test(text)) {
        const key = JSON.parse(text.slice(at, end + 1)) as string;
        if (keys.has(key)) throw new SyntaxError(`the key ${quoted(key.slice(0, 50))} stands twice`);
        keys.add(key);
      }
      at = end;
    }
    if (objects.length > MAX_DEPTH) throw new SyntaxError(`nested deeper than ${MAX_DEPTH}`);
  }
}

function endOfString(text: string, from: number): number {
  for (let at = from + 1; at < text.length; at++) {
    if (text[at] === '\\') at++;
    else if (text[at] === '"') return at;
  }
  throw new SyntaxError('a string does not end');
}
