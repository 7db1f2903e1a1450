// The slow twin against numbers worked out by hand, and against second derivations that share nothing with it: division
// and square roots of IEEE 754 hardware for the rounding, and packing (quantize_row_* of ggml-quants.c) for the blocks.
import t, { type Test } from 'tap';
import { DTYPES } from '../../../src/scan/dtype.ts';
import { blockTypeOf, valuesOf } from '../../kit/reference/ggml.ts';
import { codesOf, decode, E8M0, formatOf, UE4M3 } from '../../kit/reference/ieee.ts';
import { binOf, dyadicOf, entropyOf, momentsOf, nearest, nearestRoot } from '../../kit/reference/moments.ts';
import { referenceStats } from '../../kit/reference/stats.ts';

// code (hexadecimal) = value, where 3p-16 is 3 * 2^-16.
const known: Record<string, string> = {
  F4: '0=0 1=0.5 2=1 3=1.5 4=2 5=3 6=4 7=6 8=-0 9=-0.5 a=-1 b=-1.5 c=-2 d=-3 e=-4 f=-6',
  F8_E4M3: '0=0 80=-0 1=1p-9 7=7p-9 8=1p-6 38=1 39=1.125 bc=-1.5 77=240 78=256 7e=448 fe=-448 7f=NaN ff=NaN',
  F8_E5M2:
    '0=0 80=-0 1=1p-16 3=3p-16 4=1p-14 3c=1 3d=1.25 c2=-3 7b=57344 7c=Infinity fc=-Infinity 7d=NaN fe=NaN',
  F8_E4M3FNUZ: '0=0 80=NaN 1=1p-10 81=-1p-10 7=7p-10 8=1p-7 40=1 41=1.125 c4=-1.5 7e=224 7f=240 ff=-240',
  F8_E5M2FNUZ: '0=0 80=NaN 1=1p-17 83=-3p-17 4=1p-15 40=1 41=1.25 c6=-3 7c=32768 7d=40960 7f=57344 ff=-57344',
  F8_E8M0: '0=1p-127 1=1p-126 64=1p-27 7e=0.5 7f=1 80=2 82=8 89=1024 c8=1p73 fd=1p126 fe=1p127 ff=NaN',
  F16: '0=0 8000=-0 1=1p-24 3ff=1023p-24 400=1p-14 3555=0.333251953125 3c00=1 3c01=1.0009765625 c000=-2 7bff=65504 7c00=Infinity fc00=-Infinity 7c01=NaN fe00=NaN',
  BF16: '0=0 8000=-0 1=1p-133 7f=127p-133 80=1p-126 3f80=1 3f81=1.0078125 4049=3.140625 c2f7=-123.5 7f7f=255p120 7f80=Infinity ff80=-Infinity 7f81=NaN ffc0=NaN',
  F32: '0=0 80000000=-0 1=1p-149 807fffff=-8388607p-149 800000=1p-126 3f800000=1 3dcccccd=0.10000000149011612 40490fdb=3.1415927410125732 c2f6e979=-123.45600128173828 7f7fffff=3.4028234663852886e38 7f800000=Infinity ff800000=-Infinity 7f800001=NaN ffc00000=NaN',
  F64: '0=0 8000000000000000=-0 1=5e-324 fffffffffffff=2.225073858507201e-308 10000000000000=2.2250738585072014e-308 3ff0000000000000=1 3ff0000000000001=1.0000000000000002 3fb999999999999a=0.1 400921fb54442d18=3.141592653589793 c05edd2f1a9fbe77=-123.456 7fefffffffffffff=1.7976931348623157e308 7ff0000000000000=Infinity fff0000000000000=-Infinity 7ff0000000000001=NaN',
  BOOL: '0=0 1=1 ff=255',
  U8: '0=0 80=128 ff=255',
  I8: '7f=127 80=-128 ff=-1',
  U16: '8000=32768 ffff=65535',
  I16: '8000=-32768 7fff=32767 ffff=-1',
  U32: '80000000=2147483648 ffffffff=4294967295',
  I32: '80000000=-2147483648 7fffffff=2147483647',
  U64: '20000000000001=9007199254740992 ffffffffffffffff=1p64',
  I64: 'ffffffffffffffff=-1 8000000000000000=-1p63',
};

t.test('known values of every plain format', async (t) => {
  for (const [dtype, values] of Object.entries(known)) {
    for (const pair of values.split(' ')) {
      const [code, wanted] = pair.split('=') as [string, string];
      const [factor, power] = wanted.split('p');
      const found = decode(formatOf(dtype)!, BigInt(`0x${code}`)).number;
      t.ok(Object.is(found, Number(factor) * 2 ** Number(power ?? 0)), `${dtype} ${pair}, found ${found}`);
    }
  }
  t.equal(decode(UE4M3, 0x38n).number, 1);
  t.equal(decode(UE4M3, 0xb8n).number, 1, 'the top bit means nothing');
  t.ok(Number.isNaN(decode(UE4M3, 0x7fn).number));
  t.equal(decode(E8M0, 0n).subnormal, false);
  t.equal(decode(formatOf('F4')!, 9n).subnormal, true);
  t.equal(formatOf('F6_E2M3'), undefined);
});

// Walk a positive format upwards: every code is one unit above the last, and the unit doubles every 2^mantissa codes from
// the second binade on.
t.test('all codes of the 16-bit formats by counting upwards', async (t) => {
  for (const [dtype, mantissa, least] of [
    ['F16', 10, 2 ** -24],
    ['BF16', 7, 2 ** -133],
  ] as const) {
    let value = 0;
    let unit = least;
    let wrong = 0;
    const infinity = 0x7fff - 2 ** mantissa + 1;
    for (let code = 0; code < 0x8000; code++) {
      const expected = code < infinity ? value : code === infinity ? Infinity : NaN;
      const format = formatOf(dtype)!;
      if (!Object.is(decode(format, BigInt(code)).number, expected)) wrong++;
      if (!Object.is(decode(format, BigInt(code | 0x8000)).number, -expected)) wrong++;
      if (decode(format, BigInt(code)).subnormal !== (code > 0 && code < 2 ** mantissa)) wrong++;
      value += unit;
      if ((code + 1) % 2 ** mantissa === 0 && code + 1 >= 2 ** (mantissa + 1)) unit *= 2;
    }
    t.equal(wrong, 0, dtype);
  }
});

t.test('codes are little-endian, nibbles low first', async (t) => {
  t.strictSame(codesOf(Uint8Array.of(0x21, 0x43), 4), [1n, 2n, 3n, 4n]);
  t.strictSame(codesOf(Uint8Array.of(1, 2, 3, 4), 16), [0x0201n, 0x0403n]);
  t.throws(() => codesOf(Uint8Array.of(1, 2, 3), 16), RangeError);
});

t.test('rounding agrees with the hardware', async (t) => {
  const next = random(1);
  let wrong = 0;
  const expect = (found: number, wanted: number) => {
    if (found !== wanted) wrong++;
  };
  for (let i = 0; i < 5000; i++) {
    const [a, b] = [next() * 2 ** (next() * 40), next() * 2 ** (next() * 40)];
    const [x, y] = [dyadicOf(a), dyadicOf(b)];
    expect(nearest(x.integer, y.integer, x.exponent - y.exponent), a / b);
    expect(nearest(x.integer, 1n, x.exponent - 1060), (a * 2 ** -500) / 2 ** 560); // subnormal: rounded once, by the division
    const even = x.exponent % 2 === 0 ? x : { integer: x.integer * 2n, exponent: x.exponent - 1 };
    expect(nearestRoot(even.integer, 1n, even.exponent / 2), Math.sqrt(a));
  }
  t.equal(wrong, 0);
  t.equal(nearest(1n, 1n, -1075), 0, 'half of the least subnormal: to even');
  t.equal(nearest(3n, 2n, -1075), 5e-324);
  t.equal(nearest(-(2n ** 1024n), 1n, 0), -Infinity);
  t.equal(nearest(2n ** 53n + 1n, 1n, 0), 2 ** 53, 'a tie goes to even');
  t.equal(nearest(2n ** 53n + 3n, 1n, 0), 2 ** 53 + 4);
  t.equal(2 ** -1074, 5e-324);
});

t.test('moments by hand', async (t) => {
  const of = (...values: number[]) => momentsOf(values.map((value) => [value, 1] as const));
  t.strictSame(of(1, 2, 3, 4), {
    mean: 2.5,
    std: Math.sqrt(1.25),
    l1: 10,
    l2: Math.sqrt(30),
    skewness: 0,
    kurtosis: 1.64,
  });
  // 0, 0, 0, 4: mean 1, m2 = 3, m3 = 6, m4 = 21; skewness 6/3^1.5 = 2/sqrt(3).
  t.strictSame(
    momentsOf([
      [0, 3],
      [4, 1],
    ]),
    {
      mean: 1,
      std: Math.sqrt(3),
      l1: 4,
      l2: 4,
      skewness: Math.sqrt(4 / 3),
      kurtosis: 21 / 9,
    },
  );
  t.equal(of(0, 0, 0, -4).skewness, -Math.sqrt(4 / 3));
  t.strictSame(of(7, 7), { mean: 7, std: 0, l1: 14, l2: Math.sqrt(98), skewness: null, kurtosis: null });
  t.strictSame(of(), { mean: null, std: null, l1: null, l2: null, skewness: null, kurtosis: null });
  t.strictSame(of(1e300, -1e300), {
    mean: 0,
    std: 1e300,
    l1: 2e300,
    l2: Math.SQRT2 * 1e300,
    skewness: 0,
    kurtosis: 1,
  });
  t.equal(of(1e308, 1e308).l1, null, 'beyond a double');
  t.equal(of(1e308, 1e308).mean, 1e308);
  t.equal(of(1e16, 1, -1e16).mean, 1 / 3, 'no cancellation');
  t.strictSame(of(0, 5e-324, 1e-323), {
    ...of(0, 1, 2),
    mean: 5e-324,
    std: 5e-324,
    l1: 1.5e-323,
    l2: 1e-323,
  });
  const ones = momentsOf([
    [1 + 1e-8, 500],
    [1 - 1e-8, 500],
  ]);
  t.equal(ones.kurtosis, 1, 'a small spread about 1');
});

t.test('bins and entropy by hand', async (t) => {
  const bins = [1, 1.25, 1.5, 1.75, 1.9999999999999998, 2, 0.5, -0.75, 3, Number.MAX_VALUE, 5e-324, 1.5e-323];
  t.strictSame(bins.map(binOf), [0, 1, 2, 3, 3, 4, -4, -2, 6, 4095, -4296, -4290]);
  t.equal(binOf(2n ** 63n - 1n), 251);
  t.equal(binOf(-(2n ** 63n)), 252);
  t.equal(entropyOf([5, 5, 0, 5, 5]), 2);
  t.equal(entropyOf([1, 3]), 0.25 * 2 + 0.75 * Math.log2(4 / 3));
  t.equal(entropyOf([9]), 0);
  t.equal(entropyOf([]), 0);
});

t.test('a tensor by hand: F32', async (t) => {
  // 1, -0, NaN (payload 1), -Inf, 2^-149, -2, NaN (payload 1), 1.5
  const codes = [0x3f800000, 0x80000000, 0x7f800001, 0xff800000, 1, 0xc0000000, 0x7f800001, 0x3fc00000];
  const bytes = new Uint8Array(
    codes.flatMap((code) => [0, 8, 16, 24].map((shift) => (code >>> shift) & 255)),
  );
  const stats = referenceStats(bytes, 'F32', 4);
  t.match(stats, {
    coverage: 'values',
    count: 8,
    zero: 1,
    negativeZero: 1,
    nan: 2,
    posInf: 0,
    negInf: 1,
    subnormal: 1,
    distinctNaN: 1,
    min: -2,
    max: 1.5,
    absMax: 2,
    mean: (2 ** -149 + 0.5) / 5,
    l1: 4.5,
    l2: Math.sqrt(7.25),
    // Leading 16 bits: 3f80 8000 7f80 ff80 0000 c000 7f80 3fc0: seven, one of them twice.
    entropy: { code: (6 / 8) * 3 + (2 / 8) * 2 },
    histogram: { negative: { first: 4, counts: [1] }, positive: { first: -596 } },
    quantized: null,
  });
  t.equal(stats.histogram!.positive!.counts.length, 599);
  // Exponents 7f 0 ff ff 0 80 ff 7f: twice, twice, three times, once. Leading 7 mantissa bits: 0 but for 1.5.
  const [a, b, c] = [(2 / 8) * 2, (3 / 8) * Math.log2(8 / 3), (1 / 8) * 3];
  close(t, stats.entropy.exponent, a + a + b + c);
  close(t, stats.entropy.mantissa, c + (7 / 8) * Math.log2(8 / 7));
  t.equal(stats.entropy.bytes.length, 4);
  close(t, stats.entropy.bytes[0], b + (5 / 8) * Math.log2(8 / 5));
  const zeros = Array<number>(24).fill(0);
  [zeros[0], zeros[22], zeros[23]] = [3, 1, 4];
  t.strictSame(stats.trailingZeros, zeros);
  t.strictSame(stats.rows!.norms, [1, 2.5]);
  t.match(stats.rows!.digests, [/^sha256:[0-9a-f]{64}$/, /^sha256:[0-9a-f]{64}$/]);
});

t.test('tensors by hand: integers, F4, C64, F6', async (t) => {
  const wide = referenceStats(new Uint8Array([...Array(7).fill(0), 0x80, ...Array(8).fill(255)]), 'I64');
  t.match(wide, { min: '-9223372036854775808', max: -1, absMax: '9223372036854775808', zero: 0 });
  t.match(wide.entropy, { code: null, exponent: null, mantissa: null });
  t.equal(wide.trailingZeros, null);
  t.equal(referenceStats(Uint8Array.of(255, 255, 255, 255, 255, 255, 31, 0), 'U64').max, 2 ** 53 - 1);
  t.equal(referenceStats(Uint8Array.of(0, 0, 0, 0, 0, 0, 32, 0), 'U64').max, '9007199254740992');
  t.match(referenceStats(Uint8Array.of(0, 1, 0x80, 0xff), 'I8'), {
    min: -128,
    max: 1,
    zero: 1,
    mean: -32,
    entropy: { code: 2 },
  });
  // 0.5, -0, 6, -6
  t.match(referenceStats(Uint8Array.of(0x81, 0xf7), 'F4'), {
    count: 4,
    zero: 1,
    negativeZero: 1,
    subnormal: 1,
    max: 6,
    trailingZeros: [3, 1],
    entropy: { code: 2, exponent: 1, bytes: [1] },
  });
  t.match(referenceStats(new Uint8Array(16), 'C64'), { count: 2, zero: 4, entropy: { bytes: [0, 0, 0, 0] } });
  t.match(referenceStats(Uint8Array.of(1, 2, 3), 'F6_E3M2'), {
    coverage: 'bytes',
    count: 4,
    mean: null,
    histogram: null,
    entropy: { code: null, exponent: null, mantissa: null },
  });
  const scale = referenceStats(Uint8Array.of(0, 127, 127, 255), 'F8_E8M0');
  t.match(scale, { zero: 0, subnormal: 0, nan: 1, trailingZeros: null, min: 2 ** -127, max: 1 });
  t.match(scale.entropy, { code: 1.5, exponent: 1.5, mantissa: null });
  const all = (dtype: string) =>
    referenceStats(
      Uint8Array.from({ length: 256 }, (_, code) => code),
      dtype,
    );
  t.match(all('F8_E4M3'), {
    nan: 2,
    distinctNaN: 2,
    posInf: 0,
    zero: 2,
    subnormal: 14,
    entropy: { exponent: 4, mantissa: 3 },
  });
  t.match(all('F8_E5M2'), {
    nan: 6,
    posInf: 1,
    negInf: 1,
    zero: 2,
    subnormal: 6,
    trailingZeros: [128, 64, 64],
  });
  t.match(all('F8_E4M3FNUZ'), { nan: 1, zero: 1, negativeZero: 0, subnormal: 14, absMax: 240 });
});

t.test('empty tensors of every dtype', async (t) => {
  for (const { name, coverage } of DTYPES) {
    const stats = referenceStats(new Uint8Array(0), name);
    t.match(stats, { coverage, count: 0, mean: null, min: null }, name);
  }
});

// Layouts, by packing: quants, sub-scales and sub-minima → bytes, with d = 2 and m = 0.25.
interface Parts {
  readonly q: readonly number[];
  readonly scale: readonly number[];
  readonly min: readonly number[];
}
type Pack = (parts: Parts) => number[];
type Worth = (parts: Parts, i: number) => number;
const F4 = formatOf('F4')!;
const D = [0x00, 0x40];
const DM = [...D, 0x00, 0x34];
const nonLinear = [-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113];
const byte = (code: number) => (code << 24) >> 24;

const q3: Pack = ({ q, scale }) => {
  const packed = Array<number>(12).fill(0);
  scale.forEach((s, j) => {
    packed[j % 8]! |= (s & 15) << (j < 8 ? 0 : 4);
    packed[8 + (j % 4)]! |= (s >> 4) << (2 * Math.floor(j / 4));
  });
  return [...striped(q, 2), ...quartered(q.map((code) => code & 3)), ...packed, ...D];
};
const q6: Pack = ({ q, scale }) => {
  const low = [0, 128].flatMap((half) =>
    Array.from({ length: 64 }, (_, l) => (q[half + l]! & 15) | ((q[half + l + 64]! & 15) << 4)),
  );
  return [...low, ...quartered(q.map((code) => code >> 4)), ...scale, ...D];
};
const xs: Pack = ({ q, scale }) => {
  const low = [0, 2, 4, 6].map((j) => (scale[j]! & 15) | ((scale[j + 1]! & 15) << 4));
  const high = scale.slice(0, 8).reduce((word, s, j) => word | ((s >> 4) << (2 * j)), 0);
  const quants = [0, 1, 2, 3, 4, 5, 6, 7].flatMap((k) => halved(q.slice(32 * k, 32 * k + 32)));
  return [...D, high & 255, high >> 8, ...low, ...quants];
};
const q5: Pack = ({ q, scale, min }) => [
  ...[...DM, ...twelve(scale, min), ...striped(q, 4)],
  ...chunked(q.map((code) => code & 15)),
];
const q2: Pack = ({ q, scale, min }) => [...scale.map((s, j) => s | (min[j]! << 4)), ...quartered(q), ...DM];
const q45: Worth = ({ q, scale, min }, i) => 2 * scale[i >> 5]! * q[i]! - 0.25 * min[i >> 5]!;

// Number of codes, of sub-scales' codes, packing, value.
const layouts: Record<string, [codes: number, scales: number, pack: Pack, worth: Worth]> = {
  Q4_0: [16, 0, ({ q }) => [...D, ...halved(q)], ({ q }, i) => 2 * (q[i]! - 8)],
  Q4_1: [16, 0, ({ q }) => [...DM, ...halved(q)], ({ q }, i) => 2 * q[i]! + 0.25],
  Q5_0: [32, 0, ({ q }) => [...D, ...bits(q), ...halved(q)], ({ q }, i) => 2 * (q[i]! - 16)],
  Q5_1: [32, 0, ({ q }) => [...DM, ...bits(q), ...halved(q)], ({ q }, i) => 2 * q[i]! + 0.25],
  Q8_0: [256, 0, ({ q }) => [...D, ...q], ({ q }, i) => 2 * byte(q[i]!)],
  IQ4_NL: [16, 0, ({ q }) => [...D, ...halved(q)], ({ q }, i) => 2 * nonLinear[q[i]!]!],
  MXFP4: [16, 0, ({ q }) => [128, ...halved(q)], ({ q }, i) => 2 * decode(F4, BigInt(q[i]!)).number],
  Q2_K: [4, 16, q2, ({ q, scale, min }, i) => 2 * scale[i >> 4]! * q[i]! - 0.25 * min[i >> 4]!],
  Q3_K: [8, 64, q3, ({ q, scale }, i) => 2 * (scale[i >> 4]! - 32) * (q[i]! - 4)],
  Q4_K: [16, 64, ({ q, scale, min }) => [...DM, ...twelve(scale, min), ...chunked(q)], q45],
  Q5_K: [32, 64, q5, q45],
  Q6_K: [64, 256, q6, ({ q, scale }, i) => 2 * byte(scale[i >> 4]!) * (q[i]! - 32)],
  IQ4_XS: [16, 64, xs, ({ q, scale }, i) => 2 * (scale[i >> 5]! - 32) * nonLinear[q[i]!]!],
};

t.test('every decoded block type finds what was packed', async (t) => {
  const next = random(2);
  const below = (n: number) => Math.floor(next() * n);
  for (const { name, blockCount, blockSize } of DTYPES.filter(({ name }) => blockTypeOf(name)?.elements)) {
    const [codes, scales, pack, worth] = layouts[name]!;
    for (let round = 0; round < 50; round++) {
      const parts = {
        q: Array.from({ length: blockCount }, () => below(codes)),
        scale: Array.from({ length: 16 }, () => below(scales)),
        min: Array.from({ length: 16 }, () => below(scales)),
      };
      const block = Uint8Array.from(pack(parts));
      const type = blockTypeOf(name)!;
      const expected = parts.q.map((_, i) => worth(parts, i) + 0);
      const found = valuesOf(type, block, blockCount).map((x) => x + 0);
      const quants = parts.q.map((_, i) => type.elements!.code(block, i));
      if (
        block.length !== blockSize ||
        String(found) !== String(expected) ||
        String(quants) !== String(parts.q)
      )
        t.fail(name, { found, expected });
    }
    t.pass(name);
  }
});

t.test('a block by hand: Q4_K', async (t) => {
  // d = 1, dmin = 0.5; sub-block 0: scale 3, minimum 5; sub-block 5: scale 0b10_0111 = 39, minimum 0b01_0010 = 18.
  const block = new Uint8Array(144);
  block.set([0x00, 0x3c, 0x00, 0x38], 0);
  block[4] = 3;
  block[8] = 5;
  block[4 + 9] = 0x27; // low nibbles: minimum 2, scale 7
  block[4 + 1] = 0b10 << 6;
  block[4 + 5] = 0b01 << 6;
  block[16] = 0x0f; // element 0 is 15, element 32 is 0
  block[16 + 64 + 31] = 0xa0; // element 191 is 10
  const stats = referenceStats(block, 'Q4_K', 256);
  const values = valuesOf(blockTypeOf('Q4_K')!, block, 256);
  t.equal(values[0], 15 * 3 - 2.5);
  t.equal(values[1], -2.5);
  t.equal(values[32], -0 + 0);
  t.equal(values[160], -9);
  t.equal(values[191], 10 * 39 - 9);
  t.match(stats, {
    count: 256,
    zero: 192,
    max: 381,
    min: -9,
    quantized: {
      blocks: 1,
      blocksAtExtreme: null,
      scales: { count: 1, min: 1, max: 1, std: 0, entropy: 0 },
      mins: { mean: 0.5 },
    },
  });
  t.equal(stats.quantized!.quants!.counts[0], 254);
  const squares = 42.5 ** 2 + 31 * 2.5 ** 2 + 31 * 81 + 381 ** 2;
  t.strictSame(stats.rows!.norms, [Math.sqrt(squares)]);
});

t.test('scales that are not numbers', async (t) => {
  const q40 = (d: number[], q: number) => [...d, ...Array<number>(16).fill(q * 17)];
  const bytes = Uint8Array.from([
    ...q40([0, 0x7c], 8),
    ...q40([0, 0x7c], 9),
    ...q40([0, 0x7e], 0),
    ...q40([0, 0x80], 3),
  ]);
  t.match(referenceStats(bytes, 'Q4_0'), {
    nan: 64, // Inf * 0, and NaN
    posInf: 32,
    negInf: 0,
    zero: 32,
    negativeZero: 0,
    distinctNaN: 0,
    mean: 0,
    quantized: { blocksAtExtreme: 1, scales: { nan: 1, inf: 2, zero: 1, negative: 0, min: 0, max: 0 } },
  });
  const block = Uint8Array.from([255, ...Array<number>(16).fill(0x11)]);
  t.match(referenceStats(block, 'MXFP4'), { nan: 32, quantized: { scales: { nan: 1, min: null } } });
});

t.test('where the scales stand', async (t) => {
  for (const [dtype, offset] of [
    ['Q8_1', 0],
    ['IQ1_S', 0],
    ['IQ2_XXS', 0],
    ['IQ2_XS', 0],
    ['IQ2_S', 0],
    ['IQ3_XXS', 0],
    ['IQ3_S', 0],
    ['Q1_0', 0],
    ['Q2_0', 0],
    ['TQ1_0', 52],
    ['TQ2_0', 64],
  ] as const) {
    const block = new Uint8Array(DTYPES.find(({ name }) => name === dtype)!.blockSize);
    block.set([0x00, 0xc2], offset);
    const stats = referenceStats(block, dtype);
    t.match(
      stats.quantized,
      { scales: { count: 1, mean: -3, negative: 1 }, mins: null, quants: null },
      dtype,
    );
    t.match(stats, { coverage: 'scales', mean: null, histogram: null, zero: 0 }, dtype);
  }
  const scattered = new Uint8Array(56);
  [0x0f, 0x0f, 0x2f, 0xcf].forEach((high, k) => {
    scattered[49 + 2 * k] = high;
  });
  t.equal(referenceStats(scattered, 'IQ1_M').quantized!.scales!.mean, -3, 'IQ1_M: 0xc200');
  const four = new Uint8Array(36);
  four.set([0x38, 0x40, 0x7f, 0x01]);
  t.match(referenceStats(four, 'NVFP4').quantized, {
    blocks: 1,
    scales: { count: 4, nan: 1, subnormal: 1, max: 2, min: 1 / 512, entropy: 2 },
  });
});

function halved(q: readonly number[]): number[] {
  return Array.from({ length: 16 }, (_, j) => (q[j]! & 15) | ((q[j + 16]! & 15) << 4));
}

function bits(q: readonly number[]): number[] {
  const word = q.reduce((sum, code, i) => sum | ((code >> 4) << i), 0);
  return [0, 8, 16, 24].map((shift) => (word >>> shift) & 255);
}

function quartered(q: readonly number[]): number[] {
  return [0, 128].flatMap((half) =>
    Array.from({ length: 32 }, (_, l) =>
      [0, 1, 2, 3].reduce((byte, k) => byte | (q[half + 32 * k + l]! << (2 * k)), 0),
    ),
  );
}

/** Bit `from` and above of element i, as bit floor(i / 32) of byte i mod 32. */
function striped(q: readonly number[], from: number): number[] {
  const high = Array<number>(32).fill(0);
  q.forEach((code, i) => {
    high[i % 32]! |= (code >> from) << Math.floor(i / 32);
  });
  return high;
}

function chunked(q: readonly number[]): number[] {
  return [0, 64, 128, 192].flatMap((chunk) =>
    Array.from({ length: 32 }, (_, l) => q[chunk + l]! | (q[chunk + l + 32]! << 4)),
  );
}

function twelve(scale: readonly number[], min: readonly number[]): number[] {
  const packed = Array<number>(12).fill(0);
  for (let j = 0; j < 4; j++) {
    packed[j] = scale[j]! | ((scale[j + 4]! >> 4) << 6);
    packed[j + 4] = min[j]! | ((min[j + 4]! >> 4) << 6);
    packed[j + 8] = (scale[j + 4]! & 15) | ((min[j + 4]! & 15) << 4);
  }
  return packed;
}

function close(t: Test, found: number | null | undefined, wanted: number): void {
  t.ok(Math.abs(found! - wanted) < 1e-15 * 8, `${found} is about ${wanted}`);
}

/** Numbers in [0, 1) from a seed: a multiplicative generator modulo 2^31 - 1. */
function random(seed: number): () => number {
  let state = seed * 48271;
  return () => {
    state = (state * 48271) % 2147483647;
    return state / 2147483647;
  };
}
