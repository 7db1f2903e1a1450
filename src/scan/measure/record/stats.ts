// The numbers derived from one pass over a tensor. Definitions: ARCHITECTURE.md, "Statistics". All are functions of the
// tensor's bytes alone: the same on every CPU, kernel, thread count and chunk size.
import type { Coverage } from '../../dtype.ts';

/** Counts of values by magnitude: bin k holds |x| in [2^(k>>2) * (1 + (k&3)/4), next bin), i.e. four bins per octave. */
export interface HistogramRun {
  /** Index k of the first non-empty bin (floor division: negative for magnitudes below 1). */
  readonly first: number;
  /** Counts from that bin to the last non-empty one. */
  readonly counts: readonly number[];
}

/** Statistics over the codes of block scales. `std` is the population's. null: no finite value. */
export interface ScaleStats {
  readonly count: number;
  readonly zero: number;
  readonly negative: number;
  readonly nan: number;
  readonly inf: number;
  readonly subnormal: number;
  readonly min: number | null;
  readonly max: number | null;
  readonly mean: number | null;
  readonly std: number | null;
  /** Entropy of the codes, bits; null for scales wider than 16 bits. */
  readonly entropy: number | null;
}

/** What only block-quantised dtypes have. */
export interface QuantizedStats {
  readonly blocks: number;
  /** Blocks that reach the quantiser's extreme code (Q8_0: |q| = 127; Q4_0, Q5_0: code 0); null where no such invariant is known. */
  readonly blocksAtExtreme: number | null;
  readonly scales: ScaleStats | null;
  /** Minima or offsets (Q4_1, Q5_1, Q2_K, Q4_K, Q5_K). */
  readonly mins: ScaleStats | null;
  /** How often each quant code occurs; index is the unsigned code as stored (Q8_0: two's complement byte). */
  readonly quants: { readonly counts: readonly number[]; readonly entropy: number } | null;
}

/** Row norms and digests of a 2-D tensor, outermost dimension first (only with the rows option). */
export interface RowStats {
  /** Square root of the sum of squares of each row's finite values; null where that overflows a double. */
  readonly norms: readonly (number | null)[];
  /** SHA-256 of each row's bytes. */
  readonly digests: readonly string[];
}

export interface Stats {
  readonly coverage: Coverage;
  /** Elements. For C64 the two components of each element are counted as values: 2 × count of them. */
  readonly count: number;
  /** Both zeros. */
  readonly zero: number;
  readonly negativeZero: number;
  readonly nan: number;
  readonly posInf: number;
  readonly negInf: number;
  readonly subnormal: number;
  /** Different NaN codes seen; counted up to 256. */
  readonly distinctNaN: number;
  // What follows is computed over the finite values as doubles; null where there is none, where the coverage is not
  // 'values', or where a power of a value overflows a double; inexact where one underflows (F64 beyond about 1e±77).
  // Moments are those of blocks of 16,384 values, merged pairwise. In quantised dtypes such a block is made of sub-blocks
  // of 16 or 32 elements, each scale × level − min: the levels' central moments are exact, and only scaling them rounds.
  /** Integers beyond 2^53 as decimal strings. */
  readonly min: number | string | null;
  readonly max: number | string | null;
  readonly absMax: number | string | null;
  readonly mean: number | null;
  /** Population standard deviation. */
  readonly std: number | null;
  /** Sum of magnitudes; square root of the sum of squares. */
  readonly l1: number | null;
  readonly l2: number | null;
  /** m3 / m2^1.5 and m4 / m2^2 (Pearson: 3 for a normal distribution); null where the variance is 0. */
  readonly skewness: number | null;
  readonly kurtosis: number | null;
  /** Shannon entropies in bits. */
  readonly entropy: {
    /** Over the code; over its leading 16 bits for F32, F64 and C64; null for wider integers and quantised types. */
    readonly code: number | null;
    /** Over the exponent field, and over the leading (at most) 7 bits of the mantissa field; null where there is none. */
    readonly exponent: number | null;
    readonly mantissa: number | null;
    /** Per byte plane, least significant first; one entry over all bytes for sub-byte and quantised types. */
    readonly bytes: readonly number[];
  };
  /** Finite values (as doubles) other than zero, by sign; null where the coverage is not 'values'. */
  readonly histogram: {
    readonly negative: HistogramRun | null;
    readonly positive: HistogramRun | null;
  } | null;
  /** Floats: [k] counts codes whose mantissa field ends in exactly k zero bits (the last entry: field all zero). */
  readonly trailingZeros: readonly number[] | null;
  readonly quantized: QuantizedStats | null;
  readonly rows: RowStats | null;
  /**
   * Only with the sketch option, of 2-D tensors of 64 to 2^20 columns, at most 2^19 rows and coverage 'values': the product of
   * the matrix with columns × 16 random signs (native/counts/rows/sketch.h), base64 of rows × 16 little-endian float32. Each is a sum in
   * column order in double precision over the finite values of a row, rounded to nearest even.
   */
  readonly sketch?: string;
}
