// The slow twin's knowledge of plain dtypes: what each code of each format is worth. Written from the formats' definitions:
// IEEE 754 (binary16, binary32, binary64), bfloat16, OCP 8-bit Floating Point (OFP8: E4M3, E5M2), OCP Microscaling Formats
// (MX: E8M0, FP4 E2M1), the FNUZ pair of arXiv:2206.02915, safetensors' dtype names. A code is a bigint, so that one path
// serves 4 to 64 bits; nothing is reinterpreted through a typed array.

/** What a code is worth. */
export function decode(format: Format, code: bigint): Value {
  return format.kind === 'integer' ? decodeInteger(format, code) : decodeFloat(format, code);
}

export type Format = FloatFormat | IntegerFormat;

export interface FloatFormat {
  readonly kind: 'float';
  readonly bits: number;
  /** Widths of the fields; below the sign, if there is one, stands the exponent, below that the mantissa. */
  readonly exponent: number;
  readonly mantissa: number;
  readonly bias: number;
  readonly signed: boolean;
  readonly special: Special;
}

export interface IntegerFormat {
  readonly kind: 'integer';
  readonly bits: number;
  readonly signed: boolean;
}

export interface Value {
  /** NaN, an infinity, or the value; integers beyond 2^53 are rounded to the nearest double. */
  readonly number: number;
  /** Integers: the value itself. */
  readonly integer: bigint | null;
  /** Exponent field 0 and not zero. */
  readonly subnormal: boolean;
}

/** Which codes are not numbers. */
type Special =
  | 'ieee' // exponent all ones: infinity where the mantissa is 0, else NaN
  | 'allOnes' // exponent and mantissa all ones: NaN; no infinity (OFP8 E4M3)
  | 'negativeZero' // the code of -0 is the only NaN; no infinity (FNUZ)
  | 'scale' // all ones: NaN; exponent 0 is an ordinary power of two (MX E8M0)
  | 'none'; // every code is a number (MX FP4)

/** The format of a plain dtype; C64 is two F32. undefined: not plain, or (F6) of no defined packing. */
export const formatOf = (dtype: string): Format | undefined => FORMATS.get(dtype);

/** Exponents without sign, mantissa or zero: the block scale of MXFP4. */
export const E8M0 = float(8, 8, 0, 127, 'scale', false);
/** E4M3 without its sign; the top bit of the byte means nothing: the sub-block scale of NVFP4. */
export const UE4M3 = float(8, 4, 3, 7, 'allOnes', false);
export const F16 = float(16, 5, 10, 15, 'ieee');
export const F32 = float(32, 8, 23, 127, 'ieee');

const FORMATS: ReadonlyMap<string, Format> = new Map<string, Format>([
  ['F4', float(4, 2, 1, 1, 'none')],
  ['F8_E5M2', float(8, 5, 2, 15, 'ieee')],
  ['F8_E4M3', float(8, 4, 3, 7, 'allOnes')],
  ['F8_E8M0', E8M0],
  ['F8_E4M3FNUZ', float(8, 4, 3, 8, 'negativeZero')],
  ['F8_E5M2FNUZ', float(8, 5, 2, 16, 'negativeZero')],
  ['F16', F16],
  ['BF16', float(16, 8, 7, 127, 'ieee')],
  ['F32', F32],
  ['C64', F32],
  ['F64', float(64, 11, 52, 1023, 'ieee')],
  ['BOOL', integer(8, false)],
  ['U8', integer(8, false)],
  ['I8', integer(8, true)],
  ['U16', integer(16, false)],
  ['I16', integer(16, true)],
  ['U32', integer(32, false)],
  ['I32', integer(32, true)],
  ['U64', integer(64, false)],
  ['I64', integer(64, true)],
]);

/** The codes in a run of bytes, little-endian; two 4-bit codes to the byte, low nibble first. */
export function codesOf(bytes: Uint8Array, bits: number): bigint[] {
  if (bits === 4) return [...bytes].flatMap((byte) => [BigInt(byte & 15), BigInt(byte >> 4)]);
  const size = bits / 8;
  if (bytes.length % size !== 0)
    throw new RangeError(`${bytes.length} bytes are not whole ${bits}-bit codes`);
  return Array.from({ length: bytes.length / size }, (_, i) =>
    littleEndian(bytes.subarray(i * size, i * size + size)),
  );
}

export const littleEndian = (bytes: Uint8Array): bigint =>
  bytes.reduceRight((code, byte) => (code << 8n) | BigInt(byte), 0n);

export const exponentField = (format: FloatFormat, code: bigint): bigint =>
  (code >> BigInt(format.mantissa)) & ones(format.exponent);

export const mantissaField = (format: FloatFormat, code: bigint): bigint => code & ones(format.mantissa);

/** The first bytes of all codes, the second bytes, and so on; codes below a byte have one plane: all bytes. */
export function planesOf(bytes: Uint8Array, bits: number): Uint8Array[] {
  const size = Math.max(bits / 8, 1);
  return Array.from({ length: size }, (_, plane) => bytes.filter((_, i) => i % size === plane));
}

/** How many zero bits end the mantissa field; its width where it is 0. */
export const trailingZeros = (format: FloatFormat, code: bigint): number =>
  /0*$/.exec(mantissaField(format, code).toString(2).padStart(format.mantissa, '0'))![0].length;

function decodeFloat(format: FloatFormat, code: bigint): Value {
  const exponent = exponentField(format, code);
  const mantissa = mantissaField(format, code);
  const top = exponent === ones(format.exponent);
  const negative = format.signed && code >> BigInt(format.bits - 1) === 1n;
  const special = (number: number): Value => ({ number, integer: null, subnormal: false });
  switch (format.special) {
    case 'ieee':
      if (top) return special(mantissa !== 0n ? NaN : negative ? -Infinity : Infinity);
      break;
    case 'allOnes':
      if (top && mantissa === ones(format.mantissa)) return special(NaN);
      break;
    case 'negativeZero':
      if (negative && exponent === 0n && mantissa === 0n) return special(NaN);
      break;
    case 'scale':
      return special(top ? NaN : 2 ** (Number(exponent) - format.bias));
    case 'none':
  }
  // Exponent 0 has no hidden bit and the same power of two as exponent 1. Every product here is exact.
  const significand = exponent === 0n ? mantissa : mantissa + (1n << BigInt(format.mantissa));
  const power = Math.max(Number(exponent), 1) - format.bias - format.mantissa;
  const magnitude = Number(significand) * 2 ** power;
  return {
    number: negative ? -magnitude : magnitude,
    integer: null,
    subnormal: exponent === 0n && mantissa !== 0n,
  };
}

function decodeInteger(format: IntegerFormat, code: bigint): Value {
  const value = format.signed ? BigInt.asIntN(format.bits, code) : code;
  return { number: Number(value), integer: value, subnormal: false };
}

function ones(width: number): bigint {
  return (1n << BigInt(width)) - 1n;
}

function float(
  bits: number,
  exponent: number,
  mantissa: number,
  bias: number,
  special: Special,
  signed = true,
): FloatFormat {
  return { kind: 'float', bits, exponent, mantissa, bias, signed, special };
}

function integer(bits: number, signed: boolean): IntegerFormat {
  return { kind: 'integer', bits, signed };
}
