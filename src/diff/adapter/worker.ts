// What runs in a worker thread: the updates of one module. Plain objects go in and out.
import { Matrix } from 'ml-matrix';
import { dtypeByName } from '../../scan/dtype.ts';
import { native } from '../../scan/measure/native.ts';
import type { ModuleDiff } from './adapter-report.ts';
import { compose, type Parts } from './compose.ts';
import { pairOf, spectrumOf, type Update } from './low-rank.ts';

/** The factors of an update, as they stand in the file. */
export interface Factors {
  readonly a: Uint8Array;
  readonly b: Uint8Array;
  /** Codes of the dtypes. */
  readonly dtypes: readonly [number, number];
  readonly rank: number;
  readonly shape: readonly [out: number, inner: number];
  /** A stands as [in, rank]; B as [rank, out]. */
  readonly flat: boolean;
  readonly bByRank: boolean;
  readonly scale: number;
}

/** An update that is made of other parts. */
export interface Composed extends Pick<Factors, 'rank' | 'shape' | 'scale'> {
  readonly family: string;
  readonly parts: Parts;
}

export interface ModuleJob {
  readonly good: Factors | Composed | null;
  readonly suspect: Factors | Composed | null;
  /** No moments of the entries. */
  readonly spectraOnly?: boolean;
}

export type ModuleResult = Pick<ModuleDiff, 'good' | 'suspect' | 'pair' | 'reason'>;

export default function decompose(job: ModuleJob): ModuleResult {
  const { spectraOnly = false } = job;
  const [good, suspect] = [direct(job.good), direct(job.suspect)];
  const comparable =
    good !== null &&
    suspect !== null &&
    good.shape[0] === suspect.shape[0] &&
    good.shape[1] === suspect.shape[1];
  if (!comparable) {
    const [one, other] = [alone(good, spectraOnly), alone(suspect, spectraOnly)];
    const reason = good !== null && suspect !== null ? 'the updates have other shapes' : null;
    return {
      good: one.spectrum,
      suspect: other.spectrum,
      pair: null,
      reason: one.reason ?? other.reason ?? reason,
    };
  }
  const slots = factored([good, suspect]);
  if (slots === null) return { ...NOTHING, reason: NOT_FINITE };
  const [one, other] = [slots.update(good), slots.update(suspect)];
  const size = good.rank + suspect.rank;
  const both = { a: slots.matrix(size, suspect.rank), b: slots.matrix(size, suspect.rank) };
  const found = { good: spectrumOf(one), suspect: spectrumOf(other), pair: pairOf(one, other, both) };
  return { ...found, reason: Object.values(found).includes(null) ? TOO_LARGE : null };
}

function direct(factors: Factors | Composed | null): Factors | null {
  if (factors === null || !('parts' in factors)) return factors;
  const { family, parts, scale } = factors;
  const { a, b, rank, shape } = compose(family, parts);
  const bytes = ({ buffer }: Float64Array): Uint8Array => new Uint8Array(buffer);
  const dtypes = [F64.code, F64.code] as const;
  return { a: bytes(a), b: bytes(b), dtypes, rank, shape, flat: false, bByRank: false, scale };
}

const F64 = dtypeByName('F64')!;

const NOTHING = { good: null, suspect: null, pair: null } as const;
const NOT_FINITE = 'a factor has values that are not finite';
const TOO_LARGE = 'the scale makes the update infinite';

function alone(
  factors: Factors | null,
  spectraOnly: boolean,
): Pick<ModuleDiff, 'reason'> & { spectrum: ModuleDiff['good'] } {
  if (factors === null) return { spectrum: null, reason: null };
  const slots = factored([factors], spectraOnly);
  const spectrum = slots === null ? null : spectrumOf(slots.update(factors), !spectraOnly);
  return { spectrum, reason: slots === null ? NOT_FINITE : spectrum === null ? TOO_LARGE : null };
}

function factored(updates: readonly Factors[], spectraOnly = false): Slots | null {
  const plan = updates.flatMap(({ dtypes, rank, shape: [out, inner], flat, bByRank }) => [
    ...dtypes,
    rank,
    inner,
    out,
    (flat ? 0 : 1) + (bByRank ? 2 : 0) + (spectraOnly ? 4 : 0),
  ]);
  const slots = native().factors(
    updates.flatMap(({ a, b }) => [a, b]),
    Float64Array.from(plan),
  );
  return slots === null ? null : new Slots(slots);
}

/** Reads what native/addon.cc writes, in its order. */
class Slots {
  readonly #slots: Float64Array;
  #at = 0;

  constructor(slots: Float64Array) {
    this.#slots = slots;
  }

  update({ rank, scale, shape }: Factors): Update {
    const [ra, rb] = [this.matrix(rank, rank), this.matrix(rank, rank)];
    return { rank, ra, rb, sums: [...this.#take(4)], scale, shape };
  }

  matrix(rows: number, columns: number): Matrix {
    return Matrix.from1DArray(rows, columns, this.#take(rows * columns));
  }

  #take(count: number): Float64Array {
    this.#at += count;
    return this.#slots.subarray(this.#at - count, this.#at);
  }
}
