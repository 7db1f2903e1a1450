// Singular values of a difference that nobody holds: from its product with random signs, and where it is of low rank from its
// product with a basis of its range (Halko, Martinsson, Tropp 2011, "Finding structure with randomness").
import type * as MlMatrix from 'ml-matrix';
import { late } from '../../runtime/loading.ts';

// A scan without a baseline has no sketch to take apart.
const matrices = (): typeof MlMatrix => late('ml-matrix');

/** Columns of the sign matrix; native/counts/rows/sketch.h. */
export const SKETCH_COLUMNS = 16;

/** Eigenvalues of a Gram matrix below this share of the largest are rounding. */
const NOISE = 1e-12;
/** A basis that misses more of ‖D‖² than this is none of D's range. */
const MISSED = 1e-11;

/** `rows` × `columns`, row by row. */
interface Tall {
  readonly values: Float64Array;
  readonly columns: number;
}

/** Each column has the expectation ‖D‖², so that the root of their number makes values of the sketch those of D. */
export function sketchedValues(sketch: Float64Array): number[] {
  const { values } = eigen({ values: sketch, columns: SKETCH_COLUMNS });
  return values.map((value) => Math.sqrt(Math.max(0, value) / SKETCH_COLUMNS));
}

/**
 * An orthonormal basis of the sketch's range, rows × rank: of D's range, if D is of lower rank than the sketch has columns
 * or has no more than that. null: it is not, as far as the sketch can tell. `least`: of rows and columns of D.
 */
export function basisOf(sketch: Float64Array, least: number): Tall | null {
  const once = orthonormal({ values: sketch, columns: SKETCH_COLUMNS });
  if (once.columns === SKETCH_COLUMNS && least > SKETCH_COLUMNS) return null;
  // A Gram matrix squares the condition number; of a nearly orthonormal basis it is harmless.
  return orthonormal(once);
}

/** Singular values of D from Qᵀ·D, row by row; null: the basis Q misses a part of D, whose squares sum to `squares`. */
export function projectedValues(product: Float64Array, rank: number, squares: number): number[] | null {
  const { Matrix, SingularValueDecomposition } = matrices();
  const columns = product.length / rank;
  const kept = product.reduce((sum, x) => sum + x * x, 0);
  if (Math.abs(squares - kept) > MISSED * squares) return null;
  const transposed = new Matrix(columns, rank);
  for (let row = 0; row < rank; row++)
    for (let column = 0; column < columns; column++)
      transposed.set(column, row, product[row * columns + column]!);
  const { diagonal } = new SingularValueDecomposition(transposed, {
    computeLeftSingularVectors: false,
    computeRightSingularVectors: false,
    autoTranspose: true,
  });
  const largest = Math.max(...diagonal);
  return diagonal.filter((value) => value > Math.sqrt(NOISE) * largest).sort((a, b) => b - a);
}

/** Y·V·Λ^(-1/2) for YᵀY = V·Λ·Vᵀ, without directions that are rounding. */
function orthonormal(tall: Tall): Tall {
  const { values, vectors } = eigen(tall);
  const kept = values.map((_, k) => k).filter((k) => values[k]! > NOISE * values[0]!);
  const rows = tall.values.length / tall.columns;
  const basis = new Float64Array(rows * kept.length);
  kept.forEach((k, at) => {
    const scale = 1 / Math.sqrt(values[k]!);
    for (let row = 0; row < rows; row++) {
      let sum = 0;
      for (let i = 0; i < tall.columns; i++) sum += tall.values[row * tall.columns + i]! * vectors[k]![i]!;
      basis[row * kept.length + at] = sum * scale;
    }
  });
  return { values: basis, columns: kept.length };
}

/** Of the Gram matrix, the largest value first. */
function eigen({ values, columns }: Tall): { values: number[]; vectors: number[][] } {
  const { EigenvalueDecomposition, Matrix } = matrices();
  const gram = Matrix.zeros(columns, columns);
  for (let i = 0; i < columns; i++)
    for (let j = 0; j <= i; j++) {
      let sum = 0;
      for (let at = 0; at < values.length; at += columns) sum += values[at + i]! * values[at + j]!;
      gram.set(i, j, sum);
      gram.set(j, i, sum);
    }
  const { realEigenvalues, eigenvectorMatrix } = new EigenvalueDecomposition(gram, { assumeSymmetric: true });
  const order = realEigenvalues.map((_, k) => k).sort((a, b) => realEigenvalues[b]! - realEigenvalues[a]!);
  return {
    values: order.map((k) => realEigenvalues[k]!),
    vectors: order.map((k) => eigenvectorMatrix.getColumn(k)),
  };
}
