// The slow twin of the native pass: every statistic of src/scan/measure/record/stats.ts from a tensor's bytes, straight from its
// definition. Obvious and exact before all; only the tests run it.
import { createHash } from 'node:crypto';
import { DTYPES, type DtypeInfo } from '../../../src/scan/dtype.ts';
import type {
  HistogramRun,
  QuantizedStats,
  RowStats,
  ScaleStats,
  Stats,
} from '../../../src/scan/measure/record/stats.ts';
import { type BlockType, blockTypeOf, valuesOf } from './ggml.ts';
import {
  codesOf,
  decode,
  exponentField,
  F16,
  type FloatFormat,
  type Format,
  formatOf,
  mantissaField,
  planesOf,
  trailingZeros,
} from './ieee.ts';
import { add, binOf, dense, entropyOf, momentsOf, regroup, tally } from './moments.ts';

/** `columns`: elements per row; without it, rows are null. Bytes that are not whole blocks or rows: RangeError. */
export function referenceStats(bytes: Uint8Array, dtype: string, columns?: number): Stats {
  const info = DTYPES.find(({ name }) => name === dtype);
  if (info === undefined) throw new RangeError(`no dtype ${dtype}`);
  if (bytes.length % info.blockSize !== 0)
    throw new RangeError(`${bytes.length} bytes are not whole ${dtype} blocks`);
  const format = formatOf(dtype);
  const type = blockTypeOf(dtype);
  const rows = columns === undefined ? null : rowsOf(bytes, info, columns);
  const count = (bytes.length / info.blockSize) * info.blockCount;
  const base = { ...UNKNOWN, coverage: info.coverage, count, rows };
  if (format !== undefined) return { ...base, ...plainStats(bytes, format) };
  const entropy = { ...UNKNOWN.entropy, bytes: [entropyOf(tally(bytes).values())] };
  if (type === undefined) return { ...base, entropy };
  const blocks = slices(bytes, info.blockSize);
  const values =
    type.elements === null
      ? {}
      : valueStats(tally(blocks.flatMap((block) => valuesOf(type, block, info.blockCount))));
  return { ...base, ...values, entropy, quantized: quantizedStats(blocks, info, type) };
}

function plainStats(bytes: Uint8Array, format: Format): Partial<Stats> & Pick<Stats, 'entropy'> {
  const codes = tally(codesOf(bytes, format.bits));
  const decoded = [...codes].map(([code, count]) => ({ code, count, ...decode(format, code) }));
  const total = (chosen: (value: (typeof decoded)[number]) => boolean) =>
    decoded.reduce((sum, value) => sum + (chosen(value) ? value.count : 0), 0);
  // Integers keep their own value beside the double nearest to it.
  const values = new Map<number | bigint, number>();
  for (const { number, integer, count } of decoded) add(values, integer ?? number, count);
  const entropyOver = (part: (code: bigint) => bigint) => entropyOf(regroup(codes, part).values());
  const leading = (width: number, kept: number) => BigInt(Math.max(width - kept, 0));
  const float = format.kind === 'float' ? format : null;
  const zeros = regroup(codes, (code) => (float ? trailingZeros(float, code) : 0));
  return {
    ...valueStats(values),
    negativeZero: total(({ number }) => Object.is(number, -0)),
    subnormal: total(({ subnormal }) => subnormal),
    distinctNaN: Math.min(decoded.filter(({ number }) => Number.isNaN(number)).length, 256),
    entropy: {
      code: float || format.bits <= 16 ? entropyOver((code) => code >> leading(format.bits, 16)) : null,
      exponent: float && entropyOver((code) => exponentField(float, code)),
      mantissa: float?.mantissa
        ? entropyOver((code) => mantissaField(float, code) >> leading(float.mantissa, 7))
        : null,
      bytes: planesOf(bytes, format.bits).map((plane) => entropyOf(tally(plane).values())),
    },
    trailingZeros: float?.mantissa ? dense(zeros, 0, float.mantissa) : null,
  };
}

/** What depends on the values alone. A bigint is an integer, exact; its moments are those of the nearest double. */
function valueStats(values: ReadonlyMap<number | bigint, number>): Partial<Stats> {
  const of = (number: number) => values.get(number) ?? 0;
  const finite = [...values].filter(([value]) => typeof value === 'bigint' || Number.isFinite(value));
  const sorted = finite.map(([value]) => value).sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
  const [min, max] = [sorted[0], sorted.at(-1)];
  return {
    zero: finite.reduce((sum, [value, count]) => sum + (Number(value) === 0 ? count : 0), 0),
    nan: of(NaN),
    posInf: of(Infinity),
    negInf: of(-Infinity),
    min: reported(min),
    max: reported(max),
    absMax:
      min === undefined || max === undefined ? null : reported(absolute(min) > max ? absolute(min) : max),
    ...momentsOf(regroup(new Map(finite), Number)),
    histogram: {
      negative: histogramOf(finite.filter(([value]) => value < 0)),
      positive: histogramOf(finite.filter(([value]) => value > 0)),
    },
  };
}

const absolute = (value: number | bigint) => (value < 0 ? -value : value);

/** As a report states it: no negative zero, and a string where a double might not hold the integer. */
function reported(value: number | bigint | undefined): number | string | null {
  if (value === undefined) return null;
  return typeof value === 'bigint' && !Number.isSafeInteger(Number(value))
    ? String(value)
    : Number(value) + 0;
}

function histogramOf(values: readonly (readonly [number | bigint, number])[]): HistogramRun | null {
  const bins = regroup(new Map(values), (value) => binOf(Number(value)));
  const first = Math.min(...bins.keys());
  return bins.size === 0 ? null : { first, counts: dense(bins, first, Math.max(...bins.keys())) };
}

function quantizedStats(blocks: readonly Uint8Array[], info: DtypeInfo, type: BlockType): QuantizedStats {
  const { elements, minCode } = type;
  const scales = scaleStats(blocks.flatMap(type.scaleCodes), type.scale);
  const mins = minCode && scaleStats(blocks.map(minCode), F16);
  if (elements === null) return { blocks: blocks.length, blocksAtExtreme: null, scales, mins, quants: null };
  const quants = blocks.map((block) =>
    Array.from({ length: info.blockCount }, (_, i) => elements.code(block, i)),
  );
  const counts = dense(tally(quants.flat()), 0, elements.codes - 1);
  const { isExtreme } = elements;
  return {
    blocks: blocks.length,
    blocksAtExtreme: isExtreme && quants.filter((codes) => codes.some(isExtreme)).length,
    scales,
    mins,
    quants: { counts, entropy: entropyOf(counts) },
  };
}

function scaleStats(codes: readonly bigint[], format: FloatFormat): ScaleStats {
  const values = codes.map((code) => decode(format, code));
  const finite = values.map(({ number }) => number).filter(Number.isFinite);
  const number = (chosen: (value: number) => boolean) =>
    values.filter((value) => chosen(value.number)).length;
  const sorted = finite.toSorted((a, b) => a - b);
  const { mean, std } = momentsOf(tally(finite));
  return {
    count: codes.length,
    zero: number((value) => value === 0),
    negative: number((value) => value < 0),
    nan: number(Number.isNaN),
    inf: number((value) => Math.abs(value) === Infinity),
    subnormal: values.filter(({ subnormal }) => subnormal).length,
    min: reported(sorted[0]) as number | null,
    max: reported(sorted.at(-1)) as number | null,
    mean,
    std,
    entropy: format.bits > 16 ? null : entropyOf(tally(codes).values()),
  };
}

function rowsOf(bytes: Uint8Array, info: DtypeInfo, columns: number): RowStats {
  const size = (columns / info.blockCount) * info.blockSize;
  if (!Number.isInteger(size) || size < 1 || bytes.length % size !== 0)
    throw new RangeError('not whole rows');
  const rows = slices(bytes, size);
  return { norms: rows.map((row) => normOf(row, info)), digests: rows.map(digestOf) };
}

/** Square root of the sum of squares; 0 where nothing is decoded or finite. */
function normOf(row: Uint8Array, info: DtypeInfo): number {
  const [format, type] = [formatOf(info.name), blockTypeOf(info.name)];
  const values = format
    ? codesOf(row, format.bits).map((code) => decode(format, code).number)
    : slices(row, info.blockSize).flatMap((block) => (type ? valuesOf(type, block, info.blockCount) : []));
  const finite = values.filter(Number.isFinite);
  return finite.length === 0 ? 0 : (momentsOf(tally(finite)).l2 ?? Infinity);
}

const digestOf = (bytes: Uint8Array) => `sha256:${createHash('sha256').update(bytes).digest('hex')}`;

const slices = (bytes: Uint8Array, size: number) =>
  Array.from({ length: bytes.length / size }, (_, i) => bytes.subarray(i * size, i * size + size));

// All that a coverage leaves out.
const UNKNOWN = {
  zero: 0,
  negativeZero: 0,
  nan: 0,
  posInf: 0,
  negInf: 0,
  subnormal: 0,
  distinctNaN: 0,
  min: null,
  max: null,
  absMax: null,
  mean: null,
  std: null,
  l1: null,
  l2: null,
  skewness: null,
  kurtosis: null,
  entropy: { code: null, exponent: null, mantissa: null, bytes: [] },
  histogram: null,
  trailingZeros: null,
  quantized: null,
} satisfies Partial<Stats>;
