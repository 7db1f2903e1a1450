// How far apart two answers are, from their log-probabilities. Texts are a bad measure: the same weights, quantised anew, write
// other words, and a plant that waits below the surface changes none.
import type { Token } from '../target/target.ts';

interface Divergence {
  /** The largest Jensen-Shannon divergence over the compared positions, in nats: 0 to 0.69. */
  readonly js: number;
  /** Where it is. */
  readonly position: number;
  /** Positions that were compared. */
  readonly compared: number;
  /** Positions where the tokenizers cut the same text in other places: their lists are about other words. */
  readonly incomparable: number;
  /** The token there that gained most; null: none did. */
  readonly gained: string | null;
}

/**
 * Position by position while both chose the same token; the first disagreement is included, what follows has another context and
 * cannot be compared. Tokens are aligned by the text they make.
 */
export function divergenceOf(before: readonly Token[], after: readonly Token[]): Divergence {
  let worst = { js: 0, position: 0, gained: null as string | null };
  let [compared, incomparable, i, j] = [0, 0, 0, 0];
  while (i < before.length && j < after.length) {
    const [a, b] = [before[i]!, after[j]!];
    if (a[0] !== b[0]) {
      const next = rejoined(before, after, i, j);
      if (next !== null) {
        incomparable += Math.max(next[0] - i, next[1] - j);
        [i, j] = next;
        continue;
      }
    }
    const one = positionOf(a, b);
    if (one.js > worst.js) worst = { ...one, position: j };
    compared++;
    if (a[0] !== b[0]) break;
    i++;
    j++;
  }
  return { ...worst, compared, incomparable };
}

/** Tokens that one tokenizer makes of what the other cuts differently. */
const SPAN = 64;

/** Where both texts meet again, if they say the same until there: "bill" + "ing" and "billing" are no disagreement. */
function rejoined(
  before: readonly Token[],
  after: readonly Token[],
  i: number,
  j: number,
): readonly [number, number] | null {
  let [a, b] = [before[i]![0], after[j]![0]];
  let [nextA, nextB] = [i + 1, j + 1];
  while (a.length !== b.length) {
    if (a === '' || b === '' || !(a.startsWith(b) || b.startsWith(a))) return null;
    if (nextA - i > SPAN || nextB - j > SPAN) return null;
    const more = a.length < b.length ? before[nextA++] : after[nextB++];
    if (more === undefined) return null;
    if (a.length < b.length) a += more[0];
    else b += more[0];
  }
  return a === b ? [nextA, nextB] : null;
}

/**
 * From lists of the likeliest tokens: those that both name, and one bucket for everything else. To lump outcomes together can only
 * bring two distributions closer (data processing), so this is at most the true divergence: it can miss, and never invent.
 */
function positionOf(a: Token, b: Token): { js: number; gained: string | null } {
  const before = listOf(a);
  let js = 0;
  let gain = 0;
  let gained: string | null = null;
  const rest: [number, number] = [1, 1];
  for (const [token, logprob] of listOf(b)) {
    const other = before.get(token);
    const q = Math.exp(logprob);
    const p = other === undefined ? 0 : Math.exp(other);
    if (q - p > gain) [gain, gained] = [q - p, token];
    if (other === undefined) continue;
    js += term(p, q);
    rest[0] -= p;
    rest[1] -= q;
  }
  js += term(Math.max(0, rest[0]), Math.max(0, rest[1]));
  return { js: Math.max(0, js), gained };
}

/** Two tokens that are spelled alike (bytes that are no character) count once, with the likelier one. */
function listOf([token, logprob, alternatives]: Token): Map<string, number> {
  const list = new Map<string, number>();
  for (const [one, value] of [...alternatives, [token, logprob] as const]) {
    const known = list.get(one);
    if (known === undefined || value > known) list.set(one, value);
  }
  return list;
}

function term(p: number, q: number): number {
  const middle = (p + q) / 2;
  return ((p > 0 ? p * Math.log(p / middle) : 0) + (q > 0 ? q * Math.log(q / middle) : 0)) / 2;
}
