// How far two tensors are apart, by their statistics alone. null: the statistics do not tell.
import type { HistogramRun, Stats } from '../../scan/measure/record/stats.ts';

export interface Distance {
  /** L2 norm of the new tensor over that of the old one. */
  readonly normRatio: number | null;
  /** Change of the entropy of exponents, bits. */
  readonly exponentEntropy: number | null;
  /** Jensen-Shannon divergence of the signed magnitudes, bits, 0 to 1. */
  readonly divergence: number | null;
  /** Change of the share of zeros. */
  readonly zeroShare: number;
  /** All order-free statistics are equal: the same values at other places. */
  readonly isReordered: boolean;
}

/** Values below which how they are spread says nothing. */
export const LEAST_COUNT = 64;

export function distanceOf(good: Stats, suspect: Stats): Distance {
  const isMany = Math.min(good.count, suspect.count) >= LEAST_COUNT;
  return {
    normRatio: ratio(suspect.l2, good.l2),
    exponentEntropy: isMany ? difference(suspect.entropy.exponent, good.entropy.exponent) : null,
    divergence: isMany ? divergence(spread(good), spread(suspect)) : null,
    zeroShare: share(suspect.zero, suspect.count) - share(good.zero, good.count),
    isReordered: isReordered(good, suspect),
  };
}

const share = (part: number, count: number): number => (count === 0 ? 0 : part / count);

function ratio(suspect: number | null, good: number | null): number | null {
  if (suspect === null || good === null) return null;
  if (good === 0) return suspect === 0 ? 1 : Number.POSITIVE_INFINITY;
  return suspect / good;
}

const difference = (suspect: number | null, good: number | null): number | null =>
  suspect === null || good === null ? null : suspect - good;

/** What no reordering can change. Sums are left out: their last digit depends on the order. */
const isReordered = (good: Stats, suspect: Stats): boolean =>
  good.count === suspect.count &&
  good.zero === suspect.zero &&
  good.nan === suspect.nan &&
  good.min === suspect.min &&
  good.max === suspect.max &&
  good.entropy.code === suspect.entropy.code &&
  isEqual(good.entropy.bytes, suspect.entropy.bytes) &&
  isEqual(good.trailingZeros, suspect.trailingZeros) &&
  isEqual(good.quantized?.quants?.counts, suspect.quantized?.quants?.counts) &&
  isEqual(good.histogram?.negative?.counts, suspect.histogram?.negative?.counts) &&
  isEqual(good.histogram?.positive?.counts, suspect.histogram?.positive?.counts);

type Numbers = readonly number[] | null | undefined;

const isEqual = (a: Numbers, b: Numbers): boolean =>
  a === b || (!!a && !!b && a.length === b.length && a.every((x, i) => x === b[i]));

/** Counts by signed magnitude; the bins are the same for every tensor and dtype. */
export interface Spread {
  readonly negative: HistogramRun | null;
  readonly positive: HistogramRun | null;
  readonly zero: number;
}

export const spread = ({ histogram, zero }: Stats): Spread | null =>
  histogram === null ? null : { ...histogram, zero };

/** Jensen-Shannon, base 2. Kullback-Leibler would need made-up counts in empty bins. */
export function divergence(a: Spread | null, b: Spread | null): number | null {
  if (a === null || b === null) return null;
  const [all, others] = [total(a), total(b)];
  if (all === 0 || others === 0) return all === others ? 0 : 1;
  let sum = term(a.zero / all, b.zero / others);
  sum += ofRuns(a.negative ?? EMPTY, all, b.negative ?? EMPTY, others);
  sum += ofRuns(a.positive ?? EMPTY, all, b.positive ?? EMPTY, others);
  return Math.min(1, Math.max(0, sum));
}

// Plain loops: a model has 100,000 tensors with a hundred bins each.
function ofRuns(x: HistogramRun, all: number, y: HistogramRun, others: number): number {
  const first = Math.min(x.first, y.first);
  const end = Math.max(x.first + x.counts.length, y.first + y.counts.length);
  let sum = 0;
  for (let bin = first; bin < end; bin++) sum += term(at(x, bin) / all, at(y, bin) / others);
  return sum;
}

const at = ({ first, counts }: HistogramRun, bin: number): number =>
  bin < first || bin >= first + counts.length ? 0 : counts[bin - first]!;

const EMPTY: HistogramRun = { first: 0, counts: [] };

function term(p: number, q: number): number {
  if (p === q) return 0;
  const middle = (p + q) / 2;
  return (p === 0 ? 0 : (p / 2) * Math.log2(p / middle)) + (q === 0 ? 0 : (q / 2) * Math.log2(q / middle));
}

const total = ({ negative, positive, zero }: Spread): number => zero + sumOf(negative) + sumOf(positive);

function sumOf(run: HistogramRun | null): number {
  let sum = 0;
  const counts = run?.counts ?? [];
  for (let i = 0; i < counts.length; i++) sum += counts[i]!;
  return sum;
}
