// The slow twin of native/difference/difference.cc: plain loops over decoded elements, written from the definitions of src/scan/measure/difference/difference.ts.
import { dtypeByName } from '../../../src/scan/dtype.ts';
import { blockTypeOf, valuesOf } from './ggml.ts';
import { codesOf, decode, formatOf } from './ieee.ts';

export interface ReferenceDifference {
  readonly changed: number;
  readonly firstChanged: number | null;
  readonly notFinite: number;
  readonly norm: number;
  readonly goodNorm: number;
  readonly suspectNorm: number;
  readonly maxAbs: number;
  readonly bits: readonly number[] | null;
  readonly rows: readonly number[];
  readonly columns: readonly number[];
  /** D, row by row. */
  readonly matrix: readonly (readonly number[])[];
}

interface Element {
  readonly value: number;
  readonly code: bigint;
}

function elementsOf(dtype: string, bytes: Uint8Array): Element[] {
  const format = formatOf(dtype);
  if (format !== undefined)
    return codesOf(bytes, format.bits).map((code) => ({ value: decode(format, code).number, code }));
  const { blockCount, blockSize } = dtypeByName(dtype)!;
  const type = blockTypeOf(dtype)!;
  return Array.from({ length: bytes.length / blockSize }, (_, k) =>
    bytes.subarray(k * blockSize, (k + 1) * blockSize),
  ).flatMap((block) =>
    valuesOf(type, block, blockCount).map((value, i) => ({
      value,
      code: BigInt(type.elements!.code(block, i)),
    })),
  );
}

export function referenceDifference(
  dtypes: readonly [string, string],
  bytes: readonly [Uint8Array, Uint8Array],
  columns: number,
): ReferenceDifference {
  const [good, suspect] = [elementsOf(dtypes[0], bytes[0]), elementsOf(dtypes[1], bytes[1])];
  const [format, same] = [formatOf(dtypes[0]), dtypes[0] === dtypes[1]];
  const bits = same && format !== undefined ? new Array<number>(format.bits).fill(0) : null;
  const rows = good.length / columns;
  const [byRow, byColumn] = [new Array<number>(rows).fill(0), new Array<number>(columns).fill(0)];
  const matrix = Array.from({ length: rows }, () => new Array<number>(columns).fill(0));
  let [changed, notFinite, squares, goodSquares, suspectSquares, maxAbs] = [0, 0, 0, 0, 0, 0];
  let firstChanged: number | null = null;
  good.forEach((a, i) => {
    const b = suspect[i]!;
    const isOther = !(a.value === b.value || (Number.isNaN(a.value) && Number.isNaN(b.value)));
    if (same && format !== undefined ? a.code !== b.code : isOther || (same && a.code !== b.code)) {
      changed++;
      firstChanged ??= i;
    }
    bits?.forEach((_, bit) => {
      bits[bit]! += Number(((a.code ^ b.code) >> BigInt(bit)) & 1n);
    });
    if (!(Math.abs(a.value) < 2 ** 250 && Math.abs(b.value) < 2 ** 250)) {
      notFinite++;
      return;
    }
    const d = b.value - a.value;
    const [row, column] = [Math.floor(i / columns), i % columns];
    squares += d * d;
    goodSquares += a.value * a.value;
    suspectSquares += b.value * b.value;
    maxAbs = Math.max(maxAbs, Math.abs(d));
    byRow[row]! += d * d;
    byColumn[column]! += d * d;
    matrix[row]![column] = d;
  });
  return {
    changed,
    firstChanged,
    notFinite,
    norm: Math.sqrt(squares),
    goodNorm: Math.sqrt(goodSquares),
    suspectNorm: Math.sqrt(suspectSquares),
    maxAbs,
    bits,
    rows: byRow.map(Math.sqrt),
    columns: byColumn.map(Math.sqrt),
    matrix,
  };
}
