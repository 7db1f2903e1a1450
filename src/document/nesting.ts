// How deep a text nests, asked before a parser sees it: parsers of nested text take time or stack for each level.

/** No honest document is deeper. */
export const DEPTH = 64;

/** Brackets that open, and dashes in a row. Those in quoted text count too; no honest text is like that. */
export function isDeep(text: string): boolean {
  let depth = 0;
  let dashes = 0;
  for (let i = 0; i < text.length; i++) {
    const character = text[i];
    if (character === '[' || character === '{') depth++;
    else if ((character === ']' || character === '}') && depth > 0) depth--;
    if (character === '-' || character === '?') dashes += text[i + 1] === ' ' ? 1 : 0;
    else if (character !== ' ') dashes = 0;
    if (depth > DEPTH || dashes > DEPTH) return true;
  }
  return false;
}
