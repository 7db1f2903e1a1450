// Small weight files for tests that care for names, shapes and values.

export type Tensor = readonly [dtype: string, shape: readonly number[], bytes: Buffer];

export function safetensors(tensors: Readonly<Record<string, Tensor>>): Buffer {
  const header: Record<string, object> = {};
  let at = 0;
  for (const [name, [dtype, shape, bytes]] of Object.entries(tensors)) {
    header[name] = { dtype, shape, data_offsets: [at, at + bytes.length] };
    at += bytes.length;
  }
  const json = Buffer.from(JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(json.length));
  return Buffer.concat([length, json, ...Object.values(tensors).map(([, , bytes]) => bytes)]);
}

let state = 7;
const random = (): number => {
  state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
  return state / 2 ** 32 - 0.5;
};
export const f32 = (...shape: number[]): Tensor => {
  const values = Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, random);
  return ['F32', shape, Buffer.from(values.buffer)];
};
export const filled = (value: number, ...shape: number[]): Tensor => {
  const values = new Float32Array(shape.reduce((a, b) => a * b, 1)).fill(value);
  return ['F32', shape, Buffer.from(values.buffer)];
};
export const i32 = (values: readonly number[], ...shape: number[]): Tensor => [
  'I32',
  shape.length === 0 ? [values.length] : shape,
  Buffer.from(Int32Array.from(values).buffer),
];
