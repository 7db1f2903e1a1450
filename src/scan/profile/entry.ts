// Whether something is a tensor's entry: what TensorEntry in schema.ts says, as plain predicates. A profile has 100,000 of
// them, and a gate waits for each; a test holds the two statements against each other.
import { type Check, list, matching, nullable, object, oneOf, optional, text } from '../../document/check.ts';
import type { HistogramRun, QuantizedStats, RowStats, ScaleStats, Stats } from '../measure/record/stats.ts';
import type { TensorProfile } from './profile.ts';

/** Four bins per octave, 2098 octaves of doubles. Who claims more would make a comparison walk through empty bins for ever. */
export const BIN_LIMIT = 5000;

/** Whole groups of four: a sketch has 64 bytes per row, and text that a decoder would skip stands for nothing. */
export const BASE64 = /^[A-Za-z0-9+/]+={0,2}$/;

const number: Check = (value) => typeof value === 'number' && Number.isFinite(value);
const bin: Check = (value) => Number.isInteger(value) && Math.abs(value as number) <= BIN_LIMIT;
const count: Check = (value) => Number.isSafeInteger(value) && (value as number) >= 0;
const digest = matching(/^sha256:[0-9a-f]{64}$/);
const base64 = matching(BASE64);
const extreme: Check = (value) => number(value) || (typeof value === 'string' && /^-?\d{1,20}$/.test(value));

const measured = nullable(number);

/** As list(count); histograms are most of the numbers of a profile, and a call for each would take longer than they do. */
const counts: Check = (value) => {
  if (!Array.isArray(value)) return false;
  for (let i = 0; i < value.length; i++) if (!Number.isSafeInteger(value[i]) || value[i] < 0) return false;
  return true;
};

const run = nullable(object<HistogramRun>({ first: bin, counts }));

const scales = nullable(
  object<ScaleStats>({
    count,
    zero: count,
    negative: count,
    nan: count,
    inf: count,
    subnormal: count,
    min: measured,
    max: measured,
    mean: measured,
    std: measured,
    entropy: measured,
  }),
);

const quantized = object<QuantizedStats>({
  blocks: count,
  blocksAtExtreme: nullable(count),
  scales,
  mins: scales,
  quants: nullable(object<NonNullable<QuantizedStats['quants']>>({ counts, entropy: number })),
});

const stats = object<Stats>({
  coverage: oneOf('values', 'scales', 'bytes'),
  count,
  zero: count,
  negativeZero: count,
  nan: count,
  posInf: count,
  negInf: count,
  subnormal: count,
  distinctNaN: count,
  min: nullable(extreme),
  max: nullable(extreme),
  absMax: nullable(extreme),
  mean: measured,
  std: measured,
  l1: measured,
  l2: measured,
  skewness: measured,
  kurtosis: measured,
  entropy: object<Stats['entropy']>({
    code: measured,
    exponent: measured,
    mantissa: measured,
    bytes: list(number),
  }),
  histogram: nullable(object<NonNullable<Stats['histogram']>>({ negative: run, positive: run })),
  trailingZeros: nullable(counts),
  quantized: nullable(quantized),
  rows: nullable(object<RowStats>({ norms: list(measured), digests: list(digest) })),
  sketch: optional(base64),
});

export const isTensorEntry = object<TensorProfile>({
  name: text,
  file: text,
  dtype: text,
  shape: counts,
  start: count,
  end: count,
  sha256: nullable(digest),
  stats: nullable(stats),
});
