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
  /** The largest |Δ log-probability| of a token that both name. */
  readonly delta: number;
}

/**
 * Position by position while both chose the same token; the first disagreement is included, what follows has another context and
 * cannot be compared.
 */
export function divergenceOf(before: readonly Token[], after: readonly Token[]): Divergence {
  let worst = { js: 0, position: 0 };
  let delta = 0;
  let compared = 0;
  for (let i = 0; i < Math.min(before.length, after.length); i++) {
    const [a, b] = [before[i]!, after[i]!];
    const one = positionOf(a, b);
    if (one.js > worst.js) worst = { js: one.js, position: i };
    delta = Math.max(delta, one.delta);
    compared++;
    if (a[0] !== b[0]) break;
  }
  return { ...worst, compared, delta };
}

/**
 * From lists of the likeliest tokens: those that both name, and one bucket for everything else. To lump outcomes together can only
 * bring two distributions closer (data processing), so this is at most the true divergence: it can miss, and never invent.
 */
function positionOf(a: Token, b: Token): { js: number; delta: number } {
  const before = listOf(a);
  let js = 0;
  let delta = 0;
  const rest = [1, 1] as [number, number];
  for (const [token, logprob] of listOf(b)) {
    const other = before.get(token);
    if (other === undefined) continue;
    const [p, q] = [Math.exp(other), Math.exp(logprob)];
    js += term(p, q);
    rest[0] -= p;
    rest[1] -= q;
    delta = Math.max(delta, Math.abs(other - logprob));
  }
  js += term(Math.max(0, rest[0]), Math.max(0, rest[1]));
  return { js: Math.max(0, js), delta };
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
