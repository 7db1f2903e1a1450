// The few tensors of a GGUF file that the order of a sweep is made of: embeddings, the first norm, and layer 0's k and v, as numbers.
import { SteelyardError } from '../../rules/error.ts';
import { atOnce } from '../../runtime/turn.ts';
import { readLayout } from '../../scan/format/format.ts';
import type { Layout, TensorLayout } from '../../scan/format/layout.ts';
import { ModelFile } from '../../scan/model/file.ts';

export interface Weights {
  readonly path: string;
  /** By id; empty in an adapter. */
  readonly tokens: readonly string[];
  has(name: string): boolean;
  /** Rows and columns. */
  shapeOf(name: string): readonly [number, number];
  /** Rows `from` to `to` of a matrix, or a vector as its one row. Throws USAGE for a dtype that is not read. */
  rows(name: string, from?: number, to?: number): Float32Array;
  metadata(key: string): unknown;
  close(): void;
}

/** Throws USAGE where it is no GGUF file, and what opening throws. */
export function openWeights(path: string): Weights {
  const file = ModelFile.open({ path, absolute: path, named: true });
  try {
    const layout = atOnce(readLayout('gguf', file));
    if (layout.headerSize === null || layout.violations.length > 0)
      throw new SteelyardError('USAGE', `${path} is no sound GGUF file; see steelyard scan`, { file: path });
    return weightsOf(path, file, layout);
  } catch (error) {
    file.close();
    throw error;
  }
}

function weightsOf(path: string, file: ModelFile, layout: Layout): Weights {
  const tensors = new Map(layout.tensors.map((tensor) => [tensor.name, tensor]));
  const metadata = (key: string): unknown => layout.metadata.find((entry) => entry.key === key)?.value;
  const tensor = (name: string): TensorLayout => {
    const found = tensors.get(name);
    if (found === undefined)
      throw new SteelyardError('USAGE', `${path} has no tensor ${name}`, { file: path });
    return found;
  };
  const shapeOf = (name: string): readonly [number, number] => {
    const { shape, count } = tensor(name);
    const columns = shape.at(-1) ?? 1;
    return [count / columns, columns];
  };
  const tokens = metadata('tokenizer.ggml.tokens');
  return {
    path,
    tokens:
      typeof tokens === 'object' && tokens !== null ? (tokens as { items: unknown[] }).items.map(String) : [],
    has: (name) => tensors.has(name),
    shapeOf,
    rows: (name, from = 0, to = shapeOf(name)[0]) => {
      const { dtype, start, end, count } = tensor(name);
      const rowSize = (end - start) / (count / shapeOf(name)[1]);
      const bytes = file.read(start + from * rowSize, (to - from) * rowSize);
      return decoded(dtype, bytes, path);
    },
    metadata,
    close: () => file.close(),
  };
}

function decoded(dtype: string, bytes: Uint8Array, path: string): Float32Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  switch (dtype) {
    case 'F32':
      return Float32Array.from({ length: bytes.length / 4 }, (_, i) => view.getFloat32(i * 4, true));
    case 'F16':
      return Float32Array.from({ length: bytes.length / 2 }, (_, i) => half(view.getUint16(i * 2, true)));
    case 'BF16':
      return brainFloats(view, bytes.length / 2);
    case 'Q8_0':
      return Float32Array.from({ length: (bytes.length / 34) * 32 }, (_, i) => {
        const block = Math.floor(i / 32) * 34;
        return half(view.getUint16(block, true)) * view.getInt8(block + 2 + (i % 32));
      });
    default:
      throw new SteelyardError(
        'USAGE',
        `${path}: the order of a sweep reads F32, F16, BF16 and Q8_0, not ${dtype}; give --words instead`,
        { file: path },
      );
  }
}

function brainFloats(view: DataView, count: number): Float32Array {
  const bits = Uint32Array.from({ length: count }, (_, i) => view.getUint16(i * 2, true) << 16);
  return new Float32Array(bits.buffer);
}

function half(bits: number): number {
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  const sign = bits & 0x8000 ? -1 : 1;
  if (exponent === 31) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  return sign * (exponent === 0 ? fraction * 2 ** -24 : (1 + fraction / 1024) * 2 ** (exponent - 15));
}
