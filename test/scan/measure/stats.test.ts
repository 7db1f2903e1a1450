// The native pass against its slow twin and node:crypto: every kernel, every dtype, every code of 8 and 16 bits, every
// length around the edges, every alignment. Integers must be equal; derived numbers within a stated distance of the exact
// result; kernels and ways of reading must agree to the last bit.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { closeSync, ftruncateSync, mkdtempSync, openSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { atOnce } from '../../../src/runtime/turn.ts';
import { DTYPES, type DtypeInfo, dtypeByName } from '../../../src/scan/dtype.ts';
import { type Io, native, type Part } from '../../../src/scan/measure/native.ts';
import { RANGE_SIZE } from '../../../src/scan/measure/plan.ts';
import {
  type Measurement,
  type RangeMeasurement,
  readRecord,
} from '../../../src/scan/measure/record/record.ts';
import { divide } from '../../../src/scan/measure/record/share.ts';
import type { Stats } from '../../../src/scan/measure/record/stats.ts';
import { patience } from '../../kit/patience.ts';
import { blockTypeOf } from '../../kit/reference/ggml.ts';
import { referenceSketch } from '../../kit/reference/sketch.ts';
import { referenceStats } from '../../kit/reference/stats.ts';

/** A tensor to be weighed; `skew`: its start modulo 64. */
interface Case {
  readonly name: string;
  readonly dtype: string;
  readonly bytes: Uint8Array;
  readonly skew?: number;
  readonly columns?: number;
  /** Of a sketch, which takes the place of row statistics. */
  readonly seed?: bigint;
}

t.setTimeout(patience(300_000));
const folder = mkdtempSync(join(tmpdir(), 'steelyard-stats-'));
t.teardown(() => rmSync(folder, { recursive: true }));

const PLAIN = DTYPES.filter(({ name }) => blockTypeOf(name) === undefined);
const BLOCKS = DTYPES.filter(({ name }) => blockTypeOf(name) !== undefined);
const ALIGNMENTS = Array.from({ length: 64 }, (_, skew) => skew);
const EDGES = [16_383, 16_384, 16_385, 32_767, 32_768, 32_769];

t.test('kernels', async (t) => {
  const names = native().kernels();
  t.equal(names.at(-1), 'portable');
  t.equal(new Set(names).size, names.length);
  t.throws(() => withFile(new Uint8Array(1), (fd) => measure(fd, 1, [], { io: 'auto', kernel: 'abacus' })));
});

t.test('SHA-256: vectors of NIST', async (t) => {
  const vectors: [string, string][] = [
    ['', 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'],
    ['abc', 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad'],
    [
      'abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq',
      '248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1',
    ],
    ['a'.repeat(1_000_000), 'cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0'],
  ];
  for (const [text, digest] of vectors) {
    const bytes = Buffer.from(text);
    everyWay(bytes, [range(0, bytes, -1)], ({ way, read }) => {
      const { sha256, ranges } = read();
      t.strictSame(
        [sha256, ranges[0]!.sha256],
        [`sha256:${digest}`, `sha256:${digest}`],
        `${bytes.length}, ${way}`,
      );
    });
  }
});

t.test('SHA-256: lengths 0 to 200 at every alignment', async (t) => {
  const cases = ALIGNMENTS.flatMap((skew) =>
    Array.from({ length: 201 }, (_, length) => ({
      name: '',
      dtype: '',
      bytes: noise(`${skew}/${length}`, length),
      skew,
    })),
  );
  const { file, starts } = laidOut(cases);
  const ranges = cases.map(({ bytes }, i) => range(starts[i]!, bytes, -1));
  const wanted = cases.map(({ bytes }) => sha256(bytes));
  everyWay(file, ranges, ({ way, read }) => {
    const found = read();
    t.equal(found.sha256, sha256(file), `the file, ${way}`);
    const wrong = found.ranges.filter(({ sha256, stats }, i) => sha256 !== wanted[i] || stats !== null);
    t.strictSame(wrong, [], `its ranges, ${way}`);
  });
  for (let length = 0; length <= 200; length++) {
    const bytes = noise('file', length);
    everyWay(bytes, [], ({ way, read }) => {
      if (read().sha256 !== sha256(bytes)) t.fail(`a file of ${length} bytes, ${way}`);
    });
  }
});

t.test('codes of 8 bits and fewer, each alone and all together', async (t) => {
  for (const { name } of PLAIN.filter(({ blockSize }) => blockSize === 1)) {
    const alone = Array.from({ length: 256 }, (_, code) => ({
      name: `${code}`,
      dtype: name,
      bytes: Uint8Array.of(code),
    }));
    const all = Uint8Array.from({ length: 256 }, (_, code) => code);
    weigh(t, name, [...alone, { name: 'all', dtype: name, bytes: all }, ...mixtures(name, all, 1)]);
  }
});

t.test('codes of 16 bits, by sixty-fours and all together', async (t) => {
  for (const { name } of PLAIN.filter(({ blockSize }) => blockSize === 2)) {
    const all = new Uint8Array(Uint16Array.from({ length: 65_536 }, (_, code) => code).buffer);
    const few = Array.from({ length: 1024 }, (_, k) => ({
      name: `from ${64 * k}`,
      dtype: name,
      bytes: all.subarray(128 * k, 128 * k + 128),
    }));
    weigh(t, name, [...few, { name: 'all', dtype: name, bytes: all }, ...mixtures(name, all, 2)]);
  }
});

t.test('special values of 32 and 64 bits', async (t) => {
  weigh(t, 'F32', floatCases('F32', 4, 23, 8));
  weigh(t, 'C64', floatCases('C64', 4, 23, 8));
  weigh(t, 'F64', floatCases('F64', 8, 52, 11));
});

t.test('F64 whose powers leave the range of a double', async (t) => {
  const cases: [string, number[]][] = [
    ['huge', [1e300, -2e300, 3e299, 0]],
    ['greatest', [Number.MAX_VALUE, Number.MAX_VALUE / 2]],
    ['cubes overflow', [1e110, -3e110, 2e109]],
    ['fourth powers overflow', [1e80, -3e80, 2e79]],
    ['sum overflows', [1e308, 1.5e308, -1e307]],
    ['tiny', [1e-300, -2e-300, 3e-299]],
    ['fourth powers underflow', [1e-90, -3e-90, 2e-90]],
    ['subnormal', [5e-324, -1e-323, 1e-310]],
    ['both', [1e300, 1e-300, -1e-310, 1]],
    ['one', [1e300]],
  ];
  weigh(
    t,
    'F64',
    cases.map(([name, values]) => ({
      name,
      dtype: 'F64',
      bytes: new Uint8Array(Float64Array.from(values).buffer),
    })),
  );
});

t.test('integers at their limits', async (t) => {
  for (const [dtype, bits] of [
    ['I16', 16],
    ['U16', 16],
    ['I32', 32],
    ['U32', 32],
    ['I64', 64],
    ['U64', 64],
  ] as const) {
    const [one, top] = [1n, 1n << BigInt(bits - 1)];
    const codes = [0n, one, 2n, top - one, top, top + one, 2n * top - one];
    if (bits === 64)
      codes.push(...[-1n, 0n, 1n].flatMap((d) => [2n ** 53n + d, BigInt.asUintN(64, -(2n ** 53n) + d)]));
    const of = (name: string, chosen: bigint[]) => ({ name, dtype, bytes: packed(chosen, bits / 8) });
    weigh(t, dtype, [
      of('all', codes),
      ...codes.map((code) => of(`${code} alone`, [code])),
      ...codes.map((code) => of(`${code} forty times`, Array<bigint>(40).fill(code))),
      of('limits', [top - one, top]),
      { name: 'noise', dtype, bytes: noise(dtype, 8 * 5000) },
    ]);
  }
});

t.test('lengths 0 to 70 at every alignment, plain dtypes', async (t) => {
  for (const info of PLAIN) {
    const cases = Array.from({ length: 71 }, (_, length) => ordinary(info, length, `length ${length}`));
    weigh(
      t,
      info.name,
      ALIGNMENTS.flatMap((skew) => cases.map((one) => ({ ...one, skew }))),
    );
  }
});

t.test('lengths about the edges of blocks of 16,384 elements, plain dtypes', async (t) => {
  for (const info of PLAIN) {
    const lengths = EDGES.map((elements) => Math.round(elements / info.blockCount));
    weigh(
      t,
      info.name,
      lengths.map((length, i) => ({ ...ordinary(info, length, `${length} blocks`), skew: 13 * i })),
    );
  }
});

// Both digests and the counts run in one loop where both have whole blocks; the edges of that are here.
t.test('tensors back to back, about multiples of 64 bytes', async (t) => {
  for (const dtype of [
    'BF16',
    'F16',
    'F8_E4M3',
    'F6_E2M3',
    'F32',
    'C64',
    'I32',
    'Q8_0',
    'Q4_0',
    'Q6_K',
    'IQ2_XS',
  ]) {
    const info = dtypeByName(dtype)!;
    let end = 1; // where laidOut begins
    const cases: Case[] = [];
    for (const bytes of [0, 1, 62, 64, 66, 126, 128, 130, 190, 192, 194, 1000, 4096, 8190, 64, 0, 128]) {
      for (const extra of [0, 1, 3]) {
        const one = ordinary(info, Math.ceil(bytes / info.blockSize) + extra, `${bytes} bytes and ${extra}`);
        cases.push({ ...one, skew: end % 64 });
        end += one.bytes.length;
      }
    }
    weigh(t, dtype, cases);
  }
});

t.test('equal data', async (t) => {
  for (const dtype of ['BF16', 'F16', 'I8', 'F32', 'F64', 'Q8_0', 'Q4_K', 'Q6_K', 'MXFP4']) {
    const { blockSize } = dtypeByName(dtype)!;
    const size = Math.ceil(5000 / blockSize) * blockSize;
    const of = (name: string, fill: (i: number) => number, skew: number): Case => ({
      name,
      dtype,
      bytes: Uint8Array.from({ length: size }, (_, i) => fill(i)),
      skew,
    });
    weigh(
      t,
      dtype,
      [0, 1, 8, 56, 63].flatMap((skew) => [
        of('zeros', () => 0, skew),
        of('one byte', () => 0x3c, skew),
        of('one byte but for the last', (i) => (i === size - 1 ? 0x3d : 0x3c), skew),
        of('two in turn', (i) => (Math.floor(i / 2) % 2 ? 0x3c : 0x3d), skew),
      ]),
    );
  }
});

t.test('magnitudes of quantised blocks that lie far apart', async (t) => {
  for (const dtype of ['Q8_0', 'Q4_0', 'Q4_K', 'Q5_K', 'Q6_K', 'MXFP4']) {
    const { blockSize } = dtypeByName(dtype)!;
    const bytes = new Uint8Array(noise(`far ${dtype}`, 3000 * blockSize));
    const view = new DataView(bytes.buffer);
    for (let block = 0; block < 3000; block++) {
      const exponent = block < 1000 ? 1 : block < 2000 ? 29 : 1 + (block % 29);
      for (const offset of SCALES.get(dtype) ?? [])
        view.setUint16(block * blockSize + offset, (exponent << 10) | (block % 1024), true);
    }
    weigh(t, dtype, [
      { name: 'far apart', dtype, bytes },
      { name: 'again', dtype, bytes, skew: 9 },
    ]);
  }
});

t.test('a file in two parts', async (t) => {
  const cases = ['BF16', 'F32', 'Q4_K'].map((dtype) => ordinary(dtypeByName(dtype)!, 3000, dtype));
  const { file, starts } = laidOut(cases);
  const ranges = cases.map(({ dtype, bytes }, i) => range(starts[i]!, bytes, dtypeByName(dtype)!.code));
  const flat = planOf(ranges);
  withFile(file, (fd) => {
    for (const { io, kernel } of ways()) {
      const control = new BigInt64Array(new SharedArrayBuffer(16));
      const record = (size: number, ranges: Float64Array, part: Part) =>
        Buffer.from(native().measure(fd, size, ranges, control, 1, io, kernel, part).record);
      const all = record(file.length, flat, 'all');
      for (let first = 0; first <= ranges.length; first++) {
        const own = record(file.length, flat.slice(RANGE_SIZE * first), 'all');
        const others = record(ranges[first - 1]?.end ?? 0, flat.slice(0, RANGE_SIZE * first), 'ranges');
        t.ok(
          Buffer.concat([own.subarray(0, 32), others.subarray(32), own.subarray(32)]).equals(all),
          `${kernel}, ${io}, ${first}`,
        );
        t.strictSame(others.subarray(0, 32), Buffer.alloc(32));
      }
      t.equal(control[1], BigInt((ranges.length + 2) * file.length), 'only who digests the file tells');
    }
  });
});

t.test('a long file is divided where both workers will be done at the same time', async (t) => {
  const SIZE = 2 ** 24;
  const dividedAt = (dtype: string, tensors: number) => {
    const { code } = dtypeByName(dtype)!;
    const flat = Array.from({ length: tensors }, (_, i) => [
      SIZE * i,
      SIZE * (i + 1),
      code,
      0,
      0,
      0,
      0,
    ]).flat();
    return divide(new Float64Array(flat), SIZE * tensors);
  };
  t.equal(dividedAt('BF16', 64), 60, 'digest and statistics take little more than the digest alone');
  t.equal(dividedAt('Q4_K', 64), 44, 'the one with the digest of the file takes nearly a third');
  t.equal(dividedAt('Q4_K', 1), 1, 'a tensor is not divided');
  t.equal(divide(new Float64Array([0, 8, -1, 0, 0, 0, 0]), 8), 1, 'only a header');
  t.equal(divide(new Float64Array(), 8), 0);
});

t.test('block types: lengths, alignments, edges', async (t) => {
  for (const info of BLOCKS) {
    const short = [0, 1, 2, 3, 7, 70].map((length) => ordinary(info, length, `${length} blocks`));
    const edge = 16_384 / info.blockCount;
    const long = [edge - 1, edge, edge + 1, 2 * edge - 1, 2 * edge, 2 * edge + 1];
    weigh(t, info.name, [
      ...ALIGNMENTS.flatMap((skew) => short.map((one) => ({ ...one, skew }))),
      ...long.map((length, i) => ({ ...ordinary(info, length, `${length} blocks`), skew: 2 * i })),
    ]);
  }
});

t.test('block types: scales of every kind', async (t) => {
  const special = [
    0x0000, 0x8000, 0x0001, 0x83ff, 0x3c00, 0xbc00, 0x7bff, 0xfbff, 0x7c00, 0xfc00, 0x7c01, 0xfe00,
  ];
  for (const info of BLOCKS) {
    const offsets = SCALES.get(info.name) ?? [];
    const of = (name: string, codes: (block: number, offset: number) => number) => {
      const bytes = new Uint8Array(noise(name + info.name, 144 * info.blockSize));
      const view = new DataView(bytes.buffer);
      for (let block = 0; block < 144; block++)
        for (const [k, offset] of offsets.entries())
          view.setUint16(block * info.blockSize + offset, codes(block, k), true);
      return { name, dtype: info.name, bytes };
    };
    const size = info.blockSize;
    const mixed = of('mixed', (block, k) => special[k === 0 ? block % 12 : Math.floor(block / 12)]!);
    weigh(t, info.name, [
      { name: 'noise', dtype: info.name, bytes: noise(`blocks ${info.name}`, 300 * size) },
      { name: 'zeros', dtype: info.name, bytes: new Uint8Array(20 * size) },
      { name: 'ones', dtype: info.name, bytes: new Uint8Array(20 * size).fill(255) },
      mixed,
      ...Array.from({ length: 144 }, (_, block) => ({
        ...mixed,
        name: `mixed, block ${block}`,
        bytes: mixed.bytes.subarray(block * size, block * size + size),
      })),
      // MXFP4, NVFP4: every code of their 8-bit scales.
      ...(offsets.length > 0 ? [] : everyFirstByte(info)),
    ]);
  }
});

t.test('rows', async (t) => {
  for (const [dtype, columns, rows] of [
    ['F32', 1, 70],
    ['F32', 33, 65],
    ['F32', 16_385, 2],
    ['F64', 5, 9],
    ['F16', 7, 40],
    ['BF16', 130, 21],
    ['BF16', 16_400, 3],
    ['F8_E4M3', 63, 11],
    ['F4', 6, 11],
    ['I8', 1, 130],
    ['I64', 3, 30],
    ['Q8_0', 32, 17],
    ['Q8_0', 96, 17],
    ['Q4_K', 512, 5],
    ['MXFP4', 64, 9],
  ] as const) {
    const info = dtypeByName(dtype)!;
    const one = {
      ...ordinary(info, (columns * rows) / info.blockCount, `${rows} rows of ${columns}`),
      columns,
    };
    weigh(
      t,
      dtype,
      [0, 1, 8, 63].map((skew) => ({ ...one, skew })),
    );
  }
});

t.test('sketches', async (t) => {
  for (const [dtype, columns, rows] of [
    ['F32', 64, 70],
    ['F32', 16_385, 2],
    ['F64', 77, 9],
    ['F16', 127, 40],
    ['BF16', 130, 21],
    ['BF16', 16_400, 3],
    ['F8_E4M3', 65, 11],
    ['F8_E8M0', 65, 3],
    ['F4', 66, 11],
    ['I8', 64, 130],
    ['I32', 71, 8],
    ['U64', 71, 8],
    ['Q4_0', 64, 17],
    ['Q5_1', 96, 17],
    ['Q8_0', 96, 17],
    ['Q2_K', 256, 3],
    ['Q4_K', 512, 5],
    ['Q6_K', 256, 5],
    ['IQ4_XS', 256, 4],
    ['MXFP4', 64, 9],
  ] as const) {
    const info = dtypeByName(dtype)!;
    const one = {
      ...ordinary(info, (columns * rows) / info.blockCount, `${rows} rows of ${columns}`),
      columns,
    };
    const seeds = [0n, 1n, 0xffff_ffff_ffff_ffffn, 0x0123_4567_89ab_cdefn];
    weigh(
      t,
      dtype,
      [0, 1, 63].flatMap((skew, i) => [
        { ...one, skew, seed: seeds[i]! },
        { ...one, skew: skew + 1, seed: seeds[i + 1]! },
      ]),
    );
  }
  const values = Float64Array.from({ length: 128 }, (_, i) => (i === 0 ? 1e39 : 1.5));
  weigh(t, 'beyond a float32', [
    { name: 'F64', dtype: 'F64', bytes: new Uint8Array(values.buffer), columns: 64, seed: 5n },
  ]);
});

t.test('no sketch of what is too narrow, too wide or too long', (t) => {
  for (const [columns, rows] of [
    [63, 1],
    [2 ** 20 + 1, 1],
    [64, 2 ** 19 + 1],
  ] as const) {
    const { bytes } = ordinary(dtypeByName('U8')!, columns * rows, '');
    const one = range(0, bytes, dtypeByName('U8')!.code, columns, 1n);
    t.throws(
      () => withFile(bytes, (fd) => measure(fd, bytes.length, [one], ways()[0]!)),
      /no sketch/,
      `${columns}`,
    );
  }
  t.end();
});

t.test('no rows where elements are not decoded one by one', (t) => {
  for (const dtype of ['C64', 'F6_E2M3', 'IQ2_XXS', 'Q8_1', 'Q8_K', 'NVFP4']) {
    const { code, blockCount, blockSize } = dtypeByName(dtype)!;
    const rows = [range(0, new Uint8Array(blockSize), code, blockCount)];
    t.throws(
      () => withFile(new Uint8Array(blockSize), (fd) => measure(fd, blockSize, rows, ways()[0]!)),
      /no row statistics/,
      dtype,
    );
  }
  t.end();
});

t.test('counts of any size', (t) => {
  const bytes = new Uint8Array(8);
  const { code } = dtypeByName('BF16')!;
  const { record } = withFile(bytes, (fd) => measure(fd, 8, [range(0, bytes, code)], ways()[0]!));
  const slots = new Float64Array(Uint8Array.from(record).buffer);
  const counts = 8; // after the digests of file and range
  t.equal(slots[counts], 4, 'the number of elements is where it is looked for');
  for (const count of [2 ** 31 - 1, 2 ** 31, 2 ** 32 + 1, 2 ** 52]) {
    slots[counts] = count;
    t.equal(atOnce(readRecord([slots.buffer], [code])).ranges[0]!.stats!.count, count);
  }
  t.end();
});

t.test('tensors across the windows of a large file', async (t) => {
  const window = 64 * 1024 * 1024;
  const names = ['F32', 'BF16', 'F64', 'Q4_K', 'Q8_0', 'I64', 'F8_E5M2', 'C64'];
  const size = 2 * window + 4097;
  const path = join(folder, 'large');
  const file = new Uint8Array(size);
  const cases = names.map((name, i): Case & { start: number } => {
    const info = dtypeByName(name)!;
    const one = ordinary(info, Math.ceil(40_000 / info.blockSize), name);
    // The first lies across an edge, the last across the other and up to the end of the file.
    const start =
      i === 0 ? window - 20_001 : i === names.length - 1 ? size - one.bytes.length : 100_000 * i + 3;
    return { ...one, start };
  });
  const sorted = cases.toSorted((a, b) => a.start - b.start);
  for (const { start, bytes } of sorted) file.set(bytes, start);
  const fd = openSync(path, 'w+');
  try {
    ftruncateSync(fd, size);
    for (const { start, bytes } of sorted) writeSync(fd, bytes, 0, bytes.length, start);
    const ranges = sorted.map(({ dtype, start, bytes }) => range(start, bytes, dtypeByName(dtype)!.code));
    const digest = sha256(file);
    let first: Weighed | undefined;
    for (const way of ways()) {
      const weighed = measure(fd, size, ranges, way);
      first ??= weighed;
      t.ok(weighed.record.equals(first.record), weighed.way);
    }
    const found = first!.read();
    t.equal(found.sha256, digest);
    t.strictSame(
      sorted.flatMap((one, i) => differences(found.ranges[i]!, one)),
      [],
    );
  } finally {
    closeSync(fd);
  }
});

// ---------------------------------------------------------------------------------------------------------------------

/** Weighs all cases in one file, every way, and holds the results against the twin and against each other. */
function weigh(t: Test, title: string, cases: readonly Case[]): void {
  const { file, starts } = laidOut(cases);
  const ranges = cases.map(({ dtype, bytes, columns, seed }, i) =>
    range(starts[i]!, bytes, dtypeByName(dtype)!.code, columns, seed),
  );
  let first: Weighed | undefined;
  everyWay(file, ranges, (weighed) => {
    if (first === undefined) {
      first = weighed;
      const found = weighed.read();
      const wrong = cases.flatMap((one, i) => differences(found.ranges[i]!, one));
      if (found.sha256 !== sha256(file)) wrong.push('sha256 of the file');
      t.strictSame(
        wrong.slice(0, 12),
        [],
        `${title}: ${cases.length} cases, ${wrong.length} differences from the twin`,
      );
    } else if (weighed.record.equals(first.record)) {
      t.pass(`${title}: ${weighed.way} as ${first.way}`);
    } else {
      const [found, wanted] = [weighed.read().ranges, first.read().ranges];
      const odd = cases.flatMap((one, i) => mismatches(found[i], wanted[i], one.name, () => undefined));
      t.strictSame(odd.slice(0, 12), [], `${title}: ${weighed.way} as ${first.way}`);
      t.fail(`${title}: ${weighed.way} is not ${first.way} to the bit`);
    }
  });
}

interface NativeRange {
  readonly start: number;
  readonly end: number;
  /** Code of dtype.ts; -1: digest only. */
  readonly dtype: number;
  /** 0: no rows. */
  readonly columns: number;
  /** null: no sketch, but norms and digests if there are columns. */
  readonly seed: bigint | null;
}

interface Way {
  readonly io: Io;
  readonly kernel: string;
}

interface Weighed {
  readonly way: string;
  readonly record: Buffer;
  read(): Measurement;
}

function measure(fd: number, size: number, ranges: readonly NativeRange[], { io, kernel }: Way): Weighed {
  const found = native().measure(fd, size, planOf(ranges), null, 0, io, kernel);
  const way = `${kernel}, ${io}`;
  assert.equal(found.outcome, 'done', way);
  assert.equal(found.kernel, kernel, 'the kernel that was asked for');
  const dtypes = ranges.map(({ dtype }) => dtype);
  return { way, record: Buffer.from(found.record), read: () => atOnce(readRecord([found.record], dtypes)) };
}

function planOf(ranges: readonly NativeRange[]): Float64Array {
  const flat = ranges.flatMap(({ start, end, dtype, columns, seed }) => {
    const wanted = seed === null ? (columns > 0 ? 1 : 0) : 2;
    const bits = seed ?? 0n;
    return [start, end, dtype, columns, wanted, Number(bits & 0xffff_ffffn), Number(bits >> 32n)];
  });
  return Float64Array.from(flat);
}

/** All kernels, portable first, and both ways of reading. */
function ways(): Way[] {
  return native()
    .kernels()
    .toReversed()
    .flatMap((kernel) => (['mmap', 'pread'] as const).map((io) => ({ io, kernel })));
}

function everyWay(file: Uint8Array, ranges: readonly NativeRange[], check: (weighed: Weighed) => void): void {
  withFile(file, (fd) => {
    for (const way of ways()) check(measure(fd, file.length, ranges, way));
  });
}

function withFile<T>(bytes: Uint8Array, use: (fd: number) => T): T {
  const path = join(folder, 'file');
  writeFileSync(path, bytes);
  const fd = openSync(path, 'r');
  try {
    return use(fd);
  } finally {
    closeSync(fd);
  }
}

/** One file with every case at its alignment, noise between them. */
function laidOut(cases: readonly Case[]): { file: Uint8Array; starts: number[] } {
  let end = 1;
  const starts = cases.map(({ bytes, skew = 0 }) => {
    const start = end + ((((skew - end) % 64) + 64) % 64);
    end = start + bytes.length;
    return start;
  });
  const file = new Uint8Array(noise('between', end + 5));
  for (const [i, { bytes }] of cases.entries()) file.set(bytes, starts[i]);
  return { file, starts };
}

const range = (
  start: number,
  bytes: Uint8Array,
  dtype: number,
  columns = 0,
  seed: bigint | null = null,
): NativeRange => ({ start, end: start + bytes.length, dtype, columns, seed });

// The twin's answer depends on bytes, dtype and columns alone; alignments share it.
const answers = new Map<string, Stats>();

function differences(found: RangeMeasurement, { name, dtype, bytes, columns, seed }: Case): string[] {
  const digest = sha256(bytes);
  const key = `${dtype} ${columns} ${seed} ${digest}`;
  const wanted = answers.get(key) ?? twin();
  answers.set(key, wanted);
  const wrong = found.sha256 === digest ? [] : ['sha256'];
  const undefinedParts = dtype === 'F64' && leavesRange(bytes) ? OF_POWERS : /^$/;
  return [...wrong, ...mismatches(found.stats, wanted, '', toleranceOf(dtype, wanted))]
    .filter((text) => !undefinedParts.test(text))
    .map((text) => `${name}: ${text}`);

  function twin(): Stats {
    if (seed === undefined || columns === undefined) return referenceStats(bytes, dtype, columns);
    return { ...referenceStats(bytes, dtype), sketch: referenceSketch(bytes, dtype, columns, seed) };
  }
}

// Stats says that powers are computed as doubles: where fourth powers leave their range, these are null or inexact. All
// kernels must still agree on them to the bit.
const OF_POWERS = /^(mean|std|l1|l2|skewness|kurtosis|rows\.norms\.\d+) /;

function leavesRange(bytes: Uint8Array): boolean {
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  return Array.from({ length: bytes.length / 8 }, (_, i) => Math.abs(view.getFloat64(8 * i, true))).some(
    (magnitude) => Number.isFinite(magnitude) && magnitude !== 0 && (magnitude > 1e76 || magnitude < 1e-76),
  );
}

/** How far a derived number may be from the exact one; keyed by its path. undefined: it must be equal. */
type Tolerance = (path: string) => { relative: number; scale: number } | undefined;

const DERIVED =
  /^\.(mean|std|l1|l2|skewness|kurtosis|entropy\..*|quantized\.(scales|mins|quants)\.(mean|std|entropy)|rows\.norms\.\d+)$/;

function toleranceOf(dtype: string, wanted: Stats): Tolerance {
  const { blockCount, blockSize } = dtypeByName(dtype)!;
  const wide = blockCount === 1 && blockSize > 2;
  const finite = (dtype === 'C64' ? 2 : 1) * wanted.count - wanted.nan - wanted.posInf - wanted.negInf;
  // What cancels is measured against what it is made of.
  const scales: Record<string, number> = { '.mean': wide ? (wanted.l1 ?? 0) / finite : 0, '.skewness': 1 };
  // Values of 53 bits about a mean of 53 bits: a spread of few units in the last place has few true digits.
  const condition = wanted.std ? Number(wanted.absMax) / wanted.std : 0;
  const spread = wide && blockSize === 8 && dtype !== 'C64' ? 2 ** -49 * condition : 0;
  return (path) => {
    if (!DERIVED.test(path)) return undefined;
    const central = path === '.std' || path === '.skewness' || path === '.kurtosis';
    return { relative: (wide ? 1e-9 : 1e-12) + (central ? spread : 0), scale: scales[path] ?? 0 };
  };
}

function mismatches(found: unknown, wanted: unknown, path: string, tolerance: Tolerance): string[] {
  if (typeof wanted === 'object' && wanted !== null && typeof found === 'object' && found !== null) {
    const keys = new Set([...Object.keys(wanted), ...Object.keys(found)]);
    const at = (value: object, key: string) => (value as Record<string, unknown>)[key];
    return [...keys].flatMap((key) =>
      mismatches(at(found, key), at(wanted, key), `${path}.${key}`, tolerance),
    );
  }
  if (found === wanted) return [];
  const allowed = tolerance(path);
  if (allowed !== undefined && typeof found === 'number' && typeof wanted === 'number') {
    const bound = allowed.relative * Math.max(Math.abs(wanted), allowed.scale);
    if (Math.abs(found - wanted) <= bound) return [];
  }
  return [`${path.slice(1)} is ${found}, not ${wanted}`];
}

/** Data such as tensors have, with a few specials among it; `length` in blocks. */
function ordinary(info: DtypeInfo, length: number, name: string): Case {
  const { name: dtype, blockSize } = info;
  const bytes = new Uint8Array(noise(`${dtype} ${length}`, length * blockSize));
  const view = new DataView(bytes.buffer);
  if (dtype === 'F32' || dtype === 'C64' || dtype === 'F64') {
    const size = dtype === 'F64' ? 8 : 4;
    for (let i = 0; i < bytes.length / size; i++) {
      const [a, b, c, d] = [0, 1, 2, 3].map(
        (k) => bytes[i * size + k]! + bytes[(i * 7 + k) % bytes.length]! / 256,
      );
      const value =
        i % 97 === 13 ? [0, -0, NaN, Infinity, -Infinity, 1e-40][i % 6]! : (a! + b! - c! - d!) / 9173 + 0.001;
      if (size === 8) view.setFloat64(i * 8, value, true);
      else view.setFloat32(i * 4, value, true);
    }
  }
  // Scales of either sign between 2^-11 and 2^-6, so that most values are finite.
  for (let block = 0; block < length; block++)
    for (const offset of SCALES.get(dtype) ?? [])
      view.setUint16(
        block * blockSize + offset,
        (view.getUint16(block * blockSize + offset, true) & 0x93ff) | 0x1000,
        true,
      );
  return { name, dtype, bytes };
}

// Where a block keeps its F16s.
const SCALES: ReadonlyMap<string, readonly number[]> = new Map([
  ...'Q4_0 Q5_0 Q8_0 Q8_1 IQ2_XXS IQ2_XS IQ2_S IQ3_XXS IQ3_S IQ1_S IQ4_NL IQ4_XS Q1_0 Q2_0'
    .split(' ')
    .map((name): [string, number[]] => [name, [0]]),
  ...'Q4_1 Q5_1 Q4_K Q5_K'.split(' ').map((name): [string, number[]] => [name, [0, 2]]),
  ['Q2_K', [80, 82]],
  ['Q3_K', [108]],
  ['Q6_K', [208]],
  ['TQ1_0', [52]],
  ['TQ2_0', [64]],
]);

function everyFirstByte(info: DtypeInfo): Case[] {
  return Array.from({ length: 256 }, (_, code) => {
    const bytes = new Uint8Array(noise(`first ${code}`, info.blockSize));
    bytes[0] = code;
    return { name: `first byte ${code}`, dtype: info.name, bytes };
  });
}

/** Codes in unequal numbers and no order; only the finite; one sign; one code. */
function mixtures(dtype: string, all: Uint8Array, size: number): Case[] {
  const codes = Array.from({ length: all.length / size }, (_, i) => all.subarray(i * size, i * size + size));
  const draw = noise(`draw ${dtype}`, codes.length * 4);
  const mixed = Array.from(codes, (_, i) => codes[draw.readUInt32LE(4 * i) % codes.length]!);
  const top = (code: Uint8Array) => code[size - 1]! & 0x7f;
  const of = (name: string, chosen: Uint8Array[]) => ({
    name,
    dtype,
    bytes: new Uint8Array(Buffer.concat(chosen)),
  });
  return [
    of('mixed', mixed),
    of(
      'small',
      mixed.filter((code) => top(code) < 0x40),
    ),
    of(
      'positive',
      mixed.filter((code) => code[size - 1]! < 0x70),
    ),
    of(
      'negative',
      mixed.filter((code) => code[size - 1]! >= 0x80 && top(code) < 0x70),
    ),
    of(
      'large',
      mixed.filter((code) => top(code) >= 0x78),
    ),
    of('one', Array<Uint8Array>(1000).fill(codes[0x39]!)),
    of(
      'two',
      Array.from({ length: 1001 }, (_, i) => codes[i === 500 ? 0x38 : 0x39]!),
    ),
  ];
}

function floatCases(dtype: string, size: number, mantissa: number, exponent: number): Case[] {
  const [m, e, s] = [BigInt(mantissa), (1n << BigInt(exponent)) - 1n, 1n << BigInt(8 * size - 1)];
  const infinity = e << m;
  const one = (e >> 1n) << m;
  const positive = [
    0n,
    1n,
    2n,
    (1n << m) - 1n,
    1n << m,
    one - 1n,
    one,
    one + 1n,
    infinity - 1n,
    infinity,
    infinity + 1n,
  ];
  const special = [...positive, infinity | (1n << (m - 1n)), infinity | ((1n << m) - 1n)].flatMap((c) => [
    c,
    c | s,
  ]);
  const of = (name: string, codes: bigint[]) => ({
    name,
    dtype,
    bytes: packed(codes.length % 2 ? [...codes, 0n] : codes, size),
  });
  const many = (length: number, code: (i: number) => bigint) => Array.from({ length }, (_, i) => code(i));
  const payloads = (length: number) => many(length, (i) => infinity | (BigInt(i) + 1n) | (i % 2 ? s : 0n));
  // One value in 2^mantissa steps of its binade: mean 1 with a spread of 1e-4 or less.
  const near = many(5000, (i) => one + ((BigInt(i * i * 7919) % 4096n) << (m - 23n)));
  const middling = special.filter(
    (code) => (code & ~s) < infinity - 1n && ((code & ~s) > one / 2n || (code & ~s) === 0n),
  );
  return [
    ...special.map((code) => of(code.toString(16), [code])),
    ...special.map((code) => of(`${code.toString(16)} and 1`, [code, one])),
    of('middling', middling),
    of(
      'zeros',
      many(100, (i) => (i % 3 ? 0n : s)),
    ),
    of(
      'subnormals',
      many(3000, (i) => BigInt(i * 31 + 1) | (i % 2 ? s : 0n)),
    ),
    ...[254, 255, 256, 257, 300].map((n) => of(`${n} NaN payloads`, payloads(n))),
    of(
      'the same NaN',
      many(400, () => infinity | 1n),
    ),
    of('near 1', near),
    of(
      'constant',
      many(20_000, () => one + 12_345n),
    ),
    of(
      'one outlier',
      many(20_000, (i) => (i === 17_000 ? one + (5n << m) : one)),
    ),
    of(
      'powers of two',
      many(2 * 30, (i) => (one - (20n << m) + (BigInt(i % 40) << m)) | (i % 7 ? 0n : s)),
    ),
    // Every bit pattern that squares within range, and for F32 simply every bit pattern.
    ...(size === 4 ? [{ name: 'noise', dtype, bytes: noise('F32', 4 * 40_000) }] : []),
  ];
}

function packed(codes: readonly bigint[], size: number): Uint8Array {
  return Uint8Array.from(
    codes.flatMap((code) => Array.from({ length: size }, (_, k) => Number((code >> BigInt(8 * k)) & 255n))),
  );
}

/** Bytes that depend on the seed alone. */
function noise(seed: string, length: number): Buffer {
  if (length === 0) return Buffer.alloc(0);
  return createHash('shake256', { outputLength: length }).update(seed).digest();
}

function sha256(bytes: Uint8Array): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}
