// Values ↔ bytes, for tests that change single weights. Loops over indices: `from` goes through an iterator, and models of
// millions of values are made hundreds of times.
export type Dtype = 'F32' | 'F16' | 'BF16' | 'Q8_0';

export function encode(values: Float32Array, dtype: Dtype): Buffer {
  if (dtype === 'F32') return Buffer.from(values.slice().buffer);
  if (dtype === 'BF16') return codes(new Uint32Array(values.slice().buffer), bf16);
  if (dtype === 'F16') return codes(values, f16);
  const blocks = Buffer.alloc((values.length / 32) * 34);
  for (let block = 0; block < values.length / 32; block++)
    writeQ8(blocks.subarray(block * 34, (block + 1) * 34), values.subarray(block * 32, (block + 1) * 32));
  return blocks;
}

export function values(bytes: Buffer, dtype: Dtype): Float32Array {
  if (dtype === 'Q8_0')
    return floats((bytes.length / 34) * 32, (i) => {
      const block = Math.floor(i / 32) * 34;
      return fromF16(bytes.readUInt16LE(block)) * bytes.readInt8(block + 2 + (i % 32));
    });
  const whole = new Uint8Array(bytes).buffer;
  if (dtype === 'F32') return new Float32Array(whole);
  const halves = new Uint16Array(whole);
  if (dtype === 'F16') return floats(halves.length, (i) => fromF16(halves[i]!));
  const wide = new Uint32Array(halves.length);
  for (let i = 0; i < wide.length; i++) wide[i] = halves[i]! << 16;
  return new Float32Array(wide.buffer);
}

export function floats(count: number, value: (i: number) => number): Float32Array {
  const made = new Float32Array(count);
  for (let i = 0; i < count; i++) made[i] = value(i);
  return made;
}

function codes(values: Float32Array | Uint32Array, code: (value: number) => number): Buffer {
  const made = new Uint16Array(values.length);
  for (let i = 0; i < made.length; i++) made[i] = code(values[i]!);
  return Buffer.from(made.buffer);
}

/** To nearest, ties to even. */
const bf16 = (code: number): number => (code + 0x7fff + ((code >>> 16) & 1)) >>> 16;

// d = absmax / 127, as ggml's quantize_row_q8_0 does.
function writeQ8(block: Buffer, values: Float32Array): void {
  const most = values.reduce((max, x) => Math.max(max, Math.abs(x)), 0);
  block.writeUInt16LE(f16(most / 127), 0);
  values.forEach((x, i) => {
    block.writeInt8(most === 0 ? 0 : Math.round(x / (most / 127)), 2 + i);
  });
}

/** To nearest, ties to even. */
export function f16(value: number): number {
  const sign = value < 0 || Object.is(value, -0) ? 0x8000 : 0;
  const magnitude = Math.abs(value);
  if (magnitude === 0) return sign;
  const exponent = Math.max(-14, Math.floor(Math.log2(magnitude)));
  const mantissa = even(magnitude / 2 ** (exponent - 10));
  return sign | (((exponent + 14) << 10) + mantissa);
}

const even = (x: number): number => {
  const down = Math.floor(x);
  const rest = x - down;
  return rest > 0.5 || (rest === 0.5 && down % 2 === 1) ? down + 1 : down;
};

function fromF16(code: number): number {
  const sign = code & 0x8000 ? -1 : 1;
  const exponent = (code >> 10) & 31;
  const mantissa = code & 1023;
  return sign * (exponent === 0 ? mantissa * 2 ** -24 : (1024 + mantissa) * 2 ** (exponent - 25));
}

/** Box-Muller over a linear congruential generator: the same numbers on every machine. */
export function normal(seed: number): () => number {
  let state = seed;
  const uniform = (): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return (state + 0.5) / 2 ** 32;
  };
  return () => Math.sqrt(-2 * Math.log(uniform())) * Math.cos(2 * Math.PI * uniform());
}
