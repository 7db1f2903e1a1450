// The word that somebody meant: for messages about misspelt fields, options and rules.

/** The nearest of `known` within two edits, as an ending of a sentence; empty if none is near. */
export function didYouMean(word: string, known: Iterable<string>): string {
  let best: string | undefined;
  let least = 3;
  for (const candidate of known) {
    const edits = distance(word, candidate, least);
    if (edits < least) [best, least] = [candidate, edits];
  }
  return best === undefined ? '' : ` (did you mean ${best}?)`;
}

/** Levenshtein's: how many letters must be put, left out or changed; given up at `limit`. */
export function distance(a: string, b: string, limit: number): number {
  if (Math.abs(a.length - b.length) >= limit) return limit;
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 0; i < a.length; i++) {
    const next = [i + 1];
    for (let j = 0; j < b.length; j++)
      next.push(Math.min(row[j]! + (a[i] === b[j] ? 0 : 1), row[j + 1]! + 1, next[j]! + 1));
    row = next;
  }
  return row[b.length]!;
}
