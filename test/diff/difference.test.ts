// The native difference against its slow twin, and spectra against a dense SVD.
import { closeSync, openSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Matrix, SingularValueDecomposition } from 'ml-matrix';
import t, { type Test } from 'tap';
import { DTYPES, type DtypeInfo, dtypeByName } from '../../src/scan/dtype.ts';
import { type Difference, planPair } from '../../src/scan/measure/difference/difference.ts';
import measureDifference from '../../src/scan/measure/difference/difference-worker.ts';
import { type Io, native } from '../../src/scan/measure/native.ts';
import { normal } from '../kit/mutations/weights.ts';
import { type ReferenceDifference, referenceDifference } from '../kit/reference/difference.ts';

const DECODED = DTYPES.filter(({ name, coverage }) => coverage === 'values' && name !== 'C64');

/** Runs both sides out of files, at odd offsets, as the worker does. */
function measured(
  t: Test,
  dtypes: readonly [DtypeInfo, DtypeInfo],
  bytes: readonly [Uint8Array, Uint8Array],
  shape: readonly number[],
  io: Io = 'auto',
): Difference {
  const folder = t.testdir({});
  const places = bytes.map((content, side) => {
    const start = 4093 + 5 * side;
    const path = join(folder, String(side));
    writeFileSync(path, Buffer.concat([Buffer.alloc(start, 7), content, Buffer.alloc(3)]));
    const fd = openSync(path, 'r');
    return { fd, size: start + content.length + 3, start, dtype: dtypes[side]! };
  });
  try {
    const plan = planPair(places[0]!, places[1]!, shape);
    const control = new BigInt64Array(new SharedArrayBuffer(16));
    const reply = measureDifference({ plan, shape, seed: 5n, control, io, spectrum: true });
    t.equal(reply.outcome, 'done');
    return reply.difference!;
  } finally {
    for (const { fd } of places) closeSync(fd);
  }
}

const close = (a: number, b: number, tolerance = 1e-12): boolean =>
  Math.abs(a - b) <= tolerance * Math.max(Math.abs(a), Math.abs(b));

function agrees(t: Test, found: Difference, wanted: ReferenceDifference, title: string): void {
  for (const field of ['changed', 'firstChanged', 'notFinite', 'maxAbs'] as const)
    t.equal(found[field], wanted[field], `${title}: ${field}`);
  t.same(found.bits, wanted.bits, `${title}: bits`);
  const wrong = (['norm', 'goodNorm', 'suspectNorm'] as const).filter(
    (field) => !close(found[field], wanted[field]),
  );
  t.same(wrong, [], `${title}: norms`);
  for (const axis of ['rows', 'columns'] as const) {
    const lines = found[axis]?.largest.filter(({ index, norm }) => !close(norm, wanted[axis][index]!)) ?? [];
    t.same(lines, [], `${title}: ${axis}`);
  }
}

/** Bytes of so many elements: noise, in ggml blocks with scales that are ordinary numbers. */
function noise({ blockCount, blockSize, name }: DtypeInfo, count: number, seed: number): Uint8Array {
  const draw = normal(seed);
  const bytes = Uint8Array.from(
    { length: (count / blockCount) * blockSize },
    () => Math.floor(draw() * 1e6) & 255,
  );
  return name === 'BOOL' ? bytes.map((byte) => byte & 1) : bytes;
}

/** A few runs of other bytes, one of them across the edge of a piece. */
function changed(bytes: Uint8Array, size: number): Uint8Array {
  const other = Uint8Array.from(bytes);
  for (const at of [0, 4096 * size - 3, Math.floor(bytes.length / 2), bytes.length - 2])
    for (let i = at; i < Math.min(at + 7, other.length); i++)
      if (i >= 0) other[i] = other[i]! ^ (1 << (i % 8));
  return other;
}

t.test('every dtype', async (t) => {
  for (const dtype of DECODED) {
    const good = noise(dtype, 9 * 1024, 3);
    const suspect = changed(good, Math.max(1, Math.floor(dtype.blockSize / dtype.blockCount)));
    const found = measured(t, [dtype, dtype], [good, suspect], [9, 1024], 'pread');
    const wanted = referenceDifference([dtype.name, dtype.name], [good, suspect], 1024);
    agrees(t, found, wanted, dtype.name);
    t.strictSame(
      measured(t, [dtype, dtype], [good, suspect], [9, 1024], 'mmap'),
      found,
      `${dtype.name}: mapped`,
    );
  }
});

t.test('two dtypes', async (t) => {
  for (const [one, other] of [
    ['F32', 'BF16'],
    ['F16', 'Q8_0'],
    ['Q4_K', 'F32'],
    ['F8_E4M3', 'I16'],
  ] as const) {
    const dtypes = [dtypeByName(one)!, dtypeByName(other)!] as const;
    const bytes = [noise(dtypes[0], 5 * 1280, 8), noise(dtypes[1], 5 * 1280, 9)] as const;
    const found = measured(t, dtypes, bytes, [5, 1280]);
    agrees(t, found, referenceDifference([one, other], bytes, 1280), `${one} to ${other}`);
  }
});

t.test('lengths around pieces, chunks and rows', async (t) => {
  const dtype = dtypeByName('F32')!;
  for (const shape of [
    [1, 1],
    [1, 4095],
    [4097, 1],
    [3, 4096],
    [7, 1201],
    [64, 2049],
  ]) {
    const count = shape[0]! * shape[1]!;
    const bytes = [noise(dtype, count, 1), noise(dtype, count, 2)] as const;
    const found = measured(t, [dtype, dtype], bytes, shape);
    agrees(t, found, referenceDifference(['F32', 'F32'], bytes, shape[1]!), shape.join(' × '));
  }
});

t.test('a quant under a scale of zero counts', (t) => {
  const dtype = dtypeByName('Q8_0')!;
  const good = new Uint8Array(34);
  const suspect = Uint8Array.from(good).fill(3, 5, 9);
  const found = measured(t, [dtype, dtype], [good, suspect], [1, 32]);
  t.match(found, { changed: 4, norm: 0, spectrum: null });
  t.same(
    found.elements?.map(({ suspectBits }) => suspectBits),
    ['03', '03', '03', '03'],
  );
  t.end();
});

t.test('exact spectra are those of a dense SVD', async (t) => {
  const dtype = dtypeByName('F64')!;
  const draw = normal(4);
  for (const [rows, columns, rank] of [
    [40, 60, 1],
    [60, 40, 5],
    [33, 200, 15],
    [12, 90, 12],
    [90, 16, 16],
  ] as const) {
    const left = Matrix.from1DArray(rows, rank, Array.from({ length: rows * rank }, draw));
    const right = Matrix.from1DArray(rank, columns, Array.from({ length: rank * columns }, draw));
    const suspect = Buffer.from(Float64Array.from(left.mmul(right).to1DArray()).buffer);
    const found = measured(t, [dtype, dtype], [new Uint8Array(suspect.length), suspect], [rows, columns]);
    const { matrix } = referenceDifference(
      ['F64', 'F64'],
      [new Uint8Array(suspect.length), suspect],
      columns,
    );
    const dense = new SingularValueDecomposition(new Matrix(matrix as number[][]), { autoTranspose: true });
    const wanted = dense.diagonal.sort((a, b) => b - a).slice(0, rank);
    t.equal(found.spectrum?.method, 'exact', `${rows} × ${columns}, rank ${rank}`);
    t.equal(found.spectrum?.values.length, rank);
    t.same(
      wanted.filter((value, k) => !close(value, found.spectrum!.values[k]!, 1e-10)),
      [],
    );
  }
});

t.test('native code checks again', (t) => {
  const call =
    (...plan: number[]) =>
    () =>
      native().difference(Float64Array.from(plan), 0n, null, 0, 'auto');
  const f32 = dtypeByName('F32')!.code;
  t.throws(call(0, 8, 4, f32, 0, 8, 0, f32, 2, 0), /outside the file/);
  t.throws(call(0, 8, 0, f32, 0, 8, 0, f32, 2 ** 53, 0), /plan|outside/);
  t.throws(call(0, 8, 0, f32, 0, 8, 0, f32, 2, 3), /row is cut/);
  t.throws(call(0, 8, 0, dtypeByName('C64')!.code, 0, 8, 0, f32, 1, 0), /not decoded/);
  t.throws(call(0, 99, 0, dtypeByName('Q8_0')!.code, 0, 99, 0, f32, 8, 0), /whole number of blocks/);
  t.throws(call(0, 8, 0, 999, 0, 8, 0, f32, 2, 0), /plan/);
  t.throws(() => native().difference(new Float64Array(3), 0n, null, 0, 'auto'), /plan/);
  t.end();
});
