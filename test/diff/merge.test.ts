// Is this model that one with this adapter merged into it: every kind of update, what hides behind a merge, and what cannot be told.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Matrix } from 'ml-matrix';
import t from 'tap';
import { diff, renderDiffText } from '../../src/diff/index.ts';
import { type Dtype, encode, values } from '../kit/mutations/weights.ts';
import { bytesOf, drawn, product, writeAdapter } from '../kit/specimen/adapter-specimen.ts';
import { MAIN, run } from '../kit/steelyard.ts';
import { writeTensors } from '../kit/written.ts';

const NAMES = ['model.layers.0.self_attn.q_proj', 'model.layers.0.mlp.down_proj'];
const [OUT, IN] = [96, 128];

const updates = NAMES.map((module, i) => ({
  module,
  a: drawn(4, IN, 10 + i, 0.1),
  b: drawn(OUT, 4, 20 + i, 0.1),
}));
const base = NAMES.map((_, i) => drawn(OUT, IN, 30 + i, 0.05));

function write(folder: string, weights: readonly Matrix[], dtype: Dtype, more = 0): string {
  mkdirSync(folder, { recursive: true });
  const tensors = NAMES.map((name, i) => ({
    name: `${name}.weight`,
    dtype,
    shape: [weights[i]!.rows, weights[i]!.columns],
    bytes: bytesOf(weights[i]!, dtype),
  }));
  const other = {
    name: 'model.norm.weight',
    dtype,
    shape: [IN],
    bytes: encode(new Float32Array(IN).fill(1 + more), dtype),
  };
  writeTensors(join(folder, 'model.safetensors'), [...tensors, other]);
  return folder;
}

/** As it stands in a file of this dtype. */
const stored = (matrix: Matrix, dtype: Dtype): Matrix =>
  Matrix.from1DArray(
    matrix.rows,
    matrix.columns,
    values(encode(Float32Array.from(matrix.to1DArray()), dtype), dtype),
  );

const merged = (dtype: Dtype, strength = 1): Matrix[] =>
  base.map((weight, i) => Matrix.add(stored(weight, dtype), product(updates[i]!, 2 * strength)));

t.test('merged at its scale, at another one, and in every dtype', async (t) => {
  const folder = t.testdir({});
  const adapter = writeAdapter(join(folder, 'adapter'), updates);
  for (const dtype of ['F32', 'BF16', 'F16'] as const)
    for (const strength of [1, 0.7]) {
      const good = write(join(folder, 'good'), base, dtype);
      const suspect = write(join(folder, 'suspect'), merged(dtype, strength), dtype);
      const report = await diff(good, suspect, { adapter });
      t.match(report.merge, { outcome: 'merged', others: 0 }, `${dtype} at ${strength}`);
      for (const one of report.merge!.modules) {
        t.match(one, { outcome: 'merged', rows: 0, reason: null });
        t.ok(Math.abs(one.strength! - strength) < 5e-3, `${one.strength}`);
      }
      t.same(
        report.conclusions.map(({ kind }) => kind),
        ['adapter-merge'],
      );
    }
});

t.test('what hides behind a merge is left', async (t) => {
  const folder = t.testdir({});
  const adapter = writeAdapter(join(folder, 'adapter'), updates);
  const good = write(join(folder, 'good'), base, 'BF16');
  const asked = async (change: (weights: Matrix[]) => void, more = 0) => {
    const weights = merged('BF16');
    change(weights);
    return diff(good, write(join(folder, 'suspect'), weights, 'BF16', more), { adapter });
  };
  const row = await asked(([, down]) => {
    for (let i = 0; i < IN; i++) down!.set(7, i, down!.get(7, i) + 0.004);
  });
  t.match(row.merge, {
    outcome: 'differs',
    modules: [{ outcome: 'merged' }, { outcome: 'differs', rows: 1 }],
  });
  t.match(
    row.conclusions.map(({ kind }) => kind),
    ['merge-differs', 'adapter-merge'],
  );
  const fact = await asked(([, down]) => {
    for (let o = 0; o < OUT; o++)
      for (let i = 0; i < IN; i++) down!.set(o, i, down!.get(o, i) + 0.002 * Math.sin(o) * Math.cos(i));
  });
  t.equal(fact.merge!.outcome, 'differs');
  const norm = await asked(() => undefined, 0.5);
  t.match(norm.merge, { outcome: 'differs', others: 1 });
  const without = await asked((weights) => void weights.splice(0, 1, stored(base[0]!, 'BF16')));
  t.match(without.merge, { outcome: 'differs', modules: [{ outcome: 'unchanged' }, { outcome: 'merged' }] });
  const uneven = await asked((weights) => void weights.splice(0, 1, merged('BF16', 3)[0]!));
  t.equal(uneven.merge!.outcome, 'differs', 'one is three times as strong');
  t.same(
    uneven.merge!.modules.map(({ strength }) => Math.round(strength!)),
    [3, 1],
  );
  t.match(
    renderDiffText(without, { colour: false }),
    /not the good model with the adapter merged: 1 of 2 modules merged/,
  );

  const cli = async (...args: string[]) => (await run([process.execPath, MAIN, 'diff', ...args])).code;
  const suspect = write(join(folder, 'suspect'), merged('BF16'), 'BF16');
  t.equal(await cli(good, suspect, '--adapter', adapter), 0, 'explained');
  t.equal(await cli(good, good, '--adapter', adapter), 1, 'not in it');
  t.equal(await cli(good, suspect, '--adapter', good), 2, 'no adapter');
});

t.test('DoRA, IA3 and a base that stands the other way', async (t) => {
  const folder = t.testdir({});
  const good = write(join(folder, 'good'), base, 'F32');
  const prefix = (name: string): string => `base_model.model.${name}`;
  const f32 = (matrix: Matrix) => ({
    dtype: 'F32',
    shape: [matrix.rows, matrix.columns],
    bytes: bytesOf(matrix),
  });
  const adapterOf = (name: string, tensors: Parameters<typeof writeTensors>[1], config: object): string => {
    mkdirSync(join(folder, name), { recursive: true });
    writeTensors(join(folder, name, 'adapter_model.safetensors'), tensors);
    writeFileSync(join(folder, name, 'adapter_config.json'), JSON.stringify(config));
    return join(folder, name);
  };
  const config = { peft_type: 'LORA', r: 4, lora_alpha: 8, target_modules: ['q_proj', 'down_proj'] };
  const magnitudes = NAMES.map((_, i) => drawn(OUT, 1, 50 + i, 0.01).add(0.6));
  const dora = adapterOf(
    'dora',
    updates.flatMap(({ module, a, b }, i) => [
      { name: `${prefix(module)}.lora_A.weight`, ...f32(a) },
      { name: `${prefix(module)}.lora_B.weight`, ...f32(b) },
      { name: `${prefix(module)}.lora_magnitude_vector`, ...f32(magnitudes[i]!), shape: [OUT] },
    ]),
    { ...config, use_dora: true },
  );
  const turned = merged('F32').map((weight, i) => {
    const scaled = weight.clone();
    for (let o = 0; o < OUT; o++) scaled.mulRow(o, magnitudes[i]!.get(o, 0) / weight.getRowVector(o).norm());
    return scaled;
  });
  const asDora = await diff(good, write(join(folder, 'suspect'), turned, 'F32'), { adapter: dora });
  t.match(asDora.merge, { outcome: 'merged', modules: [{ strength: null }, { strength: null }] });
  t.match(
    (await diff(good, write(join(folder, 'suspect'), merged('F32'), 'F32'), { adapter: dora })).merge,
    { outcome: 'differs' },
    'without the magnitudes it is another model',
  );

  const vectors = [drawn(OUT, 1, 60, 0.1).add(1), drawn(1, IN, 61, 0.1).add(1)];
  const ia3 = adapterOf(
    'ia3',
    NAMES.map((module, i) => ({ name: `${prefix(module)}.ia3_l`, ...f32(vectors[i]!) })),
    { peft_type: 'IA3', target_modules: ['q_proj', 'down_proj'], feedforward_modules: ['down_proj'] },
  );
  const scaled = [base[0]!.clone().mulColumnVector(vectors[0]!), base[1]!.clone().mulRowVector(vectors[1]!)];
  t.match((await diff(good, write(join(folder, 'suspect'), scaled, 'F32'), { adapter: ia3 })).merge, {
    outcome: 'merged',
  });

  const flat = write(
    join(folder, 'flat'),
    base.map((weight) => weight.transpose()),
    'F32',
  );
  const flatMerged = merged('F32').map((weight) => weight.transpose());
  const adapter = writeAdapter(join(folder, 'adapter'), updates, { fan_in_fan_out: true });
  t.match((await diff(flat, write(join(folder, 'suspect'), flatMerged, 'F32'), { adapter })).merge, {
    outcome: 'merged',
  });
});
