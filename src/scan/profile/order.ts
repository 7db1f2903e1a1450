// A tensor's entry with its fields in the order of the types, whatever order the object was built in. JSON.stringify can do
// that by a list of names, and takes four times as long: a gate waits for 100,000 entries.
import type { HistogramRun, QuantizedStats, RowStats, ScaleStats, Stats } from '../measure/record/stats.ts';
import type { TensorProfile } from './profile.ts';

/** Every field of T: one that is added to the contract and forgotten here does not compile. */
type Every<T> = { [K in keyof Required<T>]: unknown };

export const inOrder = (tensor: TensorProfile): Every<TensorProfile> => ({
  name: tensor.name,
  file: tensor.file,
  dtype: tensor.dtype,
  shape: tensor.shape,
  start: tensor.start,
  end: tensor.end,
  sha256: tensor.sha256,
  stats: tensor.stats && ordered(tensor.stats),
});

const ordered = (stats: Stats): Every<Stats> => ({
  coverage: stats.coverage,
  count: stats.count,
  zero: stats.zero,
  negativeZero: stats.negativeZero,
  nan: stats.nan,
  posInf: stats.posInf,
  negInf: stats.negInf,
  subnormal: stats.subnormal,
  distinctNaN: stats.distinctNaN,
  min: stats.min,
  max: stats.max,
  absMax: stats.absMax,
  mean: stats.mean,
  std: stats.std,
  l1: stats.l1,
  l2: stats.l2,
  skewness: stats.skewness,
  kurtosis: stats.kurtosis,
  entropy: entropy(stats.entropy),
  histogram: stats.histogram && {
    negative: run(stats.histogram.negative),
    positive: run(stats.histogram.positive),
  },
  trailingZeros: stats.trailingZeros,
  quantized: stats.quantized && quantized(stats.quantized),
  rows: stats.rows && rows(stats.rows),
  sketch: stats.sketch,
});

const entropy = ({ code, exponent, mantissa, bytes }: Stats['entropy']): Every<Stats['entropy']> => ({
  code,
  exponent,
  mantissa,
  bytes,
});

const run = (one: HistogramRun | null): Every<HistogramRun> | null =>
  one && { first: one.first, counts: one.counts };

const quantized = (one: QuantizedStats): Every<QuantizedStats> => ({
  blocks: one.blocks,
  blocksAtExtreme: one.blocksAtExtreme,
  scales: one.scales && scales(one.scales),
  mins: one.mins && scales(one.mins),
  quants: one.quants && { counts: one.quants.counts, entropy: one.quants.entropy },
});

const scales = (one: ScaleStats): Every<ScaleStats> => ({
  count: one.count,
  zero: one.zero,
  negative: one.negative,
  nan: one.nan,
  inf: one.inf,
  subnormal: one.subnormal,
  min: one.min,
  max: one.max,
  mean: one.mean,
  std: one.std,
  entropy: one.entropy,
});

const rows = ({ norms, digests }: RowStats): Every<RowStats> => ({ norms, digests });
