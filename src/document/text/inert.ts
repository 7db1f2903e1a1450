// The one encoder for foreign strings (names, paths, metadata, messages that quote them) on their way into text. What comes
// out is one line of visible characters that no terminal and no CI runner obeys, and that decodes to what went in.

/** Long enough for real tensor names and paths; a name of 64 KiB would push the verdict off the screen. */
const LIMIT = 200;
/** Of a text that is cut, this much of the end stays: layers differ in their last words. */
const TAIL = 24;

/** Renders any string harmless. `limit` is in characters of output, the note about a cut not counted. */
export function inert(text: string, limit: number = LIMIT): string {
  // An empty name would be invisible. Backslash before `{` is never data: data has its backslashes doubled.
  if (text === '') return '\\{empty}';
  if (text.length <= limit && PLAIN.test(text)) return text;
  const pieces = encoded(text);
  if (pieces.reduce((sum, piece) => sum + piece.length, 0) <= limit) return pieces.join('');
  const tail = Math.min(TAIL, limit >> 1);
  const first = fitting(pieces, limit - tail);
  const last = fitting(pieces.slice(first).reverse(), tail);
  const cut = `\\{${pieces.length - first - last} characters cut}`;
  return pieces.slice(0, first).join('') + cut + pieces.slice(pieces.length - last).join('');
}

/** Printable ASCII in which none of the rules below finds anything to do: nearly every name there is. */
const PLAIN = /^(?![: ])(?!.* {2})(?!.*section_)[ !"$-[\]-~]+(?<! )$/;

// Controls, ESC, bidi controls, zero width, tag characters, surrogates, private use and unassigned (C), line separators (Z)
// other than the space, fillers and variation selectors that show as nothing (DI), and the Braille blank.
const INVISIBLE = /^[\p{C}\p{Zl}\p{Zp}\p{DI}\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000\u2800]$/u;
const MARK = /^\p{M}$/u;

/** Marks on one base character; a longer stack paints over the lines above and below it. */
const MARKS = 3;

/** One piece per character: the character itself or its escape. */
function encoded(text: string): string[] {
  const pieces: string[] = [];
  let at = 0;
  let marks = MARKS; // a mark needs a visible base of its own, else it would change a character of ours
  for (const character of text) {
    const next = at + character.length;
    const mark = MARK.test(character);
    const hidden =
      INVISIBLE.test(character) ||
      (mark && marks >= MARKS) ||
      // A run of spaces imitates our columns; one at an edge cannot be seen.
      (character === ' ' && (at === 0 || next === text.length || text[at - 1] === ' ')) ||
      commands(text, at);
    pieces.push(hidden ? escaped(character) : character === '\\' ? '\\\\' : character);
    if (hidden || character === ' ') marks = MARKS;
    else marks = mark ? marks + 1 : 0;
    at = next;
  }
  return pieces;
}

// CI runners read the output of a step for commands, so a tensor named `::stop-commands::x` could switch off every later
// annotation. GitHub: `::` at the start of a line, after blanks (a colon of ours may follow the data, so a single one is
// enough), and the older `##[` anywhere in it; Azure and TeamCity: `##vso[`, `##teamcity[`; GitLab: `section_start:`.
function commands(text: string, at: number): boolean {
  const character = text[at];
  if (character === ':') return at === 0;
  if (character === '#') return text[at + 1] === '#';
  return character === 's' && (text.startsWith('section_start:', at) || text.startsWith('section_end:', at));
}

const escaped = (character: string): string => `\\u{${character.codePointAt(0)!.toString(16)}}`;

/** How many pieces from the front fit into `room` characters. */
function fitting(pieces: readonly string[], room: number): number {
  let used = 0;
  const end = pieces.findIndex((piece) => {
    used += piece.length;
    return used > room;
  });
  return end < 0 ? pieces.length : end;
}
