// JSON as our documents write it: fields in the order of the types whatever order objects were built in, one line per entry so that
// documents diff well, and nothing but printable ASCII, so that they are inert on a terminal.

/** Lines in pieces of about `size`: a model may have 100,000 tensors, and one string for all of them is hundreds of MB. */
export function* chunked(lines: Iterable<string>, size = 1 << 16): Generator<string, void, undefined> {
  let chunk = '';
  for (const line of lines) {
    chunk += line;
    if (chunk.length < size) continue;
    yield chunk;
    chunk = '';
  }
  yield chunk;
}

export function* list(
  name: string,
  items: Iterable<unknown>,
  fields?: string[],
): Generator<string, void, undefined> {
  yield `  "${name}": [`;
  let separator = '';
  for (const item of items) {
    yield `${separator}\n    ${json(item, fields)}`;
    separator = ',';
  }
  yield separator === '' ? ']' : '\n  ]';
}

// ESC and line breaks are escaped by JSON.stringify; C1 controls, bidi and invisible characters are not. All of non-ASCII is
// escaped, because which characters are invisible depends on the Unicode version and a report must not. Two commands of CI
// runners too, which work anywhere in a line: `##[…]` (GitHub) and `section_start:` (GitLab).
export function json(value: unknown, fields?: string[]): string {
  return harmless(JSON.stringify(value, fields));
}

function harmless(text: string): string {
  // Nearly all text is harmless, and to know it takes a quarter of the time of replacing nothing.
  if (!text.includes('##') && !text.includes('section_') && !NOT_ASCII.test(text)) return text;
  return text.replace(HARMFUL, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

/** A whole document of ours, indented. Whatever writes one that quotes others comes here, or to `json` for one line. */
export const jsonText = (value: unknown): string => `${harmless(JSON.stringify(value, null, 2))}\n`;

const NOT_ASCII = /[\u007f-\uffff]/;
const HARMFUL = /[\u007f-\uffff]|#(?=#)|s(?=ection_(?:start|end):)/g;

// JSON.stringify writes exactly the listed keys, in the order of the list, at every depth. The type asks for every field of
// T: one that is added to the contract and forgotten here does not compile.
export const fields = <T>(record: Record<keyof T, true>): string[] => Object.keys(record);
export const union = (...lists: string[][]): string[] => [...new Set(lists.flat())];
