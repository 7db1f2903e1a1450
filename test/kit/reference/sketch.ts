// The slow twin of native/counts/rows/sketch.h: the product of a matrix with columns of signs, straight from its definition.
import { dtypeByName } from '../../../src/scan/dtype.ts';
import { blockTypeOf, valuesOf } from './ggml.ts';
import { codesOf, decode, formatOf } from './ieee.ts';

const COLUMNS = 16;

/** `base64` of rows × 16 little-endian float32. `seed`: 64 bits. */
export function referenceSketch(bytes: Uint8Array, dtype: string, columns: number, seed: bigint): string {
  const values = decoded(bytes, dtype);
  const sketch = Buffer.alloc((values.length / columns) * COLUMNS * 4);
  for (let row = 0; row < values.length / columns; row++)
    for (let k = 0; k < COLUMNS; k++) {
      let sum = 0;
      for (let i = 0; i < columns; i++) {
        const x = values[row * columns + i]!;
        if (Number.isFinite(x)) sum += isMinus(seed, BigInt(i), k) ? -x : x;
      }
      sketch.writeFloatLE(sum, 4 * (row * COLUMNS + k));
    }
  return sketch.toString('base64');
}

function decoded(bytes: Uint8Array, dtype: string): number[] {
  const format = formatOf(dtype);
  if (format !== undefined) return codesOf(bytes, format.bits).map((code) => decode(format, code).number);
  const [type, { blockCount, blockSize }] = [blockTypeOf(dtype)!, dtypeByName(dtype)!];
  return Array.from({ length: bytes.length / blockSize }, (_, i) =>
    valuesOf(type, bytes.subarray(i * blockSize, (i + 1) * blockSize), blockCount),
  ).flat();
}

const WORD = (1n << 64n) - 1n;
const signs = new Map<string, bigint>();

/** Bit k of the top 16 bits of SplitMix64's output `index` steps after `seed`. */
function isMinus(seed: bigint, index: bigint, k: number): boolean {
  const key = `${seed} ${index}`;
  let word = signs.get(key);
  if (word === undefined) {
    let z = (seed + (index + 1n) * 0x9e3779b97f4a7c15n) & WORD;
    z = ((z ^ (z >> 30n)) * 0xbf58476d1ce4e5b9n) & WORD;
    z = ((z ^ (z >> 27n)) * 0x94d049bb133111ebn) & WORD;
    word = (z ^ (z >> 31n)) >> 48n;
    signs.set(key, word);
  }
  return ((word >> BigInt(k)) & 1n) === 1n;
}
