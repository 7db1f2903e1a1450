// The table of dtypes: one row each, everything else about dtypes is derived from it. native/record/dtype.h states the same rows
// in the same order; a test compares the two, because two statements of one fact drift.

/** How much of a tensor's values the statistics cover. */
export type Coverage =
  | 'values' // every element was decoded
  | 'scales' // block scales and byte entropy only
  | 'bytes'; // byte entropy only

export interface DtypeInfo {
  /** safetensors' spelling, or ggml's for block-quantised types. */
  readonly name: string;
  /** Number by which native code knows it: the row's index in this table. */
  readonly code: number;
  /** Elements per block; a shape's innermost dimension divides into blocks. 1 for plain types. */
  readonly blockCount: number;
  /** Bytes per block. */
  readonly blockSize: number;
  readonly coverage: Coverage;
}

// name, elements per block, bytes per block, coverage.
// The first 22 rows are safetensors' Dtype (safetensors/src/tensor.rs, order of ascending alignment); F6 packing is not
// specified by the format, so only its bytes are counted. The rest are ggml's block types (ggml-common.h, ggml.c type_traits).
const ROWS: readonly (readonly [string, number, number, Coverage])[] = [
  ['BOOL', 1, 1, 'values'],
  ['F4', 2, 1, 'values'],
  ['F6_E2M3', 4, 3, 'bytes'],
  ['F6_E3M2', 4, 3, 'bytes'],
  ['U8', 1, 1, 'values'],
  ['I8', 1, 1, 'values'],
  ['F8_E5M2', 1, 1, 'values'],
  ['F8_E4M3', 1, 1, 'values'],
  ['F8_E8M0', 1, 1, 'values'],
  ['F8_E4M3FNUZ', 1, 1, 'values'],
  ['F8_E5M2FNUZ', 1, 1, 'values'],
  ['I16', 1, 2, 'values'],
  ['U16', 1, 2, 'values'],
  ['F16', 1, 2, 'values'],
  ['BF16', 1, 2, 'values'],
  ['I32', 1, 4, 'values'],
  ['U32', 1, 4, 'values'],
  ['F32', 1, 4, 'values'],
  ['C64', 1, 8, 'values'],
  ['F64', 1, 8, 'values'],
  ['I64', 1, 8, 'values'],
  ['U64', 1, 8, 'values'],
  ['Q4_0', 32, 18, 'values'],
  ['Q4_1', 32, 20, 'values'],
  ['Q5_0', 32, 22, 'values'],
  ['Q5_1', 32, 24, 'values'],
  ['Q8_0', 32, 34, 'values'],
  ['Q8_1', 32, 36, 'scales'],
  ['Q2_K', 256, 84, 'values'],
  ['Q3_K', 256, 110, 'values'],
  ['Q4_K', 256, 144, 'values'],
  ['Q5_K', 256, 176, 'values'],
  ['Q6_K', 256, 210, 'values'],
  ['Q8_K', 256, 292, 'bytes'],
  ['IQ2_XXS', 256, 66, 'scales'],
  ['IQ2_XS', 256, 74, 'scales'],
  ['IQ3_XXS', 256, 98, 'scales'],
  ['IQ1_S', 256, 50, 'scales'],
  ['IQ4_NL', 32, 18, 'values'],
  ['IQ3_S', 256, 110, 'scales'],
  ['IQ2_S', 256, 82, 'scales'],
  ['IQ4_XS', 256, 136, 'values'],
  ['IQ1_M', 256, 56, 'scales'],
  ['TQ1_0', 256, 54, 'scales'],
  ['TQ2_0', 256, 66, 'scales'],
  ['MXFP4', 32, 17, 'values'],
  ['NVFP4', 64, 36, 'scales'],
  ['Q1_0', 128, 18, 'scales'],
  ['Q2_0', 64, 18, 'scales'],
];

export const DTYPES: readonly DtypeInfo[] = ROWS.map(([name, blockCount, blockSize, coverage], code) => ({
  name,
  code,
  blockCount,
  blockSize,
  coverage,
}));

const BY_NAME: ReadonlyMap<string, DtypeInfo> = new Map(DTYPES.map((dtype) => [dtype.name, dtype]));
const SAFETENSORS_COUNT = 22;
const SAFETENSORS: ReadonlyMap<string, DtypeInfo> = new Map(
  DTYPES.slice(0, SAFETENSORS_COUNT).map((dtype) => [dtype.name, dtype]),
);

// enum ggml_type (ggml.h): ids that a file may carry today.
const GGML: ReadonlyMap<number, string> = new Map([
  [0, 'F32'],
  [1, 'F16'],
  [2, 'Q4_0'],
  [3, 'Q4_1'],
  [6, 'Q5_0'],
  [7, 'Q5_1'],
  [8, 'Q8_0'],
  [9, 'Q8_1'],
  [10, 'Q2_K'],
  [11, 'Q3_K'],
  [12, 'Q4_K'],
  [13, 'Q5_K'],
  [14, 'Q6_K'],
  [15, 'Q8_K'],
  [16, 'IQ2_XXS'],
  [17, 'IQ2_XS'],
  [18, 'IQ3_XXS'],
  [19, 'IQ1_S'],
  [20, 'IQ4_NL'],
  [21, 'IQ3_S'],
  [22, 'IQ2_S'],
  [23, 'IQ4_XS'],
  [24, 'I8'],
  [25, 'I16'],
  [26, 'I32'],
  [27, 'I64'],
  [28, 'F64'],
  [29, 'IQ1_M'],
  [30, 'BF16'],
  [34, 'TQ1_0'],
  [35, 'TQ2_0'],
  [39, 'MXFP4'],
  [40, 'NVFP4'],
  [41, 'Q1_0'],
  [42, 'Q2_0'],
]);

/** Ids that ggml once had and removed: a current loader refuses the file (ggml.c, type_traits with blck_size 0). */
export const GGML_REMOVED: ReadonlyMap<number, string> = new Map([
  [4, 'Q4_2'],
  [5, 'Q4_3'],
  [31, 'Q4_0_4_4'],
  [32, 'Q4_0_4_8'],
  [33, 'Q4_0_8_8'],
  [36, 'IQ4_NL_4_4'],
  [37, 'IQ4_NL_4_8'],
  [38, 'IQ4_NL_8_8'],
]);

/** Types that ggml uses only inside a computation; no writer stores them. */
export const GGML_INTERMEDIATE: ReadonlySet<string> = new Set(['Q8_1', 'Q8_K']);

export const dtypeByName = (name: string): DtypeInfo | undefined => BY_NAME.get(name);
export const safetensorsDtype = (name: string): DtypeInfo | undefined => SAFETENSORS.get(name);

export function ggmlDtype(id: number): DtypeInfo | undefined {
  const name = GGML.get(id);
  return name === undefined ? undefined : BY_NAME.get(name);
}
