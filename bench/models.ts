// Writes models of realistic shape and content: normal weights of standard deviation 0.02, in equal tensors.
import { closeSync, existsSync, mkdirSync, openSync, renameSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { type BenchDtype, drawTile, isGgml, rowSizeOf } from './weights.ts';

const COLUMNS = 4096;
const GGML_IDS: Partial<Record<BenchDtype, number>> = { Q4_0: 2, Q8_0: 8, Q4_K: 12, Q6_K: 14 };

/**
 * Writes the model unless it is there. `size`: about so many bytes; `tensorCount` equal tensors of whole rows of 4,096
 * elements, or one row of about their size where they have less than two. Returns its path, with the extension of the format.
 */
export function writeModel(path: string, dtype: BenchDtype, size: number, tensorCount: number): string {
  const file = `${path}.${isGgml(dtype) ? 'gguf' : 'safetensors'}`;
  if (existsSync(file)) return file;
  mkdirSync(dirname(file), { recursive: true });
  const whole = rowSizeOf(dtype, COLUMNS);
  const wanted = size / tensorCount;
  const isRow = wanted < 2 * whole;
  const columns = isRow ? 256 * Math.max(1, Math.round(((wanted / whole) * COLUMNS) / 256)) : COLUMNS;
  const rowSize = rowSizeOf(dtype, columns);
  const shape = [Math.max(1, Math.round(wanted / rowSize)), columns] as const;
  const tensorSize = shape[0] * rowSize;
  const names = Array.from({ length: tensorCount }, (_, i) => `model.layers.${i}.mlp.down_proj.weight`);
  const fd = openSync(`${file}.part`, 'w');
  const header = isGgml(dtype)
    ? ggufHeader(names, shape, tensorSize, GGML_IDS[dtype]!)
    : safetensorsHeader(names, shape, tensorSize, dtype);
  writeSync(fd, header);
  const tile = drawTile(dtype);
  for (let left = tensorCount * tensorSize; left > 0; left -= tile.length) {
    writeSync(fd, tile, 0, Math.min(left, tile.length));
  }
  closeSync(fd);
  renameSync(`${file}.part`, file);
  return file;
}

type Shape = readonly [rows: number, columns: number];

function safetensorsHeader(names: readonly string[], shape: Shape, size: number, dtype: string): Buffer {
  const tensors = names.map((name, i) => [name, { dtype, shape, data_offsets: [i * size, (i + 1) * size] }]);
  const json = JSON.stringify(Object.fromEntries(tensors));
  const padded = Buffer.from(json.padEnd(Math.ceil(json.length / 8) * 8, ' '));
  return Buffer.concat([u64(padded.length), padded]);
}

function ggufHeader(names: readonly string[], [rows, columns]: Shape, size: number, type: number): Buffer {
  const infos = names.map((name, i) =>
    Buffer.concat([
      u64(name.length),
      Buffer.from(name),
      u32(2),
      u64(columns),
      u64(rows),
      u32(type),
      u64(i * size),
    ]),
  );
  const header = Buffer.concat([Buffer.from('GGUF'), u32(3), u64(names.length), u64(0), ...infos]);
  return Buffer.concat([header, Buffer.alloc((32 - (header.length % 32)) % 32)]);
}

const u32 = (value: number): Buffer => Buffer.from(new Uint32Array([value]).buffer);
const u64 = (value: number): Buffer => Buffer.from(new BigUint64Array([BigInt(value)]).buffer);
