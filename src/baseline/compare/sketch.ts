// Sketches of a matrix before and after → how large the change is, and of what rank. Of the difference D only its product
// with 16 columns of random signs is known: D·Ω = (now·Ω) − (base·Ω), because sketching is linear. Ω has variance 1, so that
// ‖D·Ω‖² is 16 ‖D‖² on average, and the leading singular values of D·Ω / 4 are those of D within a factor of about √2
// (Halko, Martinsson, Tropp 2011, section 9; Tropp et al. 2017). A rank-one D stays rank one, exactly.
import { SKETCH_COLUMNS, sketchedValues } from '../../scan/measure/spectrum.ts';

/** What a sketch says of a change. */
export interface SketchedChange {
  /** ‖D‖, Frobenius; its standard deviation is some 18 % where D has rank one, less where it has more. */
  readonly norm: number;
  /** Of D, the largest first, 16 of them. */
  readonly singularValues: readonly number[];
  /** Rows of D that are not all zero. */
  readonly changedRows: number;
}

/** Rows × 16 values of Stats.sketch, row by row; null: not the sketch of so many rows. */
export function sketchOf(text: string, rows: number): Float32Array | null {
  const bytes = Uint8Array.from(Buffer.from(text, 'base64'));
  return bytes.length === rows * SKETCH_COLUMNS * Float32Array.BYTES_PER_ELEMENT
    ? new Float32Array(bytes.buffer)
    : null;
}

/** now·Ω − base·Ω over the rows that both have. */
export const sketchOfChange = (good: Float32Array, suspect: Float32Array): Float64Array =>
  Float64Array.from({ length: Math.min(good.length, suspect.length) }, (_, i) => suspect[i]! - good[i]!);

/**
 * @param product D·Ω: rows × 16 values, row by row.
 * @returns null where a value is not finite: a sum left the range of a float32.
 */
export function changeOf(product: Float64Array): SketchedChange | null {
  const squares = product.reduce((sum, x) => sum + x * x, 0);
  if (!Number.isFinite(squares)) return null;
  let changedRows = 0;
  for (let row = 0; row < product.length; row += SKETCH_COLUMNS)
    if (product.subarray(row, row + SKETCH_COLUMNS).some((x) => x !== 0)) changedRows++;
  return { norm: Math.sqrt(squares / SKETCH_COLUMNS), singularValues: sketchedValues(product), changedRows };
}

/** Second singular value over the first: how far a change is from rank one; null where there is none. */
export function secondToFirst({ singularValues: [first, second] }: SketchedChange): number | null {
  return first ? second! / first : null;
}

/**
 * Second singular value over the first. Rounding to BF16 is noise around an edit: edits of three thousandths of the norm had at
 * most 0.21 (54 of 54 seen), of two thousandths up to 0.29 (97 %), of one thousandth up to 0.47 (half of them). Changes whose
 * directions fall like 1/√k to 1/k^1.25, as training leaves them, had 0.26 and more (none of 288 taken for an edit).
 */
const RANK_ONE = 0.25;
/** Fewer rows than this are of low rank whatever they hold. */
const RANK_TOLD = SKETCH_COLUMNS;

/** What is left of a rank-one change in F32, of its norm. */
const LEFT = 1e-3;
/** Second value of a sketch to the middle one of the others: rounding is flatter, what training leaves falls off. */
const FLAT = 3;

/**
 * Whether a change is the product of a column with a row, as model editors (ROME) write it: what is left behind the first direction
 * is nothing, or no more than `room`, which rounding to the dtype explains, and as flat as rounding is.
 */
export function isRankOne(change: SketchedChange, room: number): boolean {
  const ratio = secondToFirst(change);
  if (change.changedRows < RANK_TOLD || ratio === null || ratio > RANK_ONE) return false;
  const [, ...others] = change.singularValues;
  const rest = Math.sqrt(others.reduce((sum, value) => sum + value * value, 0));
  if (rest <= LEFT * change.norm) return true;
  return rest <= room && others[0]! <= FLAT * others[others.length >> 1]!;
}
