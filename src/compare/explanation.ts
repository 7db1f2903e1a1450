// How a tensor changed, in words and numbers.
import type { Stats } from '../measure/stats.ts';
import type { TensorProfile } from '../profile/profile.ts';
import { percent } from './conversion.ts';
import type { Distance } from './distance.ts';
import type { RowChange } from './rows.ts';

/** Rows named in a message. */
const NAMED = 8;
/** Below this a number is left out: it would read as if nothing had changed. */
const NORM_TOLD = 1e-9;
const ENTROPY_TOLD = 5e-4;
const DIVERGENCE_TOLD = 1e-6;
const SHARE_TOLD = 1e-4;

export function explained(base: TensorProfile, distance: Distance | null, rows: RowChange | null): string {
  if (distance === null) {
    const side = base.stats === null ? 'baseline' : 'model';
    return `the bytes differ; the ${side} has no statistics of it that would say how`;
  }
  if (distance.isReordered)
    return 'the same values at other places: rows, columns or heads were permuted, or it was transposed';
  const { normRatio, exponentEntropy, divergence, zeroShare } = distance;
  const parts: string[] = [];
  if (normRatio !== null && Math.abs(normRatio - 1) > NORM_TOLD) parts.push(`norm ${percent(normRatio - 1)}`);
  if (exponentEntropy !== null && Math.abs(exponentEntropy) > ENTROPY_TOLD)
    parts.push(`exponent entropy ${signed(exponentEntropy)} bit`);
  if (divergence !== null && divergence > DIVERGENCE_TOLD)
    parts.push(`Jensen-Shannon divergence ${divergence.toPrecision(2)} bit`);
  if (Math.abs(zeroShare) > SHARE_TOLD) parts.push(`zeros ${percent(zeroShare)} of the values`);
  if (parts.length === 0) parts.push('no statistic moved: very few values or bits changed');
  if (rows !== null && rows.changed.length > 0 && !rows.isEdit) parts.push(rowsExplained(rows));
  return parts.join(', ');
}

export function rowsExplained({ changed, rows, keepsNorms }: RowChange): string {
  const named = changed.slice(0, NAMED).join(', ') + (changed.length > NAMED ? ', …' : '');
  const norms = keepsNorms ? ', each at its old norm' : '';
  return `${changed.length} of ${rows} rows changed (${named})${norms}`;
}

/** NaN or infinities that were not there. */
export function appeared(base: Stats, now: Stats): string | null {
  const infinite = now.posInf + now.negInf;
  const parts: string[] = [];
  if (now.nan > base.nan) parts.push(`${now.nan} NaN, in the baseline ${base.nan}`);
  if (infinite > base.posInf + base.negInf)
    parts.push(`${infinite} infinities, in the baseline ${base.posInf + base.negInf}`);
  return parts.length === 0 ? null : parts.join('; ');
}

/** Zero bits that a value must end in after it was widened from this dtype, by the wider one. */
const WIDENED: ReadonlyMap<string, number> = new Map([
  ['BF16 F32', 16],
  ['F16 F32', 13],
  ['BF16 F64', 45],
  ['F16 F64', 42],
  ['F32 F64', 29],
]);

/** Low bits that are zero in every value of the baseline, or follow from its narrower dtype, and are not here. */
export function loosened(base: TensorProfile, now: TensorProfile): string | null {
  const profile = now.stats?.trailingZeros ?? null;
  const before = base.stats?.trailingZeros ?? null;
  if (profile === null || before === null) return null;
  const widened = WIDENED.get(`${base.dtype} ${now.dtype}`);
  const first = before.findIndex((count) => count > 0);
  const known = base.dtype === now.dtype ? (first < 0 ? 0 : first) : (widened ?? 0);
  const last = profile.length - 1; // all mantissa bits zero: every number of low bits is
  const set = profile.slice(0, Math.min(known, last)).reduce((a, b) => a + b, 0);
  if (set === 0) return null;
  const source = widened === undefined ? 'in the baseline' : `in values widened from ${base.dtype}`;
  const all = profile.reduce((a, b) => a + b, 0);
  return `${set} of ${all} values have one of their lowest ${known} bits set; ${source} these are zero`;
}

const signed = (value: number): string => `${value > 0 ? '+' : ''}${Number(value.toPrecision(3))}`;
