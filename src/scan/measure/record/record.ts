// Reads the slots that native/record/stats.cc writes: the same fields in the same order.

import type { Pieces } from '../../../runtime/turn.ts';
import { DTYPES, type DtypeInfo } from '../../dtype.ts';
import { Slots } from './slots.ts';
import type { HistogramRun, QuantizedStats, RowStats, ScaleStats, Stats } from './stats.ts';
import { readTraces, type Traces } from './traces.ts';

/** What one range of a file measured. */
export interface RangeMeasurement {
  readonly sha256: string;
  /** null: digest only. */
  readonly stats: Stats | null;
  /** null: digest only, or not asked for. */
  readonly traces: Traces | null;
}

/** What one file measured; `ranges` as they were asked for. */
export interface Measurement {
  readonly sha256: string;
  readonly ranges: readonly RangeMeasurement[];
}

const PIECE = 200; // ranges

/**
 * `records`: of the parts of a file, in the order of its ranges; the last has its digest. `dtypes`: the dtype code of each
 * range, or -1 for a digest alone.
 */
export function* readRecord(records: readonly ArrayBuffer[], dtypes: ArrayLike<number>): Pieces<Measurement> {
  const parts = records.map((record) => new Slots(record));
  const digests = parts.map((slots) => slots.digest());
  const ranges: RangeMeasurement[] = [];
  let part = 0;
  for (let i = 0; i < dtypes.length; i++) {
    if (i % PIECE === PIECE - 1) yield;
    while (parts[part]!.ended && part < parts.length - 1) part++;
    const slots = parts[part]!;
    const digest = slots.digest();
    const dtype = DTYPES[dtypes[i]!];
    const stats = dtype === undefined ? null : readStats(slots, dtype);
    ranges.push({ sha256: digest, stats, traces: dtype === undefined ? null : readTraces(slots) });
  }
  for (const slots of parts) slots.assertEnd();
  return { sha256: digests.at(-1)!, ranges };
}

function readStats(slots: Slots, dtype: DtypeInfo): Stats {
  const count = slots.count();
  const zero = slots.count();
  const negativeZero = slots.count();
  const nan = slots.count();
  const posInf = slots.count();
  const negInf = slots.count();
  const subnormal = slots.count();
  const distinctNaN = slots.count();
  const hasValues = slots.number() === 1;
  const components = dtype.name === 'C64' ? 2 * count : count;
  const anyFinite = hasValues && components > nan + posInf + negInf;
  const extreme = (unsigned: boolean) => {
    const value = slots.extreme(dtype.name, unsigned);
    return anyFinite ? value : null;
  };
  return {
    coverage: dtype.coverage,
    count,
    zero,
    negativeZero,
    nan,
    posInf,
    negInf,
    subnormal,
    distinctNaN,
    min: extreme(false),
    max: extreme(false),
    absMax: extreme(true),
    mean: slots.nullable(),
    std: slots.nullable(),
    l1: slots.nullable(),
    l2: slots.nullable(),
    skewness: slots.nullable(),
    kurtosis: slots.nullable(),
    entropy: {
      code: slots.nullable(),
      exponent: slots.nullable(),
      mantissa: slots.nullable(),
      bytes: slots.list(),
    },
    histogram: readHistogram(slots, hasValues),
    trailingZeros: orNull(slots.list()),
    quantized: readQuantized(slots),
    rows: readRows(slots),
    ...readSketch(slots),
  };
}

function readHistogram(slots: Slots, hasValues: boolean): Stats['histogram'] {
  const run = (): HistogramRun | null => {
    const first = slots.count();
    const counts = slots.list();
    return counts.length === 0 ? null : { first, counts };
  };
  const negative = run();
  const positive = run();
  return hasValues ? { negative, positive } : null;
}

function readQuantized(slots: Slots): QuantizedStats | null {
  if (slots.number() === 0) return null;
  const blocks = slots.number();
  const blocksAtExtreme = slots.nullable();
  const scales = readScales(slots);
  const mins = readScales(slots);
  const counts = slots.list();
  const entropy = slots.number();
  return { blocks, blocksAtExtreme, scales, mins, quants: counts.length === 0 ? null : { counts, entropy } };
}

function readScales(slots: Slots): ScaleStats | null {
  if (slots.number() === 0) return null;
  return {
    count: slots.number(),
    zero: slots.number(),
    negative: slots.number(),
    nan: slots.number(),
    inf: slots.number(),
    subnormal: slots.number(),
    min: slots.nullable(),
    max: slots.nullable(),
    mean: slots.nullable(),
    std: slots.nullable(),
    entropy: slots.nullable(),
  };
}

function readRows(slots: Slots): RowStats | null {
  const rows = slots.number();
  if (rows === 0) return null;
  const norms = slots.nullables(rows);
  return { norms, digests: norms.map(() => slots.digest()) };
}

function readSketch(slots: Slots): Pick<Stats, 'sketch'> {
  const rows = slots.number();
  return rows === 0 ? {} : { sketch: slots.base64(rows * SKETCH_ROW_SLOTS) };
}

const SKETCH_ROW_SLOTS = 8;

const orNull = <T>(list: readonly T[]): readonly T[] | null => (list.length === 0 ? null : list);
