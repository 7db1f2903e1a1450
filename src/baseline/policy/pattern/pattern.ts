// Tensor names in bulk: `model.layers.{0..31}.self_attn.{q,k,v,o}_proj.weight`. No regular expressions: a policy is read by
// people, and one bad pattern must not make a gate wait for ever on a name that an attacker chose.

export interface Pattern {
  readonly text: string;
  readonly segments: readonly Segment[];
  /** Names that it spans, apart from open and named ranges; null: it has a wildcard or an open range, and spans any number. */
  readonly span: number | null;
}

/** What stands between two dots. */
export type Segment =
  | { readonly kind: 'words'; readonly words: readonly string[] }
  | { readonly kind: 'range'; readonly range: Range }
  /** `*`: any one segment; `**`: any number of them, none included. */
  | { readonly kind: 'any' }
  | { readonly kind: 'rest' };

export interface Range {
  readonly prefix: string;
  readonly suffix: string;
  readonly first: number;
  /** Inclusive; a name: up to the largest index seen under that name; null: open. */
  readonly last: number | string | null;
}

/** Words that one segment may stand for. */
const WORDS = 1000;
/** Names a pattern may span by its alternatives. */
const SPAN = 1_000_000;

/** Throws an Error with the reason. */
export function parsePattern(text: string): Pattern {
  if (text === '') throw new Error('a pattern must not be empty');
  const segments = splitSegments(text).map(parseSegment);
  const named = segments.some((one) => one.kind === 'range' && typeof one.range.last === 'string');
  if (named && segments.some(({ kind }) => kind === 'rest'))
    throw new Error('** and a named range do not go together: where the range stands would not be known');
  return { text, segments, span: spanOf(segments) };
}

/** Dots inside of braces do not separate: `{0..31}`. */
function splitSegments(text: string): string[] {
  const segments: string[] = [''];
  let depth = 0;
  for (const character of text) {
    if (character === '{') depth++;
    if (character === '}') depth--;
    if (depth < 0 || depth > 1) throw new Error('braces must come in pairs and cannot be nested');
    if (character === '.' && depth === 0) segments.push('');
    else segments[segments.length - 1] += character;
  }
  if (depth !== 0) throw new Error('a brace is not closed');
  return segments;
}

function parseSegment(text: string): Segment {
  if (text === '*') return { kind: 'any' };
  if (text === '**') return { kind: 'rest' };
  if (text.includes('*'))
    throw new Error('* stands for a whole segment between dots, ** for any number of them');
  const pieces = text.split(/[{}]/); // literal, braced, literal, …
  let words = [''];
  let range: Range | null = null;
  pieces.forEach((piece, index) => {
    const braced = index % 2 === 1;
    const found = braced ? RANGE.exec(piece) : null;
    if (found !== null) {
      if (range !== null || words.length > 1)
        throw new Error('a segment can hold one range, and no alternatives beside it');
      range = { prefix: words[0]!, suffix: '', first: Number(found[1]), last: lastOf(found[2]!) };
      if (typeof range.last === 'number' && range.last < range.first) throw new Error('a range goes upwards');
    } else if (range !== null) {
      if (braced) throw new Error('a segment can hold one range, and no alternatives beside it');
      range = { ...range, suffix: piece };
    } else {
      const choices = braced ? piece.split(',') : [piece];
      words = words.flatMap((word) => choices.map((choice) => word + choice));
      if (words.length > WORDS) throw new Error(`more than ${WORDS} alternatives in one segment`);
    }
  });
  return range === null ? { kind: 'words', words: [...new Set(words)] } : { kind: 'range', range };
}

const RANGE = /^(\d{1,9})\.\.(\d{1,9}|[A-Za-z_]\w*|)$/;

function lastOf(text: string): Range['last'] {
  if (text === '') return null;
  return /^\d/.test(text) ? Number(text) : text;
}

function spanOf(segments: readonly Segment[]): number | null {
  let span = 1;
  let isOpen = false;
  for (const segment of segments) {
    if (segment.kind === 'any' || segment.kind === 'rest') isOpen = true;
    else if (segment.kind === 'words') span *= segment.words.length;
    else if (typeof segment.range.last === 'number') span *= segment.range.last - segment.range.first + 1;
    else if (segment.range.last === null) isOpen = true;
    if (span > SPAN) throw new Error(`spans more than ${SPAN} names`);
  }
  return isOpen ? null : span;
}

/** The index that a segment of a name has in a range, written as a program writes integers; null: it is not in it. */
export function indexIn({ prefix, suffix, first, last }: Range, segment: string): number | null {
  if (!segment.startsWith(prefix) || !segment.endsWith(suffix)) return null;
  const digits = segment.slice(prefix.length, segment.length - suffix.length);
  if (!/^(0|[1-9]\d{0,8})$/.test(digits)) return null;
  const index = Number(digits);
  return index < first || (typeof last === 'number' && index > last) ? null : index;
}
