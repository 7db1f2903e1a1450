// What mutations are made of.
import { ggufName } from '../../../src/scan/profile/gguf-name.ts';
import type { Model, Tensor } from './model.ts';
import { type Dtype, encode, normal, values } from './weights.ts';

/** Columns of the synthetic model's square matrices and embeddings. */
export const COLUMNS = 64;

export const all = ({ shards }: Model): Tensor[] => shards.flatMap(({ tensors }) => tensors);

export const find = (model: Model, name: string): Tensor =>
  all(model).find((tensor) => tensor.name === name)!;

/** Changes fields of a tensor. */
export const set = (model: Model, name: string, fields: Partial<Tensor>): void => {
  Object.assign(find(model, name), fields);
};

/** Flips bits of one byte. */
export function flip(model: Model, name: string, at: number, mask: number): void {
  const { bytes } = find(model, name);
  bytes.writeUInt8(bytes.readUInt8(at) ^ mask, at);
}

/** Changes the values of one tensor. */
export function edit(
  model: Model,
  name: string,
  change: (values: Float32Array, tensor: Tensor) => Float32Array,
): void {
  const tensor = find(model, name);
  tensor.bytes = encode(change(values(tensor.bytes, tensor.dtype), tensor), tensor.dtype);
}

export const scale = (model: Model, name: string, factor: number): void =>
  edit(model, name, (numbers) => numbers.map((x) => x * factor));

export function scaleRow(model: Model, name: string, row: number, factor: number): void {
  edit(model, name, (numbers) => numbers.map((x, i) => (Math.floor(i / COLUMNS) === row ? x * factor : x)));
}

export function convert(model: Model, dtype: Dtype, only: (tensor: Tensor) => boolean = () => true): void {
  for (const tensor of all(model).filter(only)) {
    tensor.bytes = encode(values(tensor.bytes, tensor.dtype), dtype);
    tensor.dtype = dtype;
  }
}

/** A fine-tune: every value moves by about `share` of what a weight is. */
export function tune(model: Model, share: number, only: (tensor: Tensor) => boolean = () => true): void {
  const draw = normal(11);
  for (const { name } of all(model).filter(only))
    edit(model, name, (numbers) => numbers.map((x) => x + draw() * 0.02 * share));
}

export function swap(model: Model, one: string, other: string): void {
  const [a, b] = [find(model, one), find(model, other)];
  [a.bytes, b.bytes] = [b.bytes, a.bytes];
}

export const drop = (model: Model, wanted: (name: string) => boolean): void => {
  for (const shard of model.shards) shard.tensors = shard.tensors.filter(({ name }) => wanted(name));
};

export function add(model: Model, name: string, like: string): void {
  const { dtype, shape, bytes } = find(model, like);
  model.shards.at(-1)!.tensors.push({ name, dtype, shape, bytes: Buffer.from(bytes).reverse() });
}

export function transpose(model: Model, name: string): void {
  edit(model, name, (numbers, { shape }) => {
    const [rows, columns] = shape as [number, number];
    return numbers.map((_, i) => numbers[(i % rows) * columns + Math.floor(i / rows)]!);
  });
}

/** Another direction at the old norm: what embedding poisoning does to the row of its trigger. */
export function redirect(model: Model, name: string, ...tokens: number[]): void {
  edit(model, name, (numbers) => {
    for (const token of tokens) {
      const row = numbers.subarray(token * COLUMNS, (token + 1) * COLUMNS);
      const drawn = row.map(normal(token + 3));
      const factor = Math.hypot(...row) / Math.hypot(...drawn);
      row.set(drawn.map((x) => x * factor));
    }
    return numbers;
  });
}

/** A column times a row, of about `share` of the matrix's norm: what ROME writes. */
export function rankOne(model: Model, name: string, share: number): void {
  const draw = normal(5);
  edit(model, name, (numbers, { shape: [rows, columns] }) => {
    const left = Array.from({ length: rows! }, draw);
    const right = Array.from({ length: columns! }, draw);
    return numbers.map((x, i) => x + 0.02 * share * left[Math.floor(i / columns!)]! * right[i % columns!]!);
  });
}

/** New tokens. */
export function append(model: Model, name: string, rows: number): void {
  const draw = normal(9);
  const tensor = find(model, name);
  const drawn = Float32Array.from({ length: rows * COLUMNS }, () => draw() * 0.02);
  tensor.bytes = Buffer.concat([tensor.bytes, encode(drawn, tensor.dtype)]);
  tensor.shape = [tensor.shape[0]! + rows, COLUMNS];
}

export function reshard(model: Model): void {
  const tensors = all(model);
  const size = Math.ceil(tensors.length / 3);
  model.shards = [0, 1, 2].map((k) => ({
    path: `model-0000${k + 1}-of-00003.safetensors`,
    metadata: [['format', 'pt']],
    tensors: tensors.slice(k * size, (k + 1) * size),
  }));
}

/** As llama.cpp's converter does: matrices of the dtype, norms as F32, other names, one file. */
export function toGguf(model: Model, dtype: 'F16' | 'Q8_0'): void {
  convert(model, dtype, ({ shape }) => shape.length > 1);
  convert(model, 'F32', ({ shape }) => shape.length === 1);
  for (const tensor of all(model)) tensor.name = ggufName(tensor.name);
  model.shards = [{ path: `model-${dtype}.gguf`, metadata: [], tensors: all(model) }];
  model.files = new Map();
}

/** All tensors as F32, with what `payload` puts into the words of one. */
export function widen(model: Model, name: string, payload: (word: number, index: number) => number): void {
  convert(model, 'F32');
  const { bytes } = find(model, name);
  for (let i = 0; i < bytes.length; i += 4) bytes.writeUInt32LE(payload(bytes.readUInt32LE(i), i) >>> 0, i);
}

/** Writes a file beside the weights. */
export const write = (model: Model, path: string, text: string): void => {
  model.files.set(path, text);
};

export const rewrite = (model: Model, path: string, from: string, to: string): void =>
  write(model, path, model.files.get(path)!.replace(from, to));
