// Two models held against each other.
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { diff } from '../src/diff.ts';
import { add, flip, redirect, set } from './mutations/edit.ts';
import { baseModel, type Model, writeModel } from './mutations/model.ts';
import { EMBEDDING, K, O, Q } from './mutations/mutation.ts';

async function diffOf(t: Test, change: (model: Model) => void) {
  const folder = t.testdir({ good: {}, suspect: {} });
  const suspect = baseModel();
  change(suspect);
  writeModel(baseModel(), join(folder, 'good'));
  writeModel(suspect, join(folder, 'suspect'));
  return diff(join(folder, 'good'), join(folder, 'suspect'));
}

t.test('the same', async (t) => {
  const report = await diffOf(t, () => undefined);
  t.match(report, { outcome: 'same', complete: true, identical: 39, tensors: [], structure: [], files: [] });
});

t.test('what changed, and where', async (t) => {
  const Z = 'model.layers.2.self_attn.z_proj.weight';
  const report = await diffOf(t, (model) => {
    redirect(model, EMBEDDING, 3, 40, 77);
    flip(model, Q, 100, 1);
    add(model, Z, O);
    set(model, K, { name: 'k' });
  });
  t.equal(report.outcome, 'changed');
  t.same(
    report.structure.map(({ kind, good, suspect }) => [kind, good?.name, suspect?.name]),
    [
      ['added', undefined, Z],
      ['renamed', K, 'k'],
    ],
  );
  t.equal(report.identical, 36);
  const [rows, bit] = report.tensors;
  t.equal(rows?.suspect.name, EMBEDDING);
  t.match(rows?.difference?.rows, { count: 96, changed: 3, keptNorm: 3, unused: 0 });
  t.same(rows?.difference?.rows?.largest.map(({ index }) => index).sort(), [3, 40, 77]);
  t.match(rows?.difference?.spectrum, { method: 'exact', values: { length: 3 } });
  t.equal(bit?.suspect.name, Q);
  t.match(bit?.difference, { changed: 1, rows: { changed: 1 }, columns: { changed: 1 } });
  t.match(bit?.difference?.elements, [{ index: [0, 50], goodBits: 'bcf6', suspectBits: 'bcf7' }]);
  t.same(bit?.difference?.bits, [1, ...new Array(15).fill(0)]);
});
