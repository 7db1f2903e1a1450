// Writes GGUF files as gguf-py does, byte for byte: keys in the order given, data aligned to 32, F32 or Q8_0.

export type Value =
  | { readonly type: 'string'; readonly value: string }
  | { readonly type: 'u32' | 'f32' | 'bool'; readonly value: number }
  | { readonly type: 'strings'; readonly value: readonly Uint8Array[] }
  | { readonly type: 'i32s' | 'f32s'; readonly value: readonly number[] };

export interface Tensor {
  readonly name: string;
  /** Outermost first. */
  readonly shape: readonly number[];
  readonly values: Float32Array;
  readonly q8?: boolean;
}

const TYPES = { u32: 4, i32: 5, f32: 6, bool: 7, string: 8, array: 9 } as const;
const ALIGNMENT = 32;

export function ggufBytes(keys: readonly (readonly [string, Value])[], tensors: readonly Tensor[]): Buffer {
  const datas = tensors.map(({ values, q8 }) =>
    q8 ? quantized(values) : Buffer.from(values.buffer, values.byteOffset, values.byteLength),
  );
  let offset = 0;
  const infos = tensors.flatMap(({ name, shape, q8 }, i) => {
    const info = [
      text(Buffer.from(name)),
      u32(shape.length),
      ...[...shape].reverse().map(u64),
      u32(q8 ? 8 : 0),
      u64(offset),
    ];
    offset += aligned(datas[i]!.length);
    return info;
  });
  const head = Buffer.concat([
    Buffer.from('GGUF'),
    u32(3),
    u64(tensors.length),
    u64(keys.length),
    ...keys.flatMap(([key, value]) => [text(Buffer.from(key)), ...encoded(value)]),
    ...infos,
  ]);
  return Buffer.concat(
    [head, ...datas].flatMap((one) => [one, Buffer.alloc(aligned(one.length) - one.length)]),
  );
}

function encoded(one: Value): Buffer[] {
  switch (one.type) {
    case 'string':
      return [u32(TYPES.string), text(Buffer.from(one.value))];
    case 'u32':
      return [u32(TYPES.u32), u32(one.value)];
    case 'f32':
      return [u32(TYPES.f32), f32(one.value)];
    case 'bool':
      return [u32(TYPES.bool), Buffer.from([one.value])];
    case 'strings':
      return [...array(TYPES.string, one.value.length), ...one.value.map(text)];
    case 'i32s':
      return [...array(TYPES.i32, one.value.length), ...one.value.map(u32)];
    case 'f32s':
      return [...array(TYPES.f32, one.value.length), ...one.value.map(f32)];
  }
}

const array = (type: number, length: number): Buffer[] => [u32(TYPES.array), u32(type), u64(length)];
const aligned = (length: number): number => Math.ceil(length / ALIGNMENT) * ALIGNMENT;
const text = (bytes: Uint8Array): Buffer => Buffer.concat([u64(bytes.length), bytes]);

function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value >>> 0);
  return bytes;
}

function u64(value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(BigInt(value));
  return bytes;
}

function f32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeFloatLE(value);
  return bytes;
}

/** Q8_0: blocks of 32, a half-precision scale and 32 signed bytes, rounded away from zero; all steps in single precision. */
function quantized(values: Float32Array): Buffer {
  const blocks = values.length / 32;
  const bytes = Buffer.alloc(blocks * 34);
  for (let block = 0; block < blocks; block++) {
    const part = values.subarray(block * 32, block * 32 + 32);
    const most = part.reduce((max, value) => Math.max(max, Math.abs(value)), 0);
    const scale = Math.fround(most / 127);
    const inverse = scale === 0 ? 0 : Math.fround(1 / scale);
    bytes.writeUInt16LE(half(scale), block * 34);
    for (const [i, value] of part.entries()) {
      const size = Math.abs(Math.fround(value * inverse));
      const whole = Math.floor(size);
      bytes.writeInt8(Math.sign(value) * (whole + Math.floor(2 * (size - whole))), block * 34 + 2 + i);
    }
  }
  return bytes;
}

/** The nearest half-precision value, ties to even; scales are positive and small. */
function half(value: number): number {
  if (value === 0) return 0;
  const exponent = Math.max(Math.floor(Math.log2(value)), -14);
  const scaled = value / 2 ** (exponent - 10);
  const whole = Math.floor(scaled);
  const rest = scaled - whole;
  const code = whole + (rest > 0.5 || (rest === 0.5 && whole % 2 === 1) ? 1 : 0);
  return code + (exponent + 14) * 1024;
}
