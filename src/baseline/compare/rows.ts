// Which rows of an embedding or output head changed. Exact where norms are blind: poisoned embeddings keep their norm.
import type { RowStats } from '../../scan/measure/record/stats.ts';

export interface RowChange {
  /** Indexes of the rows that changed, of those that both have. */
  readonly changed: readonly number[];
  /** Rows that both have. */
  readonly rows: number;
  /** Every changed row kept its norm, as rounding to 16 bits leaves it. */
  readonly keepsNorms: boolean;
  /** So few rows changed that no training did it, and not all of them were unused before. */
  readonly isEdit: boolean;
}

const NORM_KEPT = 1e-3;
/** Llama 3 has tokens that were never trained: their rows are some 1e-21 beside a median of 0.6. */
const UNUSED = 1e-3;
const FEW = 32;
const FEW_SHARE = 5e-4;

/** null: one of the two has no row statistics. */
export function changedRows(good: RowStats | null, suspect: RowStats | null): RowChange | null {
  if (good === null || suspect === null) return null;
  const rows = Math.min(good.digests.length, suspect.digests.length, good.norms.length, suspect.norms.length);
  const changed: number[] = [];
  for (let row = 0; row < rows; row++) if (good.digests[row] !== suspect.digests[row]) changed.push(row);
  const kept = (row: number): boolean => {
    const [before, after] = [good.norms[row] ?? null, suspect.norms[row] ?? null];
    return before !== null && after !== null && Math.abs(after - before) <= NORM_KEPT * before;
  };
  const limit = Math.min(Math.max(FEW, FEW_SHARE * rows), rows / 2);
  const isFew = changed.length > 0 && changed.length <= limit;
  return {
    changed,
    rows,
    keepsNorms: changed.every(kept),
    isEdit: isFew && !changed.every((row) => (good.norms[row] ?? 1) < UNUSED * median(good.norms)),
  };
}

function median(norms: readonly (number | null)[]): number {
  const sorted = norms.filter((norm) => norm !== null).sort((a, b) => a - b);
  return sorted[sorted.length >> 1] ?? 0;
}
