// Long stretches of zeros in tensors that have values: what never arrived, unless they are whole rows.
import { type Finding, toFinding } from '../../../rules/finding.ts';
import { dtypeByName } from '../../dtype.ts';
import type { TensorLayout } from '../../format/layout.ts';
import type { MeasuredFile } from '../../measure/measured.ts';
import { isTokenRows } from '../../measure/plan.ts';

export function inspectZeroRuns(files: readonly MeasuredFile[]): Finding[] {
  return files.flatMap(({ entry: { path }, layout, zeroRuns = [] }) =>
    zeroRuns.flatMap(({ tensor, start, size }) => {
      const one = layout!.tensors[tensor]!;
      if (!holdsWeights(one)) return [];
      const whole = isWholeRows(one, start, size);
      // Rows of tokens that nobody uses are zero in many models.
      if (whole && isTokenRows(one.name)) return [];
      const total = one.end - one.start;
      const share = Math.max(1, Math.round((100 * size) / total));
      return toFinding({
        rule: 'stats/zero-run',
        ...(whole ? { severity: 'low' as const } : {}),
        file: path,
        tensor: one.name,
        offset: one.start + start,
        message: `${size} bytes in a row are zero, ${share} % of a tensor that has other values${whole ? ': whole rows' : ''}`,
      });
    }),
  );
}

/** Masks and tables of counts are zero for long by right. */
function holdsWeights({ name, dtype, shape }: TensorLayout): boolean {
  if (dtypeByName(dtype) === undefined || dtype === 'BOOL') return false;
  if (/^[IU]\d+$/.test(dtype))
    return shape.length >= 2 && /(^|[._])(q?weight|weight_packed|blocks)$/.test(name);
  return !/(^|[._])(mask|attn\.bias|masked_bias|causal_mask|attention_mask)$/.test(name);
}

/** Values that happen to be zero at an edge. */
const SLACK = 2;

function isWholeRows({ dtype, shape }: TensorLayout, start: number, size: number): boolean {
  const { blockCount, blockSize } = dtypeByName(dtype)!;
  const columns = shape.at(-1)!;
  if (shape.length < 2 || columns % blockCount !== 0) return false;
  const row = (columns / blockCount) * blockSize;
  const before = (row - (start % row)) % row;
  const after = (start + size) % row;
  return before <= SLACK * blockSize && after <= SLACK * blockSize && size - before - after >= row;
}
