// Whether something is a tensor's entry: what TensorEntry in schema.ts says, as plain predicates. A profile has 100,000 of
// them, and a gate waits for each; a test holds the two statements against each other.
import type { HistogramRun, QuantizedStats, RowStats, ScaleStats, Stats } from '../measure/stats.ts';
import type { TensorProfile } from './profile.ts';

export const isTensorEntry = (value: unknown): value is TensorProfile => TENSOR(value);

/** Four bins per octave, 2098 octaves of doubles. Who claims more would make a comparison walk through empty bins for ever. */
export const BIN_LIMIT = 5000;

/** Whole groups of four: a sketch has 64 bytes per row, and text that a decoder would skip stands for nothing. */
export const BASE64 = /^[A-Za-z0-9+/]+={0,2}$/;

type Check = (value: unknown) => boolean;

const text: Check = (value) => typeof value === 'string';
const number: Check = (value) => typeof value === 'number' && Number.isFinite(value);
const bin: Check = (value) => Number.isInteger(value) && Math.abs(value as number) <= BIN_LIMIT;
const count: Check = (value) => Number.isSafeInteger(value) && (value as number) >= 0;
const digest: Check = (value) => typeof value === 'string' && /^sha256:[0-9a-f]{64}$/.test(value);
const base64: Check = (value) => typeof value === 'string' && BASE64.test(value);
const extreme: Check = (value) => number(value) || (typeof value === 'string' && /^-?\d{1,20}$/.test(value));

const nullable =
  (check: Check): Check =>
  (value) =>
    value === null || check(value);
const measured = nullable(number);

const list =
  (check: Check): Check =>
  (value) => {
    if (!Array.isArray(value)) return false;
    for (let i = 0; i < value.length; i++) if (!check(value[i])) return false;
    return true;
  };

/** As list(count); histograms are most of the numbers of a profile, and a call for each would take longer than they do. */
const counts: Check = (value) => {
  if (!Array.isArray(value)) return false;
  for (let i = 0; i < value.length; i++) if (!Number.isSafeInteger(value[i]) || value[i] < 0) return false;
  return true;
};

/** Of a field that may be absent. */
const optional =
  (check: Check): Check =>
  (value) =>
    value === undefined || check(value);

/** These fields and no others. */
function object<T>(fields: Record<keyof T, Check>): Check {
  const keys = Object.keys(fields);
  const checks = Object.values<Check>(fields);
  return (value) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
    let present = 0;
    for (let i = 0; i < keys.length; i++) {
      const field = (value as Record<string, unknown>)[keys[i]!];
      if (!checks[i]!(field)) return false;
      if (field !== undefined) present++;
    }
    return Object.keys(value).length === present;
  };
}

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

const COVERAGES: ReadonlySet<unknown> = new Set(['values', 'scales', 'bytes']);

const stats = object<Stats>({
  coverage: (value) => COVERAGES.has(value),
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

const TENSOR = object<TensorProfile>({
  name: text,
  file: text,
  dtype: text,
  shape: counts,
  start: count,
  end: count,
  sha256: nullable(digest),
  stats: nullable(stats),
});
