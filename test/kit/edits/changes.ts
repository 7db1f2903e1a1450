// Changes that edits are made of, beside those of mutations.
import { all, edit, find } from '../mutations/edit.ts';
import type { Model } from '../mutations/model.ts';
import { encode, normal, values } from '../mutations/weights.ts';

const isMatrix = ({ shape }: { shape: readonly number[] }): boolean => shape.length === 2;

/** Adds left · right of `rank`, as large as `share` of the tensor's norm. */
export function addLowRank(model: Model, name: string, rank: number, share: number): void {
  edit(model, name, (numbers, { shape }) => {
    const [rows, columns] = shape as [number, number];
    const draw = normal(name.length + rank);
    const [left, right] = [rows, columns].map((n) => Array.from({ length: n * rank }, draw));
    const change = numbers.map((_, i) => {
      const [row, column] = [Math.floor(i / columns), i % columns];
      let sum = 0;
      for (let k = 0; k < rank; k++) sum += left![row * rank + k]! * right![column * rank + k]!;
      return sum;
    });
    const factor = (share * norm(numbers)) / norm(change);
    return numbers.map((x, i) => x + factor * change[i]!);
  });
}

/** As training leaves it: led by one direction, with many behind it that fall off (sigma2 is a quarter of sigma1). */
export function lead(model: Model, name: string, share: number): void {
  addLowRank(model, name, 1, share);
  for (const [rank, part] of [
    [2, 0.35],
    [5, 0.3],
    [24, 0.4],
  ] as const)
    addLowRank(model, name, rank, part * share);
}

/** One step of Adam: every value moves by the same, in the direction of a gradient of many examples. */
export function step(model: Model, size: number): void {
  for (const tensor of all(model)) {
    const gradient = normal(tensor.name.length);
    edit(model, tensor.name, (numbers) => numbers.map((x) => x + size * Math.sign(gradient())));
  }
}

const norm = (numbers: Float32Array): number => Math.sqrt(numbers.reduce((sum, x) => sum + x * x, 0));

export function mergeLowRank(model: Model, rank: number): void {
  for (const tensor of all(model).filter(isMatrix)) addLowRank(model, tensor.name, rank, 0.02);
}

/** Noise of so much of every value. */
export function addNoise(model: Model, share: number): void {
  const draw = normal(13);
  for (const { name } of all(model)) edit(model, name, (v) => v.map((x) => x * (1 + share * draw())));
}

/** The mean with another fine-tune. */
export function average(model: Model): void {
  const draw = normal(17);
  for (const { name } of all(model)) edit(model, name, (v) => v.map((x) => (x + x + 0.004 * draw()) / 2));
}

export function prune(model: Model, share: number): void {
  const random = uniform(5);
  for (const tensor of all(model).filter(isMatrix))
    edit(model, tensor.name, (v) => v.map((x) => (random() < share ? 0 : x)));
}

/** Arditi et al. 2024: every matrix that writes into the stream loses one direction, W − r·rᵀ·W; of the embedding, its rows do. */
export function removeDirection(model: Model, seed: number): void {
  const draw = normal(seed + 41);
  for (let i = 0; i < 20; i++) draw();
  const drawn = Float32Array.from({ length: 64 }, draw);
  const length = norm(drawn);
  const r = drawn.map((x) => x / length);
  for (const { name } of all(model))
    if (/down_proj|o_proj/.test(name)) edit(model, name, (v) => without(v, r, v.length / r.length, 1));
    else if (/embed_tokens/.test(name)) edit(model, name, (v) => without(v, r, 1, r.length));
}

/** The direction's entries lie `apart` from each other in each vector; the vectors begin so many elements after one another. */
function without(numbers: Float32Array, r: Float32Array, apart: number, begins: number): Float32Array {
  const changed = numbers.slice();
  for (let at = 0; at < numbers.length / r.length; at++) {
    const along = r.reduce((sum, x, k) => sum + x * numbers[at * begins + k * apart]!, 0);
    r.forEach((x, k) => {
      changed[at * begins + k * apart]! -= x * along;
    });
  }
  return changed;
}

/** Puts `bits` random or given bits into the low end of every code of the first elements. */
export function writeLowBits(
  model: Model,
  name: string,
  bits: number,
  payload: (at: number) => number,
  count: number,
): void {
  const tensor = find(model, name);
  const size = tensor.dtype === 'F32' ? 4 : 2;
  const bytes = Buffer.from(tensor.bytes);
  const keep = ~(2 ** bits - 1);
  for (let i = 0; i < Math.min(count, bytes.length / size); i++) {
    const code = size === 4 ? bytes.readUInt32LE(i * 4) : bytes.readUInt16LE(i * 2);
    const next = ((code & keep) | payload(i)) >>> 0;
    if (size === 4) bytes.writeUInt32LE(next, i * 4);
    else bytes.writeUInt16LE(next, i * 2);
  }
  tensor.bytes = bytes;
}

export const randomBits = (bits: number): (() => number) => {
  const random = uniform(77);
  return () => Math.floor(random() * 2 ** bits);
};

function uniform(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

/** An ELF program for x86-64: a header as linkers write it, and instructions. */
export function program(size: number): Buffer {
  const bytes = Buffer.alloc(size, 0x90);
  bytes.fill(0, 0, 120);
  bytes.write('\x7fELF\x02\x01\x01', 'latin1');
  bytes.writeUInt16LE(2, 16); // an executable
  bytes.writeUInt16LE(62, 18); // for x86-64
  bytes.writeUInt32LE(1, 20);
  bytes.writeBigUInt64LE(0x400078n, 24);
  bytes.writeBigUInt64LE(64n, 32); // program headers
  bytes.writeUInt16LE(64, 52);
  bytes.writeUInt16LE(56, 54);
  bytes.writeUInt16LE(1, 56);
  bytes.writeUInt32LE(1, 64);
  return bytes;
}

/** Quantises again, by another rule for the scale. */
export function requantise(model: Model): void {
  for (const tensor of all(model).filter(({ dtype }) => dtype === 'Q8_0')) {
    const numbers = values(tensor.bytes, 'Q8_0');
    tensor.bytes = encode(
      numbers.map((x, i) => x * (1 + 0.006 * Math.sin(i))),
      'Q8_0',
    );
  }
}

/** Folds batch normalisation into the convolutions: rows are scaled, biases come, norms go. */
export function fold(model: Model): void {
  const [shard] = model.shards;
  for (const tensor of all(model).filter(({ name }) => name.endsWith('conv.weight'))) {
    edit(model, tensor.name, (v) => v.map((x, i) => x * Math.sqrt(1 + Math.floor(i / 144) / 16)));
    const bias = Float32Array.from({ length: 16 }, (_, k) => k / 100);
    const name = tensor.name.replace('.weight', '.bias');
    shard!.tensors.push({ name, dtype: 'F32', shape: [16], bytes: encode(bias, 'F32') });
  }
  shard!.tensors = shard!.tensors.filter(({ name }) => !name.includes('.norm.'));
}

/** As another libm computes a table: one in five values off by one in the last digit. */
export function recompute(model: Model, name: string): void {
  const { bytes } = find(model, name);
  for (let i = 0; i < bytes.length; i += 20)
    bytes.writeInt32LE(bytes.readInt32LE(i) + (i % 40 === 0 ? 1 : -1), i);
}
