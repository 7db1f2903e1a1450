// Python's fnmatch: `*` and `?` cross slashes, `[a-c]` and `[!x]` are sets, nothing else is special. Two pointers, no regular
// expression: patterns are the layout owner's, names are whatever a link says.

type Token = { readonly star: true } | { readonly star: false; fits(character: string): boolean };

export function fnmatch(pattern: string): (name: string) => boolean {
  const tokens = tokensOf(Array.from(pattern));
  return (name) => matchesAll(tokens, Array.from(name));
}

function matchesAll(tokens: readonly Token[], name: readonly string[]): boolean {
  let at = 0;
  let token = 0;
  let star = -1;
  let retry = 0;
  while (at < name.length) {
    const current = tokens[token];
    if (current !== undefined && !current.star && current.fits(name[at]!)) {
      at++;
      token++;
    } else if (current?.star) {
      star = token++;
      retry = at;
    } else if (star >= 0) {
      token = star + 1;
      at = ++retry;
    } else return false;
  }
  while (tokens[token]?.star) token++;
  return token === tokens.length;
}

function tokensOf(pattern: readonly string[]): Token[] {
  const tokens: Token[] = [];
  for (let i = 0; i < pattern.length; i++) {
    const character = pattern[i]!;
    if (character === '*') tokens.push({ star: true });
    else if (character === '?') tokens.push({ star: false, fits: () => true });
    else if (character !== '[') tokens.push({ star: false, fits: (one) => one === character });
    else {
      const end = endOfSet(pattern, i + 1);
      // A bracket that does not close stands for itself.
      tokens.push(end < 0 ? { star: false, fits: (one) => one === '[' } : setOf(pattern.slice(i + 1, end)));
      if (end >= 0) i = end;
    }
  }
  return tokens;
}

/** A bracket right after the opening one, or after `!`, belongs to the set. */
function endOfSet(pattern: readonly string[], start: number): number {
  let at = start;
  if (pattern[at] === '!') at++;
  if (pattern[at] === ']') at++;
  return pattern.indexOf(']', at);
}

function setOf(content: readonly string[]): Token {
  const negated = content[0] === '!';
  const items = negated ? content.slice(1) : content;
  const ranges: [string, string][] = [];
  for (let i = 0; i < items.length; i++) {
    const isRange = items[i + 1] === '-' && i + 2 < items.length;
    ranges.push([items[i]!, isRange ? items[i + 2]! : items[i]!]);
    if (isRange) i += 2;
  }
  const point = (character: string): number => character.codePointAt(0)!;
  const within = (one: string): boolean =>
    ranges.some(([from, to]) => point(from) <= point(one) && point(one) <= point(to));
  return { star: false, fits: (one) => within(one) !== negated };
}
