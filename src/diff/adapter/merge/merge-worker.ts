// What runs in a worker thread: the base's weight with the update, row by row, against the suspect's weight. Row by row, because DoRA
// divides by the norm of each row, and because what somebody hid in one row is nothing in the norm of all.
import { readSync } from 'node:fs';
import { ownError } from '../../../baseline/compare/conversion.ts';
import { dtypeByName } from '../../../scan/dtype.ts';
import { compose, decoded, type Part, type Parts } from '../compose.ts';

interface Place {
  readonly fd: number;
  readonly start: number;
  readonly dtype: string;
}

export interface MergeJob {
  readonly good: Place;
  readonly suspect: Place;
  /** Of the weight, rows first. */
  readonly shape: readonly [number, number];
  /** The weight stands as [in, out]. */
  readonly transposed: boolean;
  readonly family: string;
  readonly parts: Parts;
  /** A stands as [in, rank]; B as [rank, out]. */
  readonly flat: boolean;
  readonly bByRank: boolean;
  readonly scale: number;
  /** Of what rounds the update: its factors' own error. */
  readonly factorError: number;
}

export interface MergeResult {
  readonly finite: boolean;
  readonly strength: number | null;
  readonly rest: number;
  readonly room: number;
  readonly rows: number;
  readonly changed: boolean;
  /** The norm of the update at its own scale. */
  readonly update: number;
}

/** What is left may be so many times what rounding leaves on average. */
const MARGIN = 1.5;
/** Of a single row more: of 100,000 rows one is far from the mean. */
const ROW_MARGIN = 4;
/** Products are made in TF32 or BF16 by who merges: so much of the update may be lost. */
const PRODUCT = 2 ** -8;
/** A strength within this of 1 is 1. */
const ONE = 0.01;
const BLOCK = 1 << 20;

export default function merge(job: MergeJob): MergeResult {
  const sums = new Sums();
  for (const row of rowsOf(job)) sums.add(row);
  const strength = job.family === 'ia3' || job.parts.magnitude ? null : sums.strength();
  const isOne = strength === null || Math.abs(strength - 1) <= ONE;
  const error = Math.max(ownError(job.good.dtype) ?? 0, ownError(job.suspect.dtype) ?? 0);
  const lost = Math.max(PRODUCT, job.factorError);
  const room = MARGIN * Math.hypot(error * sums.norm(), lost * sums.updateNorm(isOne ? 1 : strength!));
  return {
    finite: sums.isFinite(),
    strength: strength === null ? null : isOne ? 1 : strength,
    rest: sums.rest(isOne ? 1 : strength!),
    room,
    rows: sums.rowsBeyond(isOne ? 1 : strength!, error, lost),
    changed: sums.changed,
    update: sums.updateNorm(1),
  };
}

/** D = W′ − W and U, what the merge adds, of one row. */
interface Row {
  readonly change: number;
  readonly update: number;
  readonly along: number;
  readonly weight: number;
}

class Sums {
  readonly #rows: Row[] = [];
  changed = false;

  add(row: Row): void {
    this.#rows.push(row);
    this.changed ||= row.change > 0;
  }

  #sum(take: (row: Row) => number): number {
    return this.#rows.reduce((sum, row) => sum + take(row), 0);
  }

  isFinite = (): boolean =>
    Number.isFinite(this.#sum(({ change, update, weight }) => change + update + weight));
  norm = (): number => Math.sqrt(this.#sum(({ weight }) => weight));
  updateNorm = (strength: number): number => strength * Math.sqrt(this.#sum(({ update }) => update));

  strength(): number | null {
    const square = this.#sum(({ update }) => update);
    return square === 0 ? null : this.#sum(({ along }) => along) / square;
  }

  rest = (strength: number): number => Math.sqrt(this.#sum((row) => restOf(row, strength)));

  rowsBeyond(strength: number, error: number, lost: number): number {
    return this.#rows.filter((row) => {
      const room = error ** 2 * row.weight + (lost * strength) ** 2 * row.update;
      return restOf(row, strength) > ROW_MARGIN ** 2 * room;
    }).length;
  }
}

const restOf = ({ change, update, along }: Row, strength: number): number =>
  Math.max(0, change - 2 * strength * along + strength ** 2 * update);

function* rowsOf(job: MergeJob): Generator<Row> {
  const [rows, columns] = job.shape;
  const size = dtypeByName(job.good.dtype)!.blockSize;
  const count = Math.max(1, Math.floor(BLOCK / (columns * size)));
  const updated = updates(job);
  for (let first = 0; first < rows; first += count) {
    const many = Math.min(count, rows - first);
    const [before, after] = [job.good, job.suspect].map((place) =>
      read(place, first * columns, many * columns),
    );
    for (let i = 0; i < many; i++) {
      const [w, v] = [before!, after!].map((all) => all.subarray(i * columns, (i + 1) * columns));
      yield rowOf(w!, v!, updated(first + i, w!));
    }
  }
}

function rowOf(before: Float64Array, after: Float64Array, update: Float64Array): Row {
  let [change, square, along, weight] = [0, 0, 0, 0];
  for (let i = 0; i < before.length; i++) {
    const [d, u] = [after[i]! - before[i]!, update[i]!];
    change += d * d;
    square += u * u;
    along += d * u;
    weight += after[i]! * after[i]!;
  }
  return { change, update: square, along, weight };
}

function read({ fd, start, dtype }: Place, at: number, count: number): Float64Array {
  const size = dtypeByName(dtype)!.blockSize;
  const bytes = new Uint8Array(count * size);
  for (let done = 0; done < bytes.length; ) {
    const got = readSync(fd, bytes, done, bytes.length - done, start + at * size + done);
    if (got === 0) throw new RangeError('the file ends before the tensor does');
    done += got;
  }
  return decoded({ bytes, dtype });
}

type Update = (row: number, weight: Float64Array) => Float64Array;

/** What is added to each row. The array is used again for the next. */
function updates(job: MergeJob): Update {
  const { family, parts, transposed } = job;
  if (family === 'ia3') return scaled(parts.vector!, transposed);
  const { a, b, rank, shape } = compose(family, {
    ...parts,
    ...(job.flat ? { a: turnedPart(parts.a!) } : {}),
    ...(job.bByRank ? { b: turnedPart(parts.b!) } : {}),
  });
  const [left, right] = transposed ? [turned(a, rank, shape[1]), turned(b, shape[0], rank)] : [b, a];
  const columns = job.shape[1];
  const row = new Float64Array(columns);
  const product: Update = (at) => {
    row.fill(0);
    for (let k = 0; k < rank; k++) {
      const factor = job.scale * left[at * rank + k]!;
      if (factor === 0) continue;
      const from = k * columns;
      for (let i = 0; i < columns; i++) row[i]! += factor * right[from + i]!;
    }
    return row;
  };
  if (parts.magnitude === undefined) return product;
  const magnitude = decoded(parts.magnitude);
  // m · (W + ΔW) / ‖W + ΔW‖ − W.
  return (at, weight) => {
    const sum = product(at, weight);
    let square = 0;
    for (let i = 0; i < columns; i++) square += (weight[i]! + sum[i]!) ** 2;
    const factor = magnitude[at]! / Math.sqrt(square);
    for (let i = 0; i < columns; i++) sum[i] = factor * (weight[i]! + sum[i]!) - weight[i]!;
    return sum;
  };
}

/** W·diag(l) − W, or diag(l)·W − W where the vector stands as a column. */
function scaled(vector: Part, transposed: boolean): Update {
  const factors = decoded(vector);
  const isInput = (vector.shape[0] === 1) !== transposed;
  return (at, weight) => weight.map((x, i) => x * (factors[isInput ? i : at]! - 1));
}

/** [rows, columns] as [columns, rows]. */
function turned(values: Float64Array, rows: number, columns: number): Float64Array {
  const found = new Float64Array(values.length);
  for (let i = 0; i < rows; i++)
    for (let k = 0; k < columns; k++) found[k * rows + i] = values[i * columns + k]!;
  return found;
}

function turnedPart(part: Part): Part {
  const [rows, columns] = part.shape as [number, number];
  const values = turned(decoded(part), rows, columns);
  return { bytes: new Uint8Array(values.buffer), dtype: 'F64', shape: [columns, rows] };
}
