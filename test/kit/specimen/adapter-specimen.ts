// Low-rank adapters for tests, the same on every machine, and what is true of them by the definitions alone: ΔW is formed.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Matrix, SVD } from 'ml-matrix';
import { type Dtype, encode, normal, values } from '../mutations/weights.ts';

/** An update: A as [r, in], B as [out, r]. */
export interface Specimen {
  readonly module: string;
  readonly a: Matrix;
  readonly b: Matrix;
}

/** A matrix of normal numbers that F32 holds exactly. */
export function drawn(rows: number, columns: number, seed: number, deviation = 1): Matrix {
  const next = normal(seed);
  for (let i = 0; i < 20; i++) next(); // neighbouring seeds begin alike
  return Matrix.from1DArray(
    rows,
    columns,
    Float32Array.from({ length: rows * columns }, () => next() * deviation),
  );
}

/** What a reader of F32, F16 or BF16 sees of it. */
export const rounded = (matrix: Matrix, dtype: Dtype): Matrix =>
  Matrix.from1DArray(matrix.rows, matrix.columns, values(encode(flat(matrix), dtype), dtype));

const flat = (matrix: Matrix): Float32Array => Float32Array.from(matrix.to1DArray());

export function bytesOf(matrix: Matrix, dtype: Dtype = 'F32'): Uint8Array {
  return Uint8Array.from(encode(flat(matrix), dtype));
}

export const CONFIG = { peft_type: 'LORA', r: 4, lora_alpha: 8, target_modules: 'all-linear' };

/** Writes an adapter as PEFT does. */
export function writeAdapter(folder: string, updates: readonly Specimen[], config: object = {}): string {
  const tensors = updates.flatMap(({ module, a, b }) => [
    { name: `base_model.model.${module}.lora_A.weight`, matrix: a },
    { name: `base_model.model.${module}.lora_B.weight`, matrix: b },
  ]);
  let end = 0;
  const header = Object.fromEntries(
    tensors.map(({ name, matrix }) => {
      const start = end;
      end += 4 * matrix.rows * matrix.columns;
      return [name, { dtype: 'F32', shape: [matrix.rows, matrix.columns], data_offsets: [start, end] }];
    }),
  );
  const text = JSON.stringify(header);
  const json = Buffer.from(text.padEnd(Math.ceil(text.length / 8) * 8));
  const size = Buffer.alloc(8);
  size.writeBigUInt64LE(BigInt(json.length));
  mkdirSync(folder, { recursive: true });
  const data = tensors.map(({ matrix }) => bytesOf(matrix));
  writeFileSync(join(folder, 'adapter_model.safetensors'), Buffer.concat([size, json, ...data]));
  writeFileSync(join(folder, 'adapter_config.json'), JSON.stringify({ ...CONFIG, ...config }));
  return folder;
}

export const product = ({ a, b }: Pick<Specimen, 'a' | 'b'>, scale: number): Matrix => b.mmul(a).mul(scale);

/** Pearson's, central, over all entries. */
export function denseKurtosis(matrix: Matrix): number {
  const entries = matrix.to1DArray();
  const mean = average(entries);
  const [m2, m4] = [2, 4].map((power) => average(entries.map((x) => (x - mean) ** power))) as [
    number,
    number,
  ];
  return m4 / m2 ** 2;
}

const average = (numbers: readonly number[]): number =>
  numbers.reduce((sum, x) => sum + x, 0) / numbers.length;

/** Singular vectors of the first `rank`, as columns. */
export function denseVectors(
  matrix: Matrix,
  rank: number,
): { left: Matrix; right: Matrix; values: number[] } {
  const svd = new SVD(matrix, { autoTranspose: true });
  const first = (vectors: Matrix): Matrix => vectors.subMatrix(0, vectors.rows - 1, 0, rank - 1);
  return {
    left: first(svd.leftSingularVectors),
    right: first(svd.rightSingularVectors),
    values: svd.diagonal.slice(0, rank),
  };
}
