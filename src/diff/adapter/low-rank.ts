// The mathematics of low-rank updates, on matrices as large as the rank. With B = Q_B R_B and Aᵀ = Q_A R_A, s·B·A has the singular
// values of s·R_B·R_Aᵀ, exactly; two updates whose factors are told in one basis can be subtracted and projected there. The
// products over whole factors are native (native/adapter/factors.h), the decompositions are ml-matrix's.
import { Matrix, QrDecomposition, SVD } from 'ml-matrix';
import type { ModuleDiff, ModuleSpectrum } from './adapter-report.ts';

/** What native.factors returns of one update. */
interface Triangles {
  readonly rank: number;
  readonly ra: Matrix;
  readonly rb: Matrix;
  /** Of x, x², x³, x⁴ over the entries of BA, up to one factor. */
  readonly sums: readonly number[];
}

export interface Update extends Triangles {
  readonly scale: number;
  /** [out, in] */
  readonly shape: readonly [number, number];
}

/** The second of two in the basis of both. */
interface Continuation {
  readonly a: Matrix;
  readonly b: Matrix;
}

/** Singular values below this, of the largest, are rounding. */
const ROUNDING = 1e-12;
/** Share of the energy that the good update's subspace is to hold. */
const K95 = 0.95;

/** null: the scale makes it infinite. `moments`: the sums were taken. */
export function spectrumOf(
  { rank, ra, rb, sums, scale, shape }: Update,
  moments = true,
): ModuleSpectrum | null {
  const values = valuesOf(rb.mmul(ra.transpose())).map((value) => value * Math.abs(scale));
  const [energy, total] = [sum(values.map((value) => value * value)), sum(values)];
  if (!Number.isFinite(energy)) return null;
  const isZero = energy === 0;
  const entropy = -sum(values.map((value) => (value === 0 ? 0 : (value / total) * Math.log(value / total))));
  return {
    rank,
    scale,
    shape,
    singularValues: values,
    norm: Math.sqrt(energy),
    energy: isZero ? null : values[0]! ** 2 / energy,
    entropy: isZero || rank === 1 ? null : entropy / Math.log(rank),
    effectiveRank: isZero ? null : Math.exp(entropy),
    participation: isZero ? null : total ** 2 / energy,
    kurtosis: isZero || scale === 0 || !moments ? null : kurtosisOf(sums, shape[0] * shape[1]),
  };
}

/** Without vectors, which cost three times as much as values. */
const valuesOf = (matrix: Matrix): number[] =>
  new SVD(matrix, { computeLeftSingularVectors: false, computeRightSingularVectors: false }).diagonal;

/** Central, from sums of powers: the mean of BA is small against its deviation, so little cancels. */
function kurtosisOf([x1, x2, x3, x4]: readonly number[], count: number): number | null {
  const [m1, m2, m3, m4] = [x1! / count, x2! / count, x3! / count, x4! / count];
  const variance = m2 - m1 * m1;
  if (!(variance > m2 * ROUNDING)) return null;
  return (m4 - 4 * m1 * m3 + 6 * m1 * m1 * m2 - 3 * m1 ** 4) / variance ** 2;
}

/** null: the scales make it infinite. */
export function pairOf(good: Update, suspect: Update, both: Continuation): ModuleDiff['pair'] {
  const size = both.b.rows;
  const own = good.rb.mmul(good.ra.transpose()).mul(good.scale);
  const one = Matrix.zeros(size, size);
  one.setSubMatrix(own, 0, 0);
  const other = both.b.mmul(both.a.transpose()).mul(suspect.scale);
  const difference = Matrix.sub(other, one);
  const [norm, goodNorm, suspectNorm] = [difference, own, other].map((matrix) => matrix.norm()) as [
    number,
    number,
    number,
  ];
  if (!Number.isFinite(norm) || !Number.isFinite(goodNorm) || !Number.isFinite(suspectNorm)) return null;
  const [first, second] = [within(vectorsOf(own), size), vectorsOfProduct(both, suspect.scale)];
  const product = goodNorm * suspectNorm;
  return {
    norm,
    relativeNorm: goodNorm === 0 ? null : norm / goodNorm,
    cosine: product === 0 ? null : sum(Matrix.mul(one, other).to1DArray()) / product,
    singularValues: valuesOf(difference),
    overlap: { left: overlap(first.left, second.left), right: overlap(first.right, second.right) },
    novelEnergy: suspectNorm === 0 || goodNorm === 0 ? null : novelEnergy(first, other, suspectNorm),
  };
}

/** Of b·aᵀ through QR of both, so that the decomposition is as large as the rank and not as both ranks. */
function vectorsOfProduct({ a, b }: Continuation, scale: number): Vectors {
  const [left, right] = [new QrDecomposition(b), new QrDecomposition(a)];
  const inner = vectorsOf(
    left.upperTriangularMatrix.mmul(right.upperTriangularMatrix.transpose()).mul(scale),
  );
  return {
    left: left.orthogonalMatrix.mmul(inner.left),
    right: right.orthogonalMatrix.mmul(inner.right),
    values: inner.values,
  };
}

/** The first of two stands at the beginning of the basis of both. */
function within({ left, right, values }: Vectors, size: number): Vectors {
  const [padded, paddedToo] = [left, right].map((vectors) => {
    const all = Matrix.zeros(size, vectors.columns);
    if (vectors.columns > 0) all.setSubMatrix(vectors, 0, 0);
    return all;
  }) as [Matrix, Matrix];
  return { left: padded, right: paddedToo, values };
}

interface Vectors {
  readonly left: Matrix;
  readonly right: Matrix;
  readonly values: readonly number[];
}

/** Singular vectors as columns, as many as are not rounding. */
function vectorsOf(matrix: Matrix): Vectors {
  const svd = new SVD(matrix);
  const values = svd.diagonal.filter((value) => value > svd.diagonal[0]! * ROUNDING);
  return {
    left: columns(svd.leftSingularVectors, values.length),
    right: columns(svd.rightSingularVectors, values.length),
    values,
  };
}

const columns = (matrix: Matrix, count: number): Matrix =>
  count === 0 ? Matrix.zeros(matrix.rows, 0) : matrix.subMatrix(0, matrix.rows - 1, 0, count - 1);

function overlap(one: Matrix, other: Matrix): number {
  const rank = Math.min(one.columns, other.columns);
  return rank === 0 ? 0 : one.transpose().mmul(other).norm() ** 2 / rank;
}

function novelEnergy({ left, right, values }: Vectors, suspect: Matrix, norm: number): number {
  const energy = sum(values.map((value) => value * value));
  let [count, held] = [0, 0];
  while (count < values.length && held < K95 * energy) held += values[count++]! ** 2;
  const projected = columns(left, count).transpose().mmul(suspect).mmul(columns(right, count));
  return Math.max(0, 1 - (projected.norm() / norm) ** 2);
}

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
