// Writes models of realistic shape and content: normal weights of standard deviation 0.02, in layers of equal tensors.
import { closeSync, existsSync, mkdirSync, openSync, renameSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';

export const BENCH_DTYPES = ['BF16', 'F16', 'F32', 'Q8_0', 'Q4_K'] as const;
export type BenchDtype = (typeof BENCH_DTYPES)[number];

const GGML_IDS: Partial<Record<BenchDtype, number>> = { Q8_0: 8, Q4_K: 12 };
const UNITS: Record<BenchDtype, readonly [count: number, size: number]> = {
  BF16: [1, 2],
  F16: [1, 2],
  F32: [1, 4],
  Q8_0: [32, 34],
  Q4_K: [256, 144],
};
const COLUMNS = 4096;
const SIGMA = 0.02;
const TILE_ROWS = 1024; // this much is drawn; a file repeats it

/** Writes the model unless it is there. `size`: about so many bytes. Returns its path with the right extension. */
export function writeModel(path: string, dtype: BenchDtype, size: number, tensorCount: number): string {
  const file = `${path}.${dtype in GGML_IDS ? 'gguf' : 'safetensors'}`;
  if (existsSync(file)) return file;
  mkdirSync(dirname(file), { recursive: true });
  const [unitCount, unitSize] = UNITS[dtype];
  const rowSize = (COLUMNS / unitCount) * unitSize;
  const rows = Math.max(1, Math.round(size / tensorCount / rowSize));
  const names = Array.from({ length: tensorCount }, (_, i) => `model.layers.${i}.mlp.down_proj.weight`);
  const header =
    dtype in GGML_IDS
      ? ggufHeader(names, rows, rowSize, GGML_IDS[dtype]!)
      : safetensorsHeader(names, rows, rowSize, dtype);
  const tile = drawTile(dtype, rowSize);
  const fd = openSync(`${file}.part`, 'w');
  writeSync(fd, header);
  for (let left = tensorCount * rows * rowSize; left > 0; left -= tile.length)
    writeSync(fd, tile, 0, Math.min(left, tile.length));
  closeSync(fd);
  renameSync(`${file}.part`, file);
  return file;
}

function safetensorsHeader(names: readonly string[], rows: number, rowSize: number, dtype: string): Buffer {
  const tensors = names.map((name, i) => {
    const start = i * rows * rowSize;
    return [name, { dtype, shape: [rows, COLUMNS], data_offsets: [start, start + rows * rowSize] }];
  });
  const json = JSON.stringify(Object.fromEntries(tensors));
  const padded = json.padEnd(Math.ceil(json.length / 8) * 8, ' ');
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(padded.length));
  return Buffer.concat([length, Buffer.from(padded)]);
}

function ggufHeader(names: readonly string[], rows: number, rowSize: number, type: number): Buffer {
  const parts: Buffer[] = [Buffer.from('GGUF'), u32(3), u64(names.length), u64(0)];
  names.forEach((name, i) => {
    parts.push(
      u64(name.length),
      Buffer.from(name),
      u32(2),
      u64(COLUMNS),
      u64(rows),
      u32(type),
      u64(i * rows * rowSize),
    );
  });
  const header = Buffer.concat(parts);
  return Buffer.concat([header, Buffer.alloc((32 - (header.length % 32)) % 32)]);
}

const u32 = (value: number): Buffer => Buffer.from(new Uint32Array([value]).buffer);
const u64 = (value: number): Buffer => Buffer.from(new BigUint64Array([BigInt(value)]).buffer);

function drawTile(dtype: BenchDtype, rowSize: number): Buffer {
  const values = drawNormal(TILE_ROWS * COLUMNS);
  if (dtype === 'F32') return Buffer.from(values.buffer);
  if (dtype === 'BF16')
    return Buffer.from(Uint16Array.from(new Uint32Array(values.buffer), (bits) => bits >>> 16).buffer);
  if (dtype === 'F16') return Buffer.from(Uint16Array.from(values, toF16).buffer);
  const tile = Buffer.alloc(TILE_ROWS * rowSize);
  const [unitCount, unitSize] = UNITS[dtype];
  for (let block = 0; block < tile.length / unitSize; block++) {
    const source = values.subarray(block * unitCount, (block + 1) * unitCount);
    (dtype === 'Q8_0' ? writeQ8 : writeQ4K)(tile.subarray(block * unitSize, (block + 1) * unitSize), source);
  }
  return tile;
}

// d = absmax / 127, as ggml's quantize_row_q8_0 does.
function writeQ8(block: Buffer, values: Float32Array): void {
  const d = values.reduce((most, x) => Math.max(most, Math.abs(x)), 0) / 127;
  block.writeUInt16LE(toF16(d), 0);
  values.forEach((x, i) => {
    block.writeInt8(Math.max(-127, Math.min(127, Math.round(x / d))), 2 + i);
  });
}

// The right layout and plausible codes; ggml's search for the best scales is not repeated here.
function writeQ4K(block: Buffer, values: Float32Array): void {
  const most = values.reduce((max, x) => Math.max(max, Math.abs(x)), 0);
  block.writeUInt16LE(toF16((2 * most) / 15 / 32), 0);
  block.writeUInt16LE(toF16(most / 32), 2);
  block.fill(0x20, 4, 12); // scale and min 32 in all eight sub-blocks
  block.fill(0x00, 12, 16);
  const code = (x: number): number => Math.max(0, Math.min(15, Math.round(((x + most) / (2 * most)) * 15)));
  for (let i = 0; i < 128; i++) block[16 + i] = code(values[i]!) | (code(values[128 + i]!) << 4);
}

function toF16(value: number): number {
  const magnitude = Math.abs(value);
  if (magnitude < 2 ** -14) return (value < 0 ? 0x8000 : 0) | Math.round(magnitude * 2 ** 24);
  const exponent = Math.floor(Math.log2(magnitude));
  const code = ((exponent + 15) << 10) + Math.round((magnitude / 2 ** exponent - 1) * 1024);
  return (value < 0 ? 0x8000 : 0) | code;
}

/** Box-Muller over a linear congruential generator: the same file on every machine. */
function drawNormal(count: number): Float32Array {
  let state = 1;
  const uniform = (): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return (state + 0.5) / 2 ** 32;
  };
  const values = new Float32Array(count);
  for (let i = 0; i < count; i += 2) {
    const radius = SIGMA * Math.sqrt(-2 * Math.log(uniform()));
    const angle = 2 * Math.PI * uniform();
    values[i] = radius * Math.cos(angle);
    values[i + 1] = radius * Math.sin(angle);
  }
  return values;
}
