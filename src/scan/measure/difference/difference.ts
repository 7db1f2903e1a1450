// How two tensors differ, as measured: the definitions, and the reader of the slots that native/difference/difference.cc writes.
import { createHash } from 'node:crypto';
import { SteelyardError } from '../../../rules/error.ts';
import type { DtypeInfo } from '../../dtype.ts';
import { Slots } from '../record/slots.ts';

/** D = suspect − good, element by element, in double precision. Where one grew by rows, over the rows that both have. */
export interface Difference {
  /** Elements compared; of those, elements whose code is another (values, where the dtypes differ). */
  readonly count: number;
  readonly changed: number;
  /** Place of the first of them, counted in order; null: none. */
  readonly firstChanged: number | null;
  /** Elements where either side is NaN, infinite or 2^250 and more (squares of squares overflow); left out of what follows. */
  readonly notFinite: number;
  /** Frobenius norms. */
  readonly norm: number;
  readonly goodNorm: number;
  readonly suspectNorm: number;
  /** ‖D‖ / ‖good‖; null where good is 0. */
  readonly relativeNorm: number | null;
  /** null where either side is 0. */
  readonly cosine: number | null;
  readonly maxAbs: number;
  /** [k]: elements whose codes differ in bit k, 0 the lowest; null where codes cannot be held against each other. */
  readonly bits: readonly number[] | null;
  /** 2-D tensors; null otherwise. Columns: null where there are more than 65,536. */
  readonly rows: AxisChange | null;
  readonly columns: AxisChange | null;
  /** null: not 2-D, a factor of a low-rank update, D is 0, more than 524,288 rows or 65,536 columns. */
  readonly spectrum: Spectrum | null;
  /** Every changed element in order, if they are at most ELEMENT_LIMIT; else null. */
  readonly elements: readonly ElementChange[] | null;
}

export const ELEMENT_LIMIT = 64;
export const AXIS_LIMIT = 256;

export interface AxisChange {
  readonly count: number;
  readonly changed: number;
  /** Of the changed: whose norm is the same to 1e-3, and whose was below 1e-3 of a usual one; null: more than 4096 changed. */
  readonly keptNorm: number | null;
  readonly unused: number | null;
  /** Participation ratio (Σe)² / Σe² of the energies e = ‖D_i‖²: how many rows carry the change. */
  readonly participation: number;
  /** Root of the sum of squares of D in each of at most AXIS_LIMIT equal bands along the axis: what a strip shows. */
  readonly bands: readonly number[];
  /** Those with the largest ‖D_i‖, the largest first, at most ELEMENT_LIMIT. */
  readonly largest: readonly LineChange[];
}

export interface LineChange {
  readonly index: number;
  /** The token of an embedding's or head's row, where a vocabulary is at hand. Foreign text. */
  readonly token?: string;
  readonly norm: number;
  readonly goodNorm: number;
  readonly suspectNorm: number;
}

export interface Spectrum {
  /** 'exact': to 1e-7 of the largest, and of matrices of low rank all values above 1e-6 of it. */
  readonly method: 'exact' | 'estimate';
  /** Leading singular values, the largest first, at most 16: of D projected onto a subspace, so that none is above the true one. */
  readonly values: readonly number[];
  /** What any of them may be too small by, at most; 0: exact. */
  readonly error: number;
  /** ‖D‖² / σ₁². */
  readonly stableRank: number;
}

export interface ElementChange {
  /** One index per dimension, outermost first. */
  readonly index: readonly number[];
  readonly good: number | null;
  readonly suspect: number | null;
  /** Codes as hexadecimal, the most significant digit first; of ggml blocks the code of the quant. */
  readonly goodBits: string;
  readonly suspectBits: string;
}

/** Which signs the sketch of a tensor has: nobody chooses them, and everybody finds the same. */
export const seedOf = (name: string): bigint => createHash('sha256').update(name).digest().readBigUInt64LE(0);

/** What a pass over both tensors returns, and D·Ω with it, row by row; empty: not sketched. */
interface DifferenceRecord {
  readonly difference: Omit<Difference, 'spectrum'>;
  readonly sketch: Float64Array;
}

/** `shape` as far as it was compared. */
export function readDifference(
  record: ArrayBuffer,
  shape: readonly number[],
  dtypes: readonly [DtypeInfo, DtypeInfo],
): DifferenceRecord {
  const slots = new Slots(record);
  const [count, changed, notFinite, good, suspect, squares, maxAbs] = slots.numbers(7) as Seven;
  const bits = slots.list();
  const places = Array.from({ length: slots.number() }, () => readElement(slots, shape, dtypes));
  const rows = readAxis(slots);
  const columns = readAxis(slots);
  const sketch = slots.floats(slots.number());
  slots.assertEnd();
  return {
    difference: {
      count,
      changed,
      firstChanged: places[0]?.place ?? null,
      notFinite,
      norm: Math.sqrt(squares),
      goodNorm: Math.sqrt(good),
      suspectNorm: Math.sqrt(suspect),
      relativeNorm: good === 0 ? null : Math.sqrt(squares / good),
      cosine: cosine(good, suspect, squares),
      maxAbs,
      bits: bits.length === 0 ? null : bits,
      rows,
      columns,
      elements: changed <= ELEMENT_LIMIT ? places.map(({ element }) => element) : null,
    },
    sketch,
  };
}

type Seven = [number, number, number, number, number, number, number];

/** ⟨a, b⟩ = (‖a‖² + ‖b‖² − ‖a − b‖²) / 2. */
function cosine(good: number, suspect: number, squares: number): number | null {
  if (good === 0 || suspect === 0) return null;
  const value = (good + suspect - squares) / (2 * Math.sqrt(good) * Math.sqrt(suspect));
  return Math.max(-1, Math.min(1, value));
}

function readElement(
  slots: Slots,
  shape: readonly number[],
  dtypes: readonly [DtypeInfo, DtypeInfo],
): { place: number; element: ElementChange } {
  const place = slots.number();
  const [good, suspect] = [slots.finite(), slots.finite()];
  const [goodBits, suspectBits] = [hex(slots.bits(), dtypes[0]), hex(slots.bits(), dtypes[1])];
  return { place, element: { index: indexIn(shape, place), good, suspect, goodBits, suspectBits } };
}

function indexIn(shape: readonly number[], place: number): number[] {
  const index: number[] = [];
  let left = place;
  for (const size of shape.toReversed()) {
    index.unshift(left % size);
    left = Math.floor(left / size);
  }
  return index;
}

/** Two digits for a quant and for the code of an F4, too. */
const hex = (code: bigint, { blockCount, blockSize }: DtypeInfo): string =>
  code.toString(16).padStart(blockCount === 1 ? 2 * blockSize : 2, '0');

const NORM_KEPT = 1e-3;
/** Llama 3 has tokens that were never trained: their rows are some 1e-21 beside 0.6. */
const UNUSED = 1e-3;

function readAxis(slots: Slots): AxisChange | null {
  if (slots.number() === 0) return null;
  const [count, changed, sum, squares, goodSquares] = slots.numbers(5) as Seven;
  const bands = slots.list().map(Math.sqrt);
  const lines = Array.from({ length: slots.number() }, () => readLine(slots));
  const usual = Math.sqrt(goodSquares / count);
  const isKept = ({ goodNorm, suspectNorm }: LineChange): boolean =>
    Math.abs(suspectNorm - goodNorm) <= NORM_KEPT * goodNorm;
  const isAll = lines.length === changed;
  return {
    count,
    changed,
    keptNorm: isAll ? lines.filter(isKept).length : null,
    unused: isAll ? lines.filter(({ goodNorm }) => goodNorm < UNUSED * usual).length : null,
    participation: squares === 0 ? 0 : sum ** 2 / squares,
    bands,
    largest: lines.slice(0, ELEMENT_LIMIT),
  };
}

function readLine(slots: Slots): LineChange {
  const [index, norm, goodNorm, suspectNorm] = slots.numbers(4) as Seven;
  return {
    index,
    norm: Math.sqrt(norm),
    goodNorm: Math.sqrt(goodNorm),
    suspectNorm: Math.sqrt(suspectNorm),
  };
}

/** What native code is told of a pair: of each side descriptor, file size, start, dtype; elements; columns, 0 for no matrix. */
interface PairPlace {
  readonly fd: number;
  readonly size: number;
  readonly start: number;
  readonly dtype: DtypeInfo;
}

export function planPair(good: PairPlace, suspect: PairPlace, shape: readonly number[]): Float64Array {
  const count = shape.reduce((all, size) => all * size, 1);
  if (!Number.isSafeInteger(count)) throw new SteelyardError('INTERNAL', 'a pair of impossible size');
  const place = ({ fd, size, start, dtype }: PairPlace): number[] => [fd, size, start, dtype.code];
  return Float64Array.of(...place(good), ...place(suspect), count, shape.length === 2 ? shape[1]! : 0);
}
