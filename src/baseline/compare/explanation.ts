// How a tensor changed, in words and numbers.
import type { Stats } from '../../scan/measure/record/stats.ts';
import type { TensorProfile } from '../../scan/profile/profile.ts';
import { percent } from './conversion.ts';
import type { Distance } from './distance.ts';
import type { Pair } from './pairing.ts';
import type { RowChange } from './rows.ts';
import { type SketchedChange, secondToFirst } from './sketch.ts';

/** Rows named in a message. */
const NAMED = 8;
/** Below this a number is left out: it would read as if nothing had changed. */
const NORM_TOLD = 1e-9;
const ENTROPY_TOLD = 5e-4;
const DIVERGENCE_TOLD = 1e-6;
const SHARE_TOLD = 1e-4;

/** What is known of how a tensor changed. */
export interface Change {
  readonly distance: Distance | null;
  readonly rows: RowChange | null;
  readonly sketched: SketchedChange | null;
}

export function explained({ good, suspect }: Pair, { distance, rows, sketched }: Change): string {
  if (distance === null) {
    const side = good.stats === null ? 'baseline' : 'model';
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
  if (sketched !== null) parts.push(sketchExplained(sketched, good.stats!, suspect.stats!));
  return parts.join(', ');
}

/** Two figures that are enough: their errors are some 20 %. */
function sketchExplained(change: SketchedChange, good: Stats, suspect: Stats): string {
  const ratio = secondToFirst(change);
  if (ratio === null) return 'its sketch is the same';
  const part = good.l2
    ? `${Number(((100 * change.norm) / good.l2).toPrecision(2))} % of its norm`
    : 'its norm from 0';
  const left = notFinite(good) + notFinite(suspect);
  const without = left > 0 ? `, without ${left} values that are not finite` : '';
  return `by its sketch about ${part} moved, the second singular value being ${ratio.toPrecision(2)} of the first${without}`;
}

const notFinite = ({ nan, posInf, negInf }: Stats): number => nan + posInf + negInf;

export function rowsExplained({ changed, rows, keepsNorms }: RowChange): string {
  const named = changed.slice(0, NAMED).join(', ') + (changed.length > NAMED ? ', …' : '');
  const norms = keepsNorms ? ', each at its old norm' : '';
  return `${changed.length} of ${rows} rows changed (${named})${norms}`;
}

/** NaN or infinities that were not there. */
export function appeared(good: Stats, suspect: Stats): string | null {
  const infinite = suspect.posInf + suspect.negInf;
  const parts: string[] = [];
  if (suspect.nan > good.nan) parts.push(`${suspect.nan} NaN, in the baseline ${good.nan}`);
  if (infinite > good.posInf + good.negInf)
    parts.push(`${infinite} infinities, in the baseline ${good.posInf + good.negInf}`);
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

/** Bits that are zero in all values together, before it is no chance any more. */
const EVIDENCE = 40;

/** Low bits that are zero in every value of the baseline, or follow from its narrower dtype, and are not here. */
export function loosened(good: TensorProfile, suspect: TensorProfile): string | null {
  const profile = suspect.stats?.trailingZeros ?? null;
  const before = good.stats?.trailingZeros ?? null;
  if (profile === null || before === null) return null;
  const widened = WIDENED.get(`${good.dtype} ${suspect.dtype}`);
  const first = before.findIndex((count) => count > 0);
  const known = good.dtype === suspect.dtype ? (first < 0 ? 0 : first) : (widened ?? 0);
  // That two values end in a zero bit is no evidence that all must.
  if (widened === undefined && known * before.reduce((a, b) => a + b, 0) < EVIDENCE) return null;
  const last = profile.length - 1; // all mantissa bits zero: every number of low bits is
  const set = profile.slice(0, Math.min(known, last)).reduce((a, b) => a + b, 0);
  if (set === 0) return null;
  const source = widened === undefined ? 'in the baseline' : `in values widened from ${good.dtype}`;
  const all = profile.reduce((a, b) => a + b, 0);
  return `${set} of ${all} values have one of their lowest ${known} bits set; ${source} these are zero`;
}

const signed = (value: number): string => `${value > 0 ? '+' : ''}${Number(value.toPrecision(3))}`;
