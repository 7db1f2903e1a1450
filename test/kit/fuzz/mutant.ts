// Mutants of known files: a few small damages to bytes that were well chosen to begin with. A reader that survives noise may
// still fall for a file that is right but for one number.
import fc from 'fast-check';

/** Numbers at which arithmetic goes wrong: powers of two, limits of types, and the limits of the formats. */
const EDGES = [
  0n,
  1n,
  2n,
  31n,
  63n,
  64n,
  65n,
  2n ** 16n,
  2n ** 31n - 1n,
  2n ** 31n,
  2n ** 32n - 1n,
  2n ** 32n,
  2n ** 53n - 1n,
  2n ** 53n,
  2n ** 60n,
  2n ** 62n,
  2n ** 63n - 1n,
  2n ** 63n,
  2n ** 64n - 32n,
  2n ** 64n - 1n,
];
/** What grammars break at: of JSON, of Jinja, of names. */
const TOKENS = [
  ...'{}[]",:\\/.-+eE0 \t\n\0\x7f|~\'%#()',
  'true',
  'null',
  '\\u0061',
  '\\ud800',
  '\ufeff',
  '\u202e',
  '__metadata__',
  '"dtype"',
  '"shape":[]',
  '{{',
  '{%',
  '%}',
];
const PIECE = 64;

// Not fc.double, which draws from the patterns of bits: nearly all of those are nearly 0.
const place = fc.noBias(fc.nat({ max: 2 ** 31 - 1 })).map((at) => at / 2 ** 31);
const edge = fc.constantFrom(...EDGES);
// A number is what two readers differ in, so numbers are changed most.
const decimal = fc.record({ kind: fc.constant('decimal' as const), at: place, value: edge });
const mutation = fc.oneof(
  decimal,
  decimal,
  decimal,
  fc.record({ kind: fc.constant('flip' as const), at: place, bit: fc.nat({ max: 7 }) }),
  fc.record({ kind: fc.constant('byte' as const), at: place, byte: fc.nat({ max: 255 }) }),
  fc.record({
    kind: fc.constant('token' as const),
    at: place,
    cut: fc.nat({ max: 8 }),
    token: fc.constantFrom(...TOKENS),
  }),
  fc.record({ kind: fc.constant('word' as const), at: place, value: edge, size: fc.constantFrom(2, 4, 8) }),
  fc.record({ kind: fc.constant('step' as const), at: place, by: fc.constantFrom(-32, -1, 1, 32) }),
  fc.record({ kind: fc.constant('truncate' as const), at: place }),
  fc.record({
    kind: fc.constant('append' as const),
    size: fc.nat({ max: 40 }),
    byte: fc.constantFrom(0, 0x20, 0x41),
  }),
  fc.record({ kind: fc.constant('remove' as const), at: place, size: fc.nat({ max: PIECE }) }),
  fc.record({ kind: fc.constant('copy' as const), at: place, from: place, size: fc.nat({ max: PIECE }) }),
  fc.record({
    kind: fc.constant('splice' as const),
    at: place,
    from: place,
    size: fc.nat({ max: PIECE }),
    other: place,
  }),
);
type Mutation = typeof mutation extends fc.Arbitrary<infer T> ? T : never;

/** One of the samples with one to three mutations. */
export function mutants(samples: readonly Uint8Array[]): fc.Arbitrary<Buffer> {
  const sample = fc.nat({ max: samples.length - 1 });
  return fc.tuple(sample, fc.array(mutation, { minLength: 1, maxLength: 3 })).map(([which, mutations]) => {
    let bytes: Buffer = Buffer.from(samples[which]!);
    for (const step of mutations) bytes = mutated(bytes, step, samples);
    return bytes;
  });
}

function mutated(bytes: Buffer, mutation: Mutation, samples: readonly Uint8Array[]): Buffer {
  if (bytes.length === 0) return bytes;
  if (mutation.kind === 'append') return Buffer.concat([bytes, Buffer.alloc(mutation.size, mutation.byte)]);
  const at = Math.floor(mutation.at * bytes.length);
  switch (mutation.kind) {
    case 'flip':
      bytes[at]! ^= 1 << mutation.bit;
      return bytes;
    case 'byte':
      bytes[at] = mutation.byte;
      return bytes;
    case 'token':
      return replaced(bytes, at, mutation.cut, Buffer.from(mutation.token));
    case 'word': {
      const word = Buffer.alloc(8);
      word.writeBigUInt64LE(mutation.value);
      word.copy(bytes, at, 0, mutation.size);
      return bytes;
    }
    case 'step':
      bytes[at] = bytes[at]! + mutation.by;
      return bytes;
    case 'decimal':
      return withDecimal(bytes, at, String(mutation.value));
    case 'truncate':
      return bytes.subarray(0, at);
    case 'remove':
      return replaced(bytes, at, mutation.size, Buffer.alloc(0));
    case 'copy':
      return replaced(bytes, at, 0, piece(bytes, mutation.from, mutation.size));
    case 'splice': {
      const other = samples[Math.floor(mutation.other * samples.length)]!;
      return replaced(bytes, at, 0, piece(other, mutation.from, mutation.size));
    }
  }
}

const replaced = (bytes: Buffer, at: number, cut: number, by: Uint8Array): Buffer =>
  Buffer.concat([bytes.subarray(0, at), by, bytes.subarray(at + cut)]);

function piece(bytes: Uint8Array, from: number, size: number): Uint8Array {
  const start = Math.floor(from * bytes.length);
  return bytes.subarray(start, start + size);
}

/** Another number in the place of the next one in decimal, if there is one near. */
function withDecimal(bytes: Buffer, at: number, value: string): Buffer {
  const number = /\d+/.exec(bytes.toString('latin1', at, at + PIECE));
  if (number === null) return bytes;
  return replaced(bytes, at + number.index, number[0].length, Buffer.from(value));
}
