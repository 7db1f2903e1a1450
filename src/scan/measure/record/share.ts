// One long file for two workers: both digests of a byte take longer than its statistics or not half as long, by dtype, so the
// tensors are divided where both workers will be done at about the same time.
import { DTYPES, type DtypeInfo } from '../../dtype.ts';
import { RANGE_SIZE } from '../plan.ts';

/**
 * The first range that the worker with the file's digest measures too; the other one measures those before it.
 * `ranges`: as in a plan; `size` of the file in bytes.
 */
export function divide(ranges: Float64Array, size: number): number {
  const count = ranges.length / RANGE_SIZE;
  let [withFile, other] = [size, 0];
  for (let range = 0; range < count; range++) withFile += costBesideFile(range);
  for (let range = 0; range < count; range++) {
    const [less, more] = [costBesideFile(range), costOf(range)];
    if (other + more > withFile) return range;
    withFile -= less;
    other += more;
  }
  return count;

  function sizeOf(range: number): number {
    return ranges[RANGE_SIZE * range + 1]! - ranges[RANGE_SIZE * range]!;
  }
  function costOf(range: number): number {
    const bytes = sizeOf(range);
    return (
      bytes * cost(DTYPES[ranges[RANGE_SIZE * range + 2]!]) + RANGE_COST + Math.min(bytes, FEW) * FEW_COST
    );
  }
  function costBesideFile(range: number): number {
    return costOf(range) - sizeOf(range) * SECOND_DIGEST;
  }
}

// What follows from the counts of a range, in digested bytes: so much for any range, and for each byte of those that have few
// bytes, since each has a code that none before it had. Fits tensors of 1 to 1,000 KiB.
const RANGE_COST = 10 * 1024;
const FEW = 20 * 1024;
const FEW_COST = 0.4;

/** What a byte costs less when its digest and the file's are computed side by side. */
const SECOND_DIGEST = 0.45;

/** Of the digest and statistics of a byte, where the digest alone is 1: medians on a Sapphire Rapids core. */
function cost(dtype: DtypeInfo | undefined): number {
  if (dtype === undefined || dtype.coverage === 'bytes') return 1;
  if (dtype.blockCount > 2) return BLOCK_COSTS[dtype.name] ?? 2.5;
  return dtype.blockSize > 2 ? 1.4 : 1.1;
}

const BLOCK_COSTS: Readonly<Record<string, number>> = { Q8_0: 1.8, Q4_0: 2.2, Q4_K: 2.2, Q6_K: 2.5 };
