// Normal weights in the dtypes of the benchmark: drawn once per dtype, the same on every machine.

/** Elements and bytes per block. */
const BLOCKS = {
  BF16: [1, 2],
  F16: [1, 2],
  F32: [1, 4],
  F8_E4M3: [1, 1],
  Q4_0: [32, 18],
  Q8_0: [32, 34],
  Q4_K: [256, 144],
  Q6_K: [256, 210],
} as const;

export type BenchDtype = keyof typeof BLOCKS;
export const BENCH_DTYPES = Object.keys(BLOCKS) as BenchDtype[];

const SIGMA = 0.02;
const TILE_COUNT = 1 << 22; // elements that are drawn; files repeat them

export const isGgml = (dtype: BenchDtype): boolean => dtype.startsWith('Q');

export function rowSizeOf(dtype: BenchDtype, columns: number): number {
  const [count, size] = BLOCKS[dtype];
  return (columns / count) * size;
}

/** The bytes of 4 Mi weights. */
export function drawTile(dtype: BenchDtype): Buffer {
  const values = drawNormal(TILE_COUNT);
  if (dtype === 'F32') return Buffer.from(values.buffer);
  if (dtype === 'BF16')
    return toBytes(Uint16Array.from(new Uint32Array(values.buffer), (bits) => bits >>> 16));
  if (dtype === 'F16') return toBytes(Uint16Array.from(values, toF16));
  // The leading byte of an F16 with its mantissa shifted out: the spread of real E4M3 codes, if not their exact rounding.
  if (dtype === 'F8_E4M3') return toBytes(Uint8Array.from(values, (x) => (toF16(x * 64) >> 7) & 0xff));
  const [count, size] = BLOCKS[dtype];
  const tile = Buffer.alloc((TILE_COUNT / count) * size);
  for (let block = 0; block < tile.length / size; block++) {
    const source = values.subarray(block * count, (block + 1) * count);
    WRITERS[dtype](tile.subarray(block * size, (block + 1) * size), source);
  }
  return tile;
}

const toBytes = (array: Uint8Array | Uint16Array): Buffer => Buffer.from(array.buffer);

type BlockWriter = (block: Buffer, values: Float32Array) => void;

// Right layouts and plausible codes; ggml's search for the best scales is not repeated here.
const WRITERS: Record<'Q4_0' | 'Q8_0' | 'Q4_K' | 'Q6_K', BlockWriter> = {
  Q8_0: (block, values) => {
    const d = largest(values) / 127;
    block.writeUInt16LE(toF16(d), 0);
    values.forEach((x, i) => {
      block.writeInt8(clamp(Math.round(x / d), -127, 127), 2 + i);
    });
  },
  Q4_0: (block, values) => {
    const d = largest(values) / 8;
    block.writeUInt16LE(toF16(d), 0);
    const code = (i: number): number => clamp(Math.round(values[i]! / d) + 8, 0, 15);
    for (let i = 0; i < 16; i++) block[2 + i] = code(i) | (code(16 + i) << 4);
  },
  Q4_K: (block, values) => {
    const most = largest(values);
    block.writeUInt16LE(toF16((2 * most) / 15 / 32), 0);
    block.writeUInt16LE(toF16(most / 32), 2);
    block.fill(0xa0, 4, 12); // scale 32 and min 32 in all eight sub-blocks
    block.fill(0x00, 12, 16);
    const code = (i: number): number => clamp(Math.round(((values[i]! + most) / (2 * most)) * 15), 0, 15);
    for (let i = 0; i < 128; i++) block[16 + i] = code(i) | (code(128 + i) << 4);
  },
  Q6_K: (block, values) => {
    const most = largest(values);
    for (let i = 0; i < 128; i++) block[i] = (values[i]! / most) * 127 + 128;
    for (let i = 0; i < 64; i++) block[128 + i] = (values[128 + i]! / most) * 127 + 128;
    block.fill(32, 192, 208);
    block.writeUInt16LE(toF16(most / 32 / 32), 208);
  },
};

const largest = (values: Float32Array): number => values.reduce((most, x) => Math.max(most, Math.abs(x)), 0);
const clamp = (value: number, low: number, high: number): number => Math.max(low, Math.min(high, value));

function toF16(value: number): number {
  const sign = value < 0 ? 0x8000 : 0;
  const magnitude = Math.abs(value);
  if (magnitude < 2 ** -14) return sign | Math.round(magnitude * 2 ** 24);
  const exponent = Math.floor(Math.log2(magnitude));
  return sign | (((exponent + 15) << 10) + Math.round((magnitude / 2 ** exponent - 1) * 1024));
}

/** Box-Muller over a linear congruential generator. */
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
