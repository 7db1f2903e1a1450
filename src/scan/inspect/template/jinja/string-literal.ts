// The value of a string literal. Jinja2 decodes it as Python does (unicode-escape), so `\137`, `\x5f`, `\u005f`,
// `\U0000005f` and `\N{LOW LINE}` all spell the underscore of `__class__`.
import { SyntaxFault } from './syntax-fault.ts';

/** `text`: what stands between the quotes. `at`: where the literal begins, for a refusal. */
export function unescaped(text: string, at: number): string {
  if (!text.includes('\\')) return text;
  return text.replace(ESCAPE, (whole: string, sequence: string) => {
    const simple = SIMPLE.get(sequence);
    if (simple !== undefined) return simple;
    const code = codeOf(sequence);
    if (code === undefined) return whole;
    if (Number.isNaN(code) || code > 0x10ffff)
      throw new SyntaxFault('an escape in a string is malformed', at);
    return String.fromCodePoint(code);
  });
}

const ESCAPE = /\\(x[\da-fA-F]{2}|u[\da-fA-F]{4}|U[\da-fA-F]{8}|N\{[^}]{0,100}\}|[0-7]{1,3}|[\s\S])/g;

const SIMPLE = new Map([
  ['\n', ''],
  ['\\', '\\'],
  ["'", "'"],
  ['"', '"'],
  ['a', '\x07'],
  ['b', '\b'],
  ['f', '\f'],
  ['n', '\n'],
  ['r', '\r'],
  ['t', '\t'],
  ['v', '\v'],
]);

/** undefined: no escape of Python, the backslash stands for itself. */
function codeOf(sequence: string): number | undefined {
  if (/^[0-7]/.test(sequence)) return Number.parseInt(sequence, 8);
  if (/^[xuU]./.test(sequence)) return Number.parseInt(sequence.slice(1), 16);
  if (/^N\{/.test(sequence)) return NAMED.get(sequence.slice(2, -1).toUpperCase()) ?? 0xfffd;
  return /^[xuUN]$/.test(sequence) ? Number.NaN : undefined;
}

/** Characters that names of attributes are made of and that have a name other than their letter. */
const NAMED = new Map<string, number>([
  ['LOW LINE', 0x5f],
  ['SPACING UNDERSCORE', 0x5f],
  ['FULL STOP', 0x2e],
  ['LEFT CURLY BRACKET', 0x7b],
  ['PERCENT SIGN', 0x25],
  ...Array.from('abcdefghijklmnopqrstuvwxyz', (letter): [string, number] => [
    `LATIN SMALL LETTER ${letter.toUpperCase()}`,
    letter.charCodeAt(0),
  ]),
]);
