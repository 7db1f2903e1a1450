// Where the tensors of a GGUF file lie. ggml's law (gguf.cpp): the offset of a tensor is the sum of the padded sizes of
// those before it in the table. Order and bounds are checked here, gaps and overlaps in coverage.ts.

import { quoted, type Violations } from '../../../document/violations.ts';
import { aligned, type Span } from '../gaps.ts';
import type { TensorLayout } from '../layout.ts';
import type { Info } from './tensor-entry.ts';

interface Placement {
  /** What checkCoverage looks at. */
  readonly spans: Span[];
  readonly tensors: TensorLayout[];
  readonly complete: boolean;
}

/** Gives every row of the table its bytes in the file. */
export function placed(
  infos: readonly Info[],
  dataStart: number,
  fileSize: number,
  alignment: number,
  violations: Violations,
): Placement {
  const dataSize = fileSize - dataStart;
  const starts = [...new Set(infos.map(({ offset }) => offset ?? dataSize))].sort((a, b) => a - b);
  const next = new Map(starts.map((start, i) => [start, Math.min(starts[i + 1] ?? dataSize, dataSize)]));
  const spans: Span[] = [];
  const tensors: TensorLayout[] = [];
  let complete = true;
  let last = 0;
  /** Where ggml looks for the next tensor; null: a size before it is not known. */
  let due: number | null = 0;
  let ordered = true;
  for (const { name, at, dtype, shape, count, size, offset, broken } of infos) {
    if (offset === null) {
      complete = false;
      continue;
    }
    // A tensor without bytes leaves no gap and no overlap where it is not due, and ggml refuses it all the same.
    const stray = size === 0 && due !== null && offset !== due;
    if ((offset < last || stray) && ordered) {
      ordered = false;
      violations.report(
        'tensor/order',
        `tensor ${quoted(name)} does not lie behind the one listed before it`,
        {
          offset: at,
          tensor: name,
          expected: `offset ${due ?? `${last} or more`}`,
          actual: String(offset),
        },
      );
    }
    last = offset;
    if (size !== 0) due = size === null ? null : offset + aligned(size, alignment);
    if (offset > dataSize || (size !== null && size > dataSize - offset)) {
      violations.report('tensor/out-of-bounds', `tensor ${quoted(name)} runs past the end of the file`, {
        offset: at,
        tensor: name,
        expected: `at most ${fileSize}`,
        actual: `${BigInt(dataStart) + BigInt(offset) + BigInt(size ?? 0)}`,
      });
      if (offset > dataSize) complete = false;
      else spans.push({ name, start: dataStart + offset, end: fileSize });
      continue;
    }
    const start = dataStart + offset;
    const end = size === null ? dataStart + next.get(offset)! : start + size;
    const span = { name, start, end };
    spans.push(span);
    if (!broken) tensors.push({ name, dtype, shape, count, start, end });
  }
  return { spans, tensors, complete };
}
