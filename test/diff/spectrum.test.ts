// Singular values of differences: against spectra that are known by construction, shaped as real ones are, and against the exact
// values of a real training; and what is concluded from them.
import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { CONCLUSIONS } from '../../src/diff/report/diff-report.ts';
import { compare, diff, profile } from '../../src/index.ts';
import type { Spectrum } from '../../src/scan/measure/difference/difference.ts';
import { encode, normal, values } from '../kit/mutations/weights.ts';
import { packageRoot } from '../kit/root.ts';
import { writeTensors } from '../kit/written.ts';

const REAL = join(packageRoot, 'fixtures', 'compat', 'peft-mrpc');

interface Exact {
  readonly from: number;
  readonly to: number;
  readonly tensor: string;
  readonly frobenius: number;
  readonly stableRank: number;
  readonly first16: readonly number[];
}

/** D = H₁·S·H₂, with S diagonal and H products of reflections: its singular values are those of S, to rounding. */
function shaped(rows: number, columns: number, spectrum: (k: number) => number, seed: number): Float64Array {
  const matrix = new Float64Array(rows * columns);
  for (let k = 0; k < Math.min(rows, columns); k++) matrix[k * columns + k] = spectrum(k);
  const draw = normal(seed);
  const unit = (size: number): Float64Array => {
    const vector = Float64Array.from({ length: size }, draw);
    const norm = Math.sqrt(vector.reduce((sum, x) => sum + x * x, 0));
    return vector.map((x) => x / norm);
  };
  for (let round = 0; round < 2; round++) {
    const left = unit(rows);
    const right = unit(columns);
    for (let j = 0; j < columns; j++) {
      let part = 0;
      for (let i = 0; i < rows; i++) part += left[i]! * matrix[i * columns + j]!;
      for (let i = 0; i < rows; i++) matrix[i * columns + j]! -= 2 * part * left[i]!;
    }
    for (let i = 0; i < rows; i++) {
      let part = 0;
      for (let j = 0; j < columns; j++) part += right[j]! * matrix[i * columns + j]!;
      for (let j = 0; j < columns; j++) matrix[i * columns + j]! -= 2 * part * right[j]!;
    }
  }
  return matrix;
}

const SHAPES: Record<string, (k: number) => number> = {
  'slow decay': (k) => 1 / (1 + k) ** 0.4,
  'one leading direction': (k) => (k === 0 ? 14.04 : 3.3 / (1 + k) ** 0.5),
  'heavy tail': (k) => (k < 4 ? 3 - 0.1 * k : 0.5 * (1 - k / 5000)),
  'low rank over noise': (k) => (k < 8 ? 1 - k / 20 : 1e-3),
  steep: (k) => 2 ** -k,
};

async function spectrumOf(t: Test, matrix: Float64Array, shape: readonly number[]): Promise<Spectrum> {
  const folder = t.testdir({});
  const write = (name: string, bytes: Uint8Array): string =>
    writeTensors(join(folder, name), [{ name: 'model.x.weight', dtype: 'F64', shape, bytes }]);
  const bytes = new Uint8Array(matrix.buffer);
  const report = await diff(
    write('good.safetensors', new Uint8Array(bytes.length)),
    write('suspect.safetensors', bytes),
  );
  return report.tensors[0]!.difference!.spectrum!;
}

for (const [kind, spectrum] of Object.entries(SHAPES))
  t.test(`exact up to 2,048 on a side: ${kind}`, async (t) => {
    for (const [rows, columns] of [
      [200, 450],
      [600, 160],
      [256, 256],
    ] as const) {
      const least = Math.min(rows, columns);
      const wanted = Array.from({ length: least }, (_, k) => spectrum(k)).sort((a, b) => b - a);
      const found = await spectrumOf(t, shaped(rows, columns, spectrum, rows), [rows, columns]);
      const title = `${rows} × ${columns}`;
      t.equal(found.method, 'exact', title);
      const off = found.values.map((value, k) => Math.abs(value - wanted[k]!) / wanted[0]!);
      t.ok(Math.max(...off) < 1e-7, `${title}: off by ${Math.max(...off)} of the largest`);
      const energy = wanted.reduce((sum, value) => sum + value ** 2, 0);
      t.ok(Math.abs(found.stableRank - energy / wanted[0]! ** 2) < 1e-6 * found.stableRank, title);
    }
  });

t.test('beyond, an estimate that is never too large, and no worse than it says', async (t) => {
  for (const kind of ['slow decay', 'one leading direction'] as const) {
    const [rows, columns] = [2100, 2100];
    const wanted = Array.from({ length: rows }, (_, k) => SHAPES[kind]!(k));
    const found = await spectrumOf(t, shaped(rows, columns, SHAPES[kind]!, 1), [rows, columns]);
    const norm = Math.hypot(...wanted);
    t.ok(found.values[0]! <= norm * (1 + 1e-12), `${kind}: not above the norm`);
    for (const [k, value] of found.values.entries()) {
      t.ok(value <= wanted[k]! * (1 + 1e-9), `${kind} ${k}: not above the true one`);
      t.ok(wanted[k]! - value <= found.error + 1e-9, `${kind} ${k}: within the error that is told`);
    }
    t.ok(found.error < 0.2 * wanted[0]!, `${kind}: an error of ${found.error} says something`);
  }
});

t.test('the real training: exact values, and nothing but training', async (t) => {
  const { rows } = JSON.parse(readFileSync(join(REAL, 'exact.json'), 'utf8')) as { rows: Exact[] };
  const report = await diff(join(REAL, 'checkpoint-230'), join(REAL, 'checkpoint-2300'));
  t.same(
    report.conclusions.map(({ kind }) => kind),
    ['fine-tune'],
  );
  let seen = 0;
  for (const exact of rows.filter(({ from, to, first16 }) => from === 230 && to === 2300 && first16)) {
    const change = report.tensors.find(({ suspect }) => suspect.name === exact.tensor)!;
    const { norm, spectrum } = change.difference!;
    t.ok(Math.abs(norm / exact.frobenius - 1) < 1e-12, exact.tensor);
    t.equal(spectrum!.method, 'exact');
    t.ok(Math.abs(spectrum!.stableRank / exact.stableRank - 1) < 1e-9, exact.tensor);
    for (const [k, value] of spectrum!.values.entries())
      t.ok(Math.abs(value - exact.first16[k]!) < 1e-9 * exact.first16[0]!, `${exact.tensor}: ${k}`);
    seen++;
  }
  t.equal(seen, 2);
});

/** Tensors of a real file by name, and a copy of it with some of another's. */
function transplant(from: string, into: string, to: string, isTaken: (name: string) => boolean): void {
  const [source, target] = [from, into].map((folder) =>
    readFileSync(join(folder, 'adapter_model.safetensors')),
  );
  const size = Number(target!.readBigUInt64LE(0));
  t.equal(source!.subarray(8, 8 + size).compare(target!.subarray(8, 8 + size)), 0, 'one header');
  const header = JSON.parse(target!.toString('utf8', 8, 8 + size)) as Record<
    string,
    { data_offsets: number[] }
  >;
  const bytes = Buffer.from(target!);
  for (const [name, entry] of Object.entries(header)) {
    if (name === '__metadata__' || !isTaken(name)) continue;
    const [start, end] = entry.data_offsets.map((at) => at + 8 + size) as [number, number];
    source!.copy(bytes, start, start, end);
  }
  cpSync(into, to, { recursive: true });
  writeFileSync(join(to, 'adapter_model.safetensors'), bytes);
}

t.test('a head that was tuned alone is no edit of a fact, and every step is training', async (t) => {
  const folder = t.testdir({});
  const [early, late] = ['checkpoint-230', 'checkpoint-2300'].map((name) => join(REAL, name)) as [
    string,
    string,
  ];
  for (const [name, isTaken] of [
    ['head', (tensor: string) => tensor.includes('classifier')],
    ['matrix', (tensor: string) => tensor.endsWith('classifier.dense.weight')],
    ['output', (tensor: string) => tensor.includes('classifier.out_proj')],
    ['layer', (tensor: string) => tensor.includes('layer.3.')],
  ] as const) {
    const to = join(folder, name);
    transplant(late, early, to, isTaken);
    const { conclusions } = await diff(early, to);
    t.notOk(
      conclusions.some(({ kind }) => CONCLUSIONS[kind] === 'tampering'),
      `${name}: ${conclusions.map(({ kind }) => kind).join(', ')}`,
    );
    t.notOk(
      conclusions.some(({ kind }) => ['low-rank-merge', 'uniform-rescale'].includes(kind)),
      name,
    );
    const known = await profile(early, { sketch: true });
    const now = await profile(to, { sketch: true });
    const departures = compare(now, known, 'derived').filter(({ rule }) => rule !== 'compare/tensor-changed');
    t.same(
      departures
        .map(({ rule, tensor }) => [rule, tensor])
        .filter(([rule]) => /rank-one|low-bits/.test(rule!)),
      [],
      name,
    );
  }
});

t.test('an honest conversion of a tensor that one value leads is none that strayed', async (t) => {
  const folder = t.testdir({});
  const draw = normal(3);
  const tensors = Array.from({ length: 6 }, (_, i) => {
    const bias = Float32Array.from({ length: 384 }, () => 0.002 * draw());
    bias[17] = 0.5 * (1 + 0.00048);
    const weight = Float32Array.from({ length: 384 * 384 }, () => 0.02 * draw());
    return [
      { name: `encoder.layer.${i}.LayerNorm.bias`, shape: [384], of: bias },
      { name: `encoder.layer.${i}.dense.weight`, shape: [384, 384], of: weight },
    ];
  }).flat();
  const write = (dtype: 'F32' | 'F16' | 'BF16'): string =>
    writeTensors(
      join(folder, 'model.safetensors'),
      tensors.map(({ name, shape, of }) => ({ name, dtype, shape, bytes: encode(of, dtype) })),
    );
  const known = await profile(write('F32'));
  for (const dtype of ['F16', 'BF16'] as const) {
    const departures = compare(await profile(write(dtype)), known, 'converted');
    t.same(
      departures.filter(({ tensor }) => tensor !== undefined).map(({ message }) => message),
      [],
      dtype,
    );
  }
});

t.test('two values are no distribution, and two zero bits no rule', async (t) => {
  const folder = t.testdir({});
  const draw = normal(5);
  const write = (name: string, bias: readonly number[], step: number): string => {
    const drawn = normal(9);
    return writeTensors(join(folder, `${name}.safetensors`), [
      ...Array.from({ length: 12 }, (_, i) => ({
        name: `layers.${i}.weight`,
        dtype: 'F32',
        shape: [64, 64],
        bytes: encode(
          Float32Array.from({ length: 4096 }, () => 0.02 * drawn() + step * draw()),
          'F32',
        ),
      })),
      { name: 'head.bias', dtype: 'F32', shape: [2], bytes: encode(Float32Array.from(bias), 'F32') },
    ]);
  };
  const even = values(encode(Float32Array.of(-0.004, 0.004), 'BF16'), 'BF16');
  const good = write('good', [...even], 0);
  const suspect = write('suspect', [-0.0088, 0.0088], 0.001);
  const departures = compare(await profile(suspect), await profile(good), 'derived');
  t.same(
    departures.filter(({ tensor }) => tensor === 'head.bias').map(({ rule }) => rule),
    ['compare/tensor-changed', 'compare/tensor-moved'],
  );
  const { conclusions } = await diff(good, suspect);
  t.same(
    conclusions.map(({ kind }) => kind),
    ['fine-tune'],
  );
});
