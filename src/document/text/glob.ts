// Paths by pattern: `*` within a segment, `**` for any number of segments, a backslash before either for itself. Two pointers and one place to go back to, so the
// time is at most pattern × path, whatever an attacker calls a file.

export function matchesGlob(glob: string, path: string): boolean {
  return matches(glob.split('/'), path.split('/'), (pattern) => pattern === '**', matchesSegment);
}

const matchesSegment = (pattern: string, segment: string): boolean =>
  matches(
    pattern.match(/\\[*\\]|[\s\S]/gu) ?? [],
    [...segment],
    (character) => character === '*',
    (a, b) => (a.length > 1 && a.startsWith('\\') ? a.slice(1) : a) === b,
  );

/** The pattern that only `path` matches. */
export const escapedGlob = (path: string): string => path.replace(/[*\\]/g, '\\$&');

/** Only the last star needs another try: what an earlier one could take over, the last one can take as well. */
function matches(
  pattern: readonly string[],
  items: readonly string[],
  isStar: (part: string) => boolean,
  equals: (part: string, item: string) => boolean,
): boolean {
  let at = 0;
  let star = -1;
  let resume = 0;
  for (let i = 0; i < items.length; ) {
    const part = pattern[at];
    if (part !== undefined && isStar(part)) {
      star = at++;
      resume = i;
    } else if (part !== undefined && equals(part, items[i]!)) {
      at++;
      i++;
    } else if (star >= 0) {
      at = star + 1;
      i = ++resume;
    } else return false;
  }
  return pattern.slice(at).every(isStar);
}
