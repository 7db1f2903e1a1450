// What a conversion may do to a tensor. The errors are measured on Gaussian and Laplace weights; three times the larger of the
// two passes. Order-free statistics only: converters to GGUF permute the rows of attention matrices.
import type { Stats } from '../../scan/measure/record/stats.ts';
import type { TensorProfile } from '../../scan/profile/profile.ts';
import { divergence, type Spread, spread } from './distance.ts';

const MARGIN = 3;

interface Loss {
  /** Relative L2 error of the values. */
  readonly error: number;
  /** Relative change of the norm. */
  readonly norm: number;
  /** Jensen-Shannon divergence, bits, over magnitudes from `from` × the root mean square upwards, signs apart. */
  readonly divergence: number;
  readonly from: number;
}

const FINE = { divergence: 1e-3, from: 0 };
// A quantiser's grid is visible in every bin below some multiple of its step; only whole octaves of large values compare.
const COARSE = { divergence: 2e-2, from: 0.5 };
const quantiser = (error: number): Loss => ({ error, norm: error ** 2 / 2, ...COARSE });

const LOSSES: ReadonlyMap<string, Loss> = new Map([
  ['F64', { error: 0, norm: 1e-12, ...FINE }],
  ['F32', { error: 6e-8, norm: 1e-8, ...FINE }],
  ['BF16', { error: 1.66e-3, norm: 5.4e-5, ...FINE }],
  ['F16', { error: 2.07e-4, norm: 1e-5, ...FINE }],
  ['F8_E4M3', { error: 2.65e-2, norm: 3.7e-4, ...COARSE }],
  ['F8_E5M2', quantiser(5.3e-2)],
  ['Q8_0', { error: 6.7e-3, norm: 2e-5, ...COARSE }],
  ['Q6_K', quantiser(2e-2)],
  ['Q5_0', quantiser(5.4e-2)],
  ['Q5_1', quantiser(5.4e-2)],
  ['Q5_K', quantiser(4e-2)],
  ['Q4_0', { error: 0.107, norm: 3.7e-3, ...COARSE, divergence: 6e-2 }],
  ['Q4_1', { ...quantiser(0.107), divergence: 6e-2 }],
  ['Q4_K', { ...quantiser(0.08), divergence: 6e-2 }],
  ['IQ4_NL', { ...quantiser(0.1), divergence: 6e-2 }],
  ['IQ4_XS', { ...quantiser(0.1), divergence: 6e-2 }],
  ['Q3_K', { ...quantiser(0.18), divergence: 0.15 }],
  ['Q2_K', { ...quantiser(0.32), divergence: 0.25 }],
]);

/** How far a single value is rounded, at most: half a unit of its last place. Of blocks, their own error stands for it. */
const ROUNDED: ReadonlyMap<string, number> = new Map([
  ['F64', 2 ** -53],
  ['F32', 2 ** -24],
  ['F16', 2 ** -11],
  ['BF16', 2 ** -8],
  ['F8_E4M3', 2 ** -4],
  ['F8_E5M2', 2 ** -3],
]);

/** Relative L2 error of values that were rounded to a dtype, at most; null: not known. */
export function roundingError(dtype: string): number | null {
  const error = ownError(dtype);
  return error === null ? null : MARGIN * error;
}

/** The same as it is, of weights without a pattern. */
export const ownError = (dtype: string): number | null => LOSSES.get(dtype)?.error ?? null;

/** Why `now` is not `base` converted; null: it may be. A conversion that cannot be judged is none that passes. */
export function strayed(good: TensorProfile, suspect: TensorProfile): string | null {
  const loss = LOSSES.get(suspect.dtype);
  if (good.stats === null)
    return 'the baseline has no statistics of it: make the baseline without --no-stats';
  if (loss === undefined || suspect.stats === null || suspect.stats.l2 === null || good.stats.l2 === null)
    return `nothing can be said about a conversion from ${good.dtype} to ${suspect.dtype}`;
  const [before, after] = [good.stats, suspect.stats];
  // The errors of single values add up at random, so a small tensor's norm moves more.
  // Where few values carry the energy, it moves as far as they are rounded: (Σx⁴)½ / Σx² is at most absMax / l2.
  const led = before.l2 === 0 ? 0 : Number(before.absMax ?? 0) / before.l2!;
  const room =
    MARGIN * loss.norm +
    (2 * MARGIN * loss.error) / Math.sqrt(Math.max(1, before.count)) +
    (ROUNDED.get(suspect.dtype) ?? loss.error) * led;
  const moved = before.l2 === 0 ? after.l2! : after.l2! / before.l2! - 1;
  if (Math.abs(moved) > room)
    return `its norm changed by ${percent(moved)}, and ${suspect.dtype} explains ${percent(room)}`;
  const floor = (loss.from * before.l2!) / Math.sqrt(Math.max(1, before.count));
  const apart = divergence(above(before, floor), above(after, floor));
  // A value beside a bin's edge crosses it: a few of them are a lot in a tensor of 64.
  const allowed = loss.divergence + 4 / Math.max(1, before.count);
  if (apart === null || apart <= allowed) return null;
  return `its values are spread otherwise: Jensen-Shannon divergence ${apart.toPrecision(2)} bit, and ${suspect.dtype} explains ${allowed.toPrecision(2)}`;
}

export const percent = (part: number): string =>
  `${part > 0 ? '+' : ''}${Number((part * 100).toPrecision(3))} %`;

const BINS = 4;

/** Whole octaves from `floor` upwards, signs apart; all that is smaller counts as one. */
function above(stats: Stats, floor: number): Spread | null {
  const all = spread(stats);
  if (all === null || floor === 0) return all;
  const octave = Math.floor(Math.log2(floor));
  let zero = all.zero;
  const merged = (run: Spread['positive']): Spread['positive'] => {
    if (run === null) return null;
    const counts: number[] = [];
    run.counts.forEach((count, i) => {
      const at = Math.floor((run.first + i) / BINS) - octave;
      if (at < 0) zero += count;
      else if (count > 0) {
        while (counts.length <= at) counts.push(0);
        counts[at]! += count;
      }
    });
    return { first: octave, counts };
  };
  const [negative, positive] = [merged(all.negative), merged(all.positive)];
  return { negative, positive, zero };
}
