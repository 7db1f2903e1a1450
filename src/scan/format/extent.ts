// How many elements and bytes a shape declares, in exact arithmetic: loaders have wrapped 2^32 x 2^32 F32 to an empty tensor.
import type { DtypeInfo } from '../dtype.ts';

export interface Extent {
  readonly count: number;
  readonly size: number;
}

const INT64_MAX = 2n ** 63n - 1n;

/**
 * null: the product does not fit an int64, counted in bits and without its zeros. Zeros are left out because a reader
 * that multiplies from the left overflows on [2^62, 4, 0] and not on [0, 2^62, 4]. `blockCount` must divide the count.
 */
export function extentOf(
  shape: readonly number[],
  dtype: Pick<DtypeInfo, 'blockCount' | 'blockSize'>,
): Extent | null {
  let product = 1;
  let empty = false;
  for (const dim of shape) {
    if (dim === 0) empty = true;
    else product *= dim;
  }
  // A double is exact up to 2^53; rounding up to there cannot bring a larger product back below it.
  if (product * dtype.blockSize * 8 > Number.MAX_SAFE_INTEGER) {
    let exact = BigInt(dtype.blockSize * 8);
    for (const dim of shape) if (dim !== 0) exact *= BigInt(dim);
    if (exact > INT64_MAX) return null;
  }
  if (empty) return { count: 0, size: 0 };
  // Between 2^53 and 2^60 the size may be rounded; no file is that large, so it is refused for that.
  return { count: product, size: (product / dtype.blockCount) * dtype.blockSize };
}
