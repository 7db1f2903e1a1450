// Updates of every kind as one product of two factors, exactly: Khatri-Rao for Hadamard products, Kronecker for Kronecker ones. The
// factors become double precision, so that nothing is rounded on the way to the decomposition.
import { dtypeByName } from '../../scan/dtype.ts';

export interface Part {
  readonly bytes: Uint8Array;
  readonly dtype: string;
  readonly shape: readonly number[];
}

/** Parts by their names in src/scan/adapter/module.ts. */
export type Parts = Readonly<Record<string, Part | undefined>>;

/** B [out, rank] and A [rank, in]. */
interface Product {
  readonly a: Float64Array;
  readonly b: Float64Array;
  readonly rank: number;
  readonly shape: readonly [out: number, inner: number];
}

interface Dense {
  readonly values: Float64Array;
  readonly rows: number;
  readonly columns: number;
}

export function compose(family: string, parts: Parts): Product {
  if (family === 'loha') return hadamard(parts);
  return family === 'lokr' ? kronecker(parts) : lowRank(parts);
}

/** B·A; B·mid·A of a Tucker form; B·diag(E)·A. */
function lowRank({ a, b, mid, e }: Parts): Product {
  const [first, last] = [dense(a!), dense(b!)];
  let inner = first;
  if (e !== undefined) {
    const scales = decoded(e);
    inner = { ...first, values: first.values.map((x, i) => x * scales[Math.floor(i / first.columns)]!) };
  }
  if (mid !== undefined) inner = tucker(decoded(mid), mid.shape, first);
  return { a: inner.values, b: last.values, rank: last.columns, shape: [last.rows, inner.columns] };
}

/** A′[p, (i, k)] = Σ mid[p, q, k] · A[q, i]. */
function tucker(mid: Float64Array, shape: readonly number[], a: Dense): Dense {
  const [rank, own] = shape as [number, number];
  const kernel = mid.length / (rank * own);
  const values = new Float64Array(rank * a.columns * kernel);
  for (let p = 0; p < rank; p++)
    for (let q = 0; q < own; q++)
      for (let i = 0; i < a.columns; i++)
        for (let k = 0; k < kernel; k++)
          values[(p * a.columns + i) * kernel + k]! +=
            mid[(p * own + q) * kernel + k]! * a.values[q * a.columns + i]!;
  return { values, rows: rank, columns: a.columns * kernel };
}

/** (w1a·w1b) ∘ (w2a·w2b): columns of the products of rows, one for each pair of directions. */
function hadamard({ w1a, w1b, w2a, w2b }: Parts): Product {
  const [u, v, x, y] = [w1a!, w1b!, w2a!, w2b!].map(dense) as [Dense, Dense, Dense, Dense];
  const rank = u.columns * x.columns;
  const b = new Float64Array(u.rows * rank);
  for (let o = 0; o < u.rows; o++)
    for (let p = 0; p < u.columns; p++)
      for (let q = 0; q < x.columns; q++)
        b[o * rank + p * x.columns + q] = u.values[o * u.columns + p]! * x.values[o * x.columns + q]!;
  const a = new Float64Array(rank * v.columns);
  for (let p = 0; p < v.rows; p++)
    for (let q = 0; q < y.rows; q++)
      for (let i = 0; i < v.columns; i++)
        a[(p * y.rows + q) * v.columns + i] = v.values[p * v.columns + i]! * y.values[q * y.columns + i]!;
  return { a, b, rank, shape: [u.rows, v.columns] };
}

/** w1 ⊗ w2 = (U1 ⊗ U2)·(V1 ⊗ V2). */
function kronecker({ w1, w1a, w1b, w2, w2a, w2b }: Parts): Product {
  const [u1, v1] = split(w1, w1a, w1b);
  const [u2, v2] = split(w2, w2a, w2b);
  const [b, a] = [kron(u1, u2), kron(v1, v2)];
  return { a: a.values, b: b.values, rank: b.columns, shape: [b.rows, a.columns] };
}

/** A whole matrix is itself times the identity of its smaller side. */
function split(whole?: Part, left?: Part, right?: Part): [Dense, Dense] {
  if (whole === undefined) return [dense(left!), dense(right!)];
  const matrix = dense(whole);
  return matrix.columns <= matrix.rows ? [matrix, identity(matrix.columns)] : [identity(matrix.rows), matrix];
}

function identity(size: number): Dense {
  const values = new Float64Array(size * size);
  for (let i = 0; i < size; i++) values[i * size + i] = 1;
  return { values, rows: size, columns: size };
}

function kron(one: Dense, other: Dense): Dense {
  const columns = one.columns * other.columns;
  const values = new Float64Array(one.rows * other.rows * columns);
  for (let i = 0; i < one.rows; i++)
    for (let j = 0; j < one.columns; j++)
      for (let k = 0; k < other.rows; k++)
        for (let l = 0; l < other.columns; l++)
          values[(i * other.rows + k) * columns + j * other.columns + l] =
            one.values[i * one.columns + j]! * other.values[k * other.columns + l]!;
  return { values, rows: one.rows * other.rows, columns };
}

/** The first dimension, and all others together. */
function dense(part: Part): Dense {
  const values = decoded(part);
  const rows = part.shape[0]!;
  return { values, rows, columns: values.length / rows };
}

export function decoded({ bytes, dtype }: Omit<Part, 'shape'>): Float64Array {
  const size = dtypeByName(dtype)!.blockSize;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Float64Array.from({ length: bytes.length / size }, (_, i) => {
    if (dtype === 'F64') return view.getFloat64(i * 8, true);
    if (dtype === 'F32') return view.getFloat32(i * 4, true);
    return dtype === 'F16' ? half(view.getUint16(i * 2, true)) : brain(view.getUint16(i * 2, true));
  });
}

/** IEEE 754 binary16. */
function half(code: number): number {
  const sign = code & 0x8000 ? -1 : 1;
  const [exponent, fraction] = [(code >> 10) & 31, code & 1023];
  if (exponent === 31) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  return sign * (exponent === 0 ? fraction * 2 ** -24 : (1024 + fraction) * 2 ** (exponent - 25));
}

const WORD = new DataView(new ArrayBuffer(4));

/** The upper half of an F32. */
function brain(code: number): number {
  WORD.setUint32(0, code << 16);
  return WORD.getFloat32(0);
}
