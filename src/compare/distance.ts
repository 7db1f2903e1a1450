// How far two tensors are apart, by their statistics alone. null: the statistics do not tell.
import type { HistogramRun, Stats } from '../measure/stats.ts';

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

export function distanceOf(base: Stats, now: Stats): Distance {
  return {
    normRatio: ratio(now.l2, base.l2),
    exponentEntropy: difference(now.entropy.exponent, base.entropy.exponent),
    divergence: divergence(spread(base), spread(now)),
    zeroShare: share(now.zero, now.count) - share(base.zero, base.count),
    isReordered: isReordered(base, now),
  };
}

export const share = (part: number, count: number): number => (count === 0 ? 0 : part / count);

function ratio(now: number | null, base: number | null): number | null {
  if (now === null || base === null) return null;
  if (base === 0) return now === 0 ? 1 : Number.POSITIVE_INFINITY;
  return now / base;
}

const difference = (now: number | null, base: number | null): number | null =>
  now === null || base === null ? null : now - base;

/** What no reordering can change. Sums are left out: their last digit depends on the order. */
const isReordered = (base: Stats, now: Stats): boolean =>
  base.count === now.count &&
  base.zero === now.zero &&
  base.nan === now.nan &&
  base.min === now.min &&
  base.max === now.max &&
  base.entropy.code === now.entropy.code &&
  isEqual(base.entropy.bytes, now.entropy.bytes) &&
  isEqual(base.trailingZeros, now.trailingZeros) &&
  isEqual(base.quantized?.quants?.counts, now.quantized?.quants?.counts) &&
  isEqual(base.histogram?.negative?.counts, now.histogram?.negative?.counts) &&
  isEqual(base.histogram?.positive?.counts, now.histogram?.positive?.counts);

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
