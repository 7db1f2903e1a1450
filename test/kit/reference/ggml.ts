// The slow twin's knowledge of ggml's block types: where a block keeps its scales and quants, and what each element is worth.
// Layouts: the block_* structures of ggml-common.h; meaning: dequantize_row_* of ggml-quants.c, get_scale_min_k4,
// ggml_e8m0_to_fp32 and ggml_ue4m3_to_fp32 of ggml-impl.h. Written per element, by its index in the block.
//
// An element's formula is evaluated in doubles. It is exact: scales have at most 11 significant bits, the integers they are
// multiplied by 16 together, and where two products are subtracted (f16: 2^-24 up to 2^16) their bits span less than 53.
// Infinite and NaN scales follow from IEEE 754's rules without a case of their own.
import { codesOf, decode, E8M0, F16, type FloatFormat, littleEndian, UE4M3 } from './ieee.ts';

export const blockTypeOf = (dtype: string): BlockType | undefined => TYPES.get(dtype);

export interface BlockType {
  readonly scale: FloatFormat;
  /** Codes of the (super-)block's scales: one, but four in NVFP4. */
  readonly scaleCodes: (block: Uint8Array) => bigint[];
  /** Code of the minimum or offset, an F16; null: the type has none. */
  readonly minCode: ((block: Uint8Array) => bigint) | null;
  /** null: only scales are read. */
  readonly elements: Elements | null;
}

export interface Elements {
  /** How many different quant codes there are. */
  readonly codes: number;
  /** Stored code of element i, unsigned. */
  readonly code: (block: Uint8Array, i: number) => number;
  /** Value of an element of code q under the block's scale d and minimum m. */
  readonly value: (q: number, d: number, m: number, block: Uint8Array, i: number) => number;
  /** Whether a code is the quantiser's extreme; null where no invariant is known. */
  readonly isExtreme: ((q: number) => boolean) | null;
}

/** Values of a block's elements, in order. */
export function valuesOf(
  { elements, scale, scaleCodes, minCode }: BlockType,
  block: Uint8Array,
  count: number,
): number[] {
  if (elements === null) return [];
  const d = decode(scale, scaleCodes(block)[0]!).number;
  const m = minCode === null ? 0 : decode(F16, minCode(block)).number;
  return Array.from({ length: count }, (_, i) => elements.value(elements.code(block, i), d, m, block, i));
}

const u16 = (offset: number) => (block: Uint8Array) => littleEndian(block.subarray(offset, offset + 2));

/** Byte `index` of the field at `offset`, and a bit field of it. */
const field = (block: Uint8Array, offset: number, index: number, shift: number, width: number): number =>
  (block[offset + index]! >> shift) & ((1 << width) - 1);

// Blocks of 32: byte j holds element j in its low nibble and element j + 16 in its high one.
const halves = (offset: number) => (block: Uint8Array, i: number) =>
  field(block, offset, i % 16, i < 16 ? 0 : 4, 4);
// Fifth bits: bit i of a little-endian u32.
const fifth = (offset: number) => (block: Uint8Array, i: number) =>
  field(block, offset, i >> 3, i & 7, 1) << 4;

// K-quants. Two bits: of each 128 elements, byte l (of 32) holds elements l, l + 32, l + 64, l + 96, lowest bits first.
const pairs = (block: Uint8Array, offset: number, i: number) =>
  field(block, offset, 32 * (i >> 7) + (i & 31), 2 * ((i >> 5) & 3), 2);
// Four bits: of each 64 elements, byte l (of 32) holds elements l (low) and l + 32 (high).
const nibbles = (block: Uint8Array, offset: number, i: number) =>
  field(block, offset, 32 * (i >> 6) + (i & 31), (i >> 5) & 1 ? 4 : 0, 4);
// One bit: byte l (of 32) holds in bit k element 32 k + l.
const mask = (block: Uint8Array, offset: number, i: number) => field(block, offset, i & 31, i >> 5, 1);

// Q4_K and Q5_K: eight 6-bit scales and eight 6-bit minima in twelve bytes. The first four of each stand in the low bits of
// bytes 0-3 and 4-7; of the last four, byte 8 + k holds the low nibbles (scale low, minimum high) and the top two bits of
// bytes k and 4 + k hold the rest.
const subScale = (block: Uint8Array, j: number) =>
  j < 4 ? field(block, 4, j, 0, 6) : field(block, 4, j + 4, 0, 4) | (field(block, 4, j - 4, 6, 2) << 4);
const subMin = (block: Uint8Array, j: number) =>
  j < 4 ? field(block, 4, j + 4, 0, 6) : field(block, 4, j + 4, 4, 4) | (field(block, 4, j, 6, 2) << 4);

// Q3_K: sixteen 6-bit scales at 96: low nibbles in bytes 0-7 (0-7 low, 8-15 high), top two bits in bytes 8-11.
const q3Scale = (block: Uint8Array, j: number) =>
  field(block, 96, j & 7, j < 8 ? 0 : 4, 4) | (field(block, 96, 8 + (j & 3), 2 * (j >> 2), 2) << 4);

// Q6_K: of each 128 elements, the low nibbles of 64 bytes are elements 0-63, the high ones 64-127; two more bits in qh.
const q6Code = (block: Uint8Array, i: number) =>
  field(block, 0, 64 * (i >> 7) + (i & 63), i & 64 ? 4 : 0, 4) | (pairs(block, 128, i) << 4);

// IQ4_XS: eight 6-bit scales: low nibbles at 4, top two bits in the u16 at 2.
const xsScale = (block: Uint8Array, j: number) =>
  field(block, 4, j >> 1, 4 * (j & 1), 4) | (field(block, 2, j >> 2, 2 * (j & 3), 2) << 4);

// kvalues_iq4nl, and kvalues_mxfp4 halved (ggml doubles the table and halves the scale).
const IQ4 = [-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113];
const E2M1 = [0, 0.5, 1, 1.5, 2, 3, 4, 6, -0, -0.5, -1, -1.5, -2, -3, -4, -6];

const signed = (byte: number) => (byte < 128 ? byte : byte - 256);

type Code = Elements['code'];
type Value = Elements['value'];

const q50Code: Code = (block, i) => halves(6)(block, i) | fifth(2)(block, i);
const q51Code: Code = (block, i) => halves(8)(block, i) | fifth(4)(block, i);
const q2Code: Code = (block, i) => pairs(block, 16, i);
const q3Code: Code = (block, i) => pairs(block, 32, i) | (mask(block, 0, i) << 2);
const q4Code: Code = (block, i) => nibbles(block, 16, i);
const q5Code: Code = (block, i) => nibbles(block, 48, i) | (mask(block, 16, i) << 4);
const xsCode: Code = (block, i) => field(block, 8, 16 * (i >> 5) + (i & 15), i & 16 ? 4 : 0, 4);

const q2Value: Value = (q, d, m, block, i) =>
  d * field(block, 0, i >> 4, 0, 4) * q - m * field(block, 0, i >> 4, 4, 4);
const q3Value: Value = (q, d, _, block, i) => d * (q3Scale(block, i >> 4) - 32) * (q - 4);
const q45Value: Value = (q, d, m, block, i) => d * subScale(block, i >> 5) * q - m * subMin(block, i >> 5);
const q6Value: Value = (q, d, _, block, i) => d * signed(block[192 + (i >> 4)]!) * (q - 32);
const xsValue: Value = (q, d, _, block, i) => d * (xsScale(block, i >> 5) - 32) * IQ4[q]!;

// IQ1_M: the top nibbles of the four u16 at 48 are an F16, lowest nibble first.
const scattered = (block: Uint8Array) =>
  [0, 1, 2, 3].reduce((code, k) => code | ((u16(48 + 2 * k)(block) >> 12n) << BigInt(4 * k)), 0n);

// Offset of the scale, offset of the minimum, number of codes, code, value, extreme.
const TYPES: ReadonlyMap<string, BlockType> = new Map<string, BlockType>([
  [
    'Q4_0',
    full(
      0,
      null,
      16,
      halves(2),
      (q, d) => d * (q - 8),
      (q) => q === 0,
    ),
  ],
  ['Q4_1', full(0, 2, 16, halves(4), (q, d, m) => d * q + m)],
  [
    'Q5_0',
    full(
      0,
      null,
      32,
      q50Code,
      (q, d) => d * (q - 16),
      (q) => q === 0,
    ),
  ],
  ['Q5_1', full(0, 2, 32, q51Code, (q, d, m) => d * q + m)],
  [
    'Q8_0',
    full(
      0,
      null,
      256,
      (b, i) => b[2 + i]!,
      (q, d) => d * signed(q),
      (q) => Math.abs(signed(q)) === 127,
    ),
  ],
  ['Q2_K', full(80, 82, 4, q2Code, q2Value)],
  ['Q3_K', full(108, null, 8, q3Code, q3Value)],
  ['Q4_K', full(0, 2, 16, q4Code, q45Value)],
  ['Q5_K', full(0, 2, 32, q5Code, q45Value)],
  ['Q6_K', full(208, null, 64, q6Code, q6Value)],
  ['IQ4_NL', full(0, null, 16, halves(2), (q, d) => d * IQ4[q]!)],
  ['IQ4_XS', full(0, null, 16, xsCode, xsValue)],
  [
    'MXFP4',
    scaledBy(
      E8M0,
      1,
      full(0, null, 16, halves(1), (q, d) => d * E2M1[q]!),
    ),
  ],
  ['NVFP4', scaledBy(UE4M3, 4, scaleOnly(0))],
  ['IQ1_M', { ...scaleOnly(48), scaleCodes: (block) => [scattered(block)] }],
  ['TQ1_0', scaleOnly(52)],
  ['TQ2_0', scaleOnly(64)],
  ...'Q8_1 IQ1_S IQ2_XXS IQ2_XS IQ2_S IQ3_XXS IQ3_S Q1_0 Q2_0'
    .split(' ')
    .map((name): [string, BlockType] => [name, scaleOnly(0)]),
]);

/** `count` scales of another format at the block's start. */
function scaledBy(scale: FloatFormat, count: number, type: BlockType): BlockType {
  const size = scale.bits / 8;
  return { ...type, scale, scaleCodes: (block) => codesOf(block.subarray(0, count * size), scale.bits) };
}

function scaleOnly(offset: number): BlockType {
  return { scale: F16, scaleCodes: (block) => [u16(offset)(block)], minCode: null, elements: null };
}

function full(
  scale: number,
  min: number | null,
  codes: number,
  code: Code,
  value: Value,
  isExtreme: Elements['isExtreme'] = null,
): BlockType {
  const minCode = min === null ? null : u16(min);
  return { ...scaleOnly(scale), minCode, elements: { codes, code, value, isExtreme } };
}
