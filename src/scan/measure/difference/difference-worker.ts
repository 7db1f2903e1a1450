// What runs in a worker thread: one pair of tensors. A plain object goes back, because errors lose their fields on the way
// between threads.
import { DTYPES } from '../../dtype.ts';
import { type Io, type NativeDifference, native } from '../native.ts';
import { basisOf, projectedValues, SKETCH_COLUMNS } from '../spectrum.ts';
import { type Difference, readDifference, type Spectrum } from './difference.ts';
import { EXACT, leading, type Vectors } from './krylov.ts';

export interface DifferenceJob {
  readonly plan: Float64Array;
  readonly shape: readonly number[];
  readonly seed: bigint;
  /** false: the spectrum of D says nothing. */
  readonly spectrum: boolean;
  /** Word 0: abort flag; word 1: bytes read by all jobs. */
  readonly control: BigInt64Array;
  readonly io: Io;
}

export interface DifferenceReply extends Pick<NativeDifference, 'outcome' | 'side' | 'offset' | 'errno'> {
  /** null: the outcome is not 'done'. */
  readonly difference: Difference | null;
}

const PROGRESS = 1;

export default function measureDifference(job: DifferenceJob): DifferenceReply {
  const { plan, shape, seed, control, io } = job;
  const first = native().difference(plan, seed, control, PROGRESS, io);
  if (first.outcome !== 'done') return replyOf(first, null);
  const dtypes = [DTYPES[plan[3]!]!, DTYPES[plan[7]!]!] as const;
  const { difference, sketch } = readDifference(first.record, shape, dtypes);
  const { elements, ...before } = difference;
  const whole = (spectrum: Spectrum | null): Difference => ({ ...before, spectrum, elements });
  if (!job.spectrum || sketch.length === 0 || difference.norm === 0) return replyOf(first, whole(null));

  const passes = new Passes(job, difference.norm ** 2);
  const spectrum = passes.spectrum(sketch);
  return passes.failed === null ? replyOf(first, whole(spectrum)) : replyOf(passes.failed, null);
}

/** Sides up to which leading values are followed until they are exact; beyond, two more rounds and their error is told. */
const EXACT_SIDE = 2048;
/** Elements that all passes over one pair may read, about: a minute of one core. */
const BUDGET = 3e8;
/** A matrix of so many elements and such a smaller side is held as a whole. */
const WHOLE_SIDE = 96;
const WHOLE = 2 ** 18;
const LEAST_BLOCKS = 3;
const MOST_BLOCKS = 40;

/** Further passes over a pair, each a product of D with some columns. */
class Passes {
  readonly #job: DifferenceJob;
  readonly #squares: number;
  readonly #rows: number;
  readonly #columns: number;
  /** The pass that was cut short. */
  failed: NativeDifference | null = null;

  constructor(job: DifferenceJob, squares: number) {
    this.#job = job;
    this.#squares = squares;
    [this.#rows, this.#columns] = job.shape as [number, number];
  }

  /** null: a pass failed. */
  spectrum(sketch: Float64Array): Spectrum | null {
    const exact = this.#lowRank(sketch) ?? this.#whole();
    if (exact !== null || this.failed !== null) return exact;
    const start = this.#start(sketch);
    const least = Math.min(this.#rows, this.#columns);
    const affordable = Math.floor(BUDGET / (this.#rows * this.#columns));
    const blocks =
      least > EXACT_SIDE ? LEAST_BLOCKS : Math.min(MOST_BLOCKS, Math.max(LEAST_BLOCKS, affordable));
    const found = start === null ? null : leading((vectors) => this.#apply(vectors), start, blocks);
    if (found === null) return null;
    const { values, error } = found;
    const method = error <= EXACT * values[0]! ? 'exact' : 'estimate';
    return {
      method,
      values,
      error: method === 'exact' ? 0 : error,
      stableRank: this.#squares / values[0]! ** 2,
    };
  }

  /** Where the sketch has all of D's range, one more pass gives all of its values. */
  #lowRank(sketch: Float64Array): Spectrum | null {
    const basis = basisOf(sketch, Math.min(this.#rows, this.#columns));
    const product = basis === null ? null : this.#product(basis.values, 'left');
    const values = product === null ? null : projectedValues(product, basis!.columns, this.#squares);
    if (values === null) return null;
    return { method: 'exact', values, error: 0, stableRank: this.#squares / values[0]! ** 2 };
  }

  /** A small D is had as a whole, by a product with the identity, and its decomposition is cheaper than a search. */
  #whole(): Spectrum | null {
    const least = Math.min(this.#rows, this.#columns);
    if (this.failed !== null || least > WHOLE_SIDE || this.#rows * this.#columns > WHOLE) return null;
    const one = identity(least);
    const product = this.#product(one, this.#rows <= this.#columns ? 'left' : 'right');
    const all = product === null ? null : projectedValues(product, this.#rows, this.#squares);
    if (all === null) return null;
    const values = all.slice(0, SKETCH_COLUMNS);
    return { method: 'exact', values, error: 0, stableRank: this.#squares / values[0]! ** 2 };
  }

  /** Columns in the range of the smaller of D·Dᵀ and Dᵀ·D. */
  #start(sketch: Float64Array): Vectors | null {
    const vectors = columnsOf(sketch, SKETCH_COLUMNS);
    return this.#rows <= this.#columns ? vectors : this.#left(vectors);
  }

  #apply(vectors: Vectors): Vectors | null {
    const half = this.#rows <= this.#columns ? this.#left(vectors) : this.#right(vectors);
    if (half === null) return null;
    return this.#rows <= this.#columns ? this.#right(half) : this.#left(half);
  }

  /** Dᵀ times each. */
  #left(vectors: Vectors): Vectors | null {
    const product = this.#product(interleaved(vectors), 'left');
    return product === null
      ? null
      : vectors.map((_, k) => product.subarray(k * this.#columns, (k + 1) * this.#columns));
  }

  /** D times each. */
  #right(vectors: Vectors): Vectors | null {
    const product = this.#product(interleaved(vectors), 'right');
    return product === null ? null : columnsOf(product, vectors.length);
  }

  #product(basis: Float64Array, side: 'left' | 'right'): Float64Array | null {
    const { plan, control, io } = this.#job;
    const pass = native().difference(plan, basis, control, PROGRESS, io, side);
    if (pass.outcome === 'done') return new Float64Array(pass.record);
    this.failed = pass;
    return null;
  }
}

/** Row by row; it is the same column by column. */
function identity(size: number): Float64Array {
  const values = new Float64Array(size * size);
  for (let i = 0; i < size; i++) values[i * size + i] = 1;
  return values;
}

const columnsOf = (values: Float64Array, columns: number): Float64Array[] =>
  Array.from({ length: columns }, (_, k) =>
    Float64Array.from({ length: values.length / columns }, (_, i) => values[i * columns + k]!),
  );

function interleaved(vectors: Vectors): Float64Array {
  const all = new Float64Array(vectors.length * vectors[0]!.length);
  vectors.forEach((vector, k) => {
    for (let i = 0; i < vector.length; i++) all[i * vectors.length + k] = vector[i]!;
  });
  return all;
}

const replyOf = (
  { outcome, side, offset, errno }: NativeDifference,
  difference: Difference | null,
): DifferenceReply => ({ outcome, side, offset, errno, difference });
