// Leading singular values of a difference that nobody holds: a block Krylov method (Golub and Underwood 1977; Musco and Musco
// 2015). G = D·Dᵀ, or Dᵀ·D where that is smaller, is applied to blocks of 16 columns, two passes each, and projected onto all
// of them: by Cauchy's interlacing no value is above the true one, and the residual bounds what is missing.
import type * as MlMatrix from 'ml-matrix';
import { late } from '../../../runtime/loading.ts';

const matrices = (): typeof MlMatrix => late('ml-matrix');

/** Vectors of one length. */
export type Vectors = readonly Float64Array[];

/** G times each; null: the passes were cut short. */
type Apply = (vectors: Vectors) => Vectors | null;

interface Leading {
  /** The largest first. */
  readonly values: readonly number[];
  /** What each may be too small by, at most. */
  readonly error: number;
}

/** Of σ₁: values whose bound is below it are the matrix's own, to rounding. */
export const EXACT = 1e-7;
const WANTED = 16;
/** A direction of which orthogonalisation leaves less is in the others' span. */
const DEPENDENT = 1e-10;
/** After how many blocks the space is looked at: an eigenproblem costs its cube, so that all together cost little more than the last. */
const LOOKS: ReadonlySet<number> = new Set([2, 3, 4, 6, 8, 12, 16, 24, 32]);

/** `start`: of the range of G. `blocks`: how many may be applied. null: a pass was cut short. */
export function leading(apply: Apply, start: Vectors, blocks: number): Leading | null {
  const space: Float64Array[] = [];
  const images: Float64Array[] = [];
  let block = independent(start, space);
  for (let done = 1; ; done++) {
    const image = apply(block);
    if (image === null) return null;
    space.push(...block);
    images.push(...image);
    const next = independent(image, space);
    const isWhole = next.length === 0 || space.length === space[0]!.length;
    const isLast = isWhole || done >= blocks;
    if (isLast || LOOKS.has(done)) {
      const found = ritz(space, images, isWhole);
      if (isLast || found.error <= EXACT * found.values[0]!) return found;
    }
    block = next.slice(0, space[0]!.length - space.length);
  }
}

/** The vectors made orthogonal to the space and to each other; what depends on the others is left out. */
function independent(vectors: Vectors, space: Vectors): Float64Array[] {
  const found: Float64Array[] = [];
  const largest = Math.max(...vectors.map(norm));
  for (const vector of vectors) {
    const own = Float64Array.from(vector);
    const whole = norm(own);
    // Twice is enough (Giraud, Langou and Rozloznik 2005); a third time where hardly anything was left.
    for (let pass = 0; pass < 3; pass++)
      for (const other of [...space, ...found]) subtract(own, dot(own, other), other);
    const left = norm(own);
    if (!(left > DEPENDENT * whole) || !(whole > DEPENDENT * largest)) continue;
    for (let i = 0; i < own.length; i++) own[i]! /= left;
    found.push(own);
  }
  return found;
}

function ritz(space: Vectors, images: Vectors, isWhole: boolean): Leading {
  const { EigenvalueDecomposition, Matrix } = matrices();
  const size = space.length;
  const projected = Matrix.zeros(size, size);
  for (let i = 0; i < size; i++)
    for (let j = 0; j <= i; j++) {
      const entry = (dot(space[i]!, images[j]!) + dot(space[j]!, images[i]!)) / 2;
      projected.set(i, j, entry);
      projected.set(j, i, entry);
    }
  const { realEigenvalues, eigenvectorMatrix } = new EigenvalueDecomposition(projected, {
    assumeSymmetric: true,
  });
  const order = realEigenvalues
    .map((_, k) => k)
    .sort((a, b) => realEigenvalues[b]! - realEigenvalues[a]!)
    .slice(0, WANTED);
  const squares = order.map((k) => Math.max(0, realEigenvalues[k]!));
  const errors = isWhole
    ? [0]
    : order.map((k, i) => {
        const residual = residualOf(space, images, eigenvectorMatrix.getColumn(k), squares[i]!);
        return Math.sqrt(squares[i]! + residual) - Math.sqrt(squares[i]!);
      });
  return { values: squares.map(Math.sqrt), error: Math.max(...errors) };
}

/** ‖G·u − θ·u‖ of u = V·y: an eigenvalue of G is within it of θ. */
function residualOf(space: Vectors, images: Vectors, y: readonly number[], theta: number): number {
  const rest = new Float64Array(space[0]!.length);
  for (let k = 0; k < y.length; k++) {
    subtract(rest, -y[k]!, images[k]!);
    subtract(rest, theta * y[k]!, space[k]!);
  }
  return norm(rest);
}

function dot(one: Float64Array, other: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < one.length; i++) sum += one[i]! * other[i]!;
  return sum;
}

const norm = (vector: Float64Array): number => Math.sqrt(dot(vector, vector));

function subtract(from: Float64Array, factor: number, other: Float64Array): void {
  for (let i = 0; i < from.length; i++) from[i]! -= factor * other[i]!;
}
