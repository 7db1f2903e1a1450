// Two models held against each other.
import { truncateSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import t, { type Test } from 'tap';
import { diff, jsonSchema, profile, profileChunks, renderDiffJson, renderDiffText } from '../../src/index.ts';
import { add, flip, redirect, set, tune, write } from '../kit/mutations/edit.ts';
import { baseModel, type Model, writeModel } from '../kit/mutations/model.ts';
import { EMBEDDING, K, O, Q } from '../kit/mutations/mutation.ts';
import { steelyard } from '../kit/steelyard.ts';

function written(t: Test, change: (model: Model) => void): [good: string, suspect: string] {
  const folder = t.testdir({ good: {}, suspect: {} });
  const suspect = baseModel();
  change(suspect);
  writeModel(baseModel(), join(folder, 'good'));
  writeModel(suspect, join(folder, 'suspect'));
  return [join(folder, 'good'), join(folder, 'suspect')];
}

const diffOf = (t: Test, change: (model: Model) => void) => diff(...written(t, change));

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

t.test('the same report from every thread count and way of reading, and it keeps the schema', async (t) => {
  const [good, suspect] = written(t, (model) => {
    tune(model, 0.02);
    flip(model, Q, 101, 0x80);
  });
  const texts = await Promise.all(
    [{ threads: 1 }, { threads: 3 }, { io: 'pread' as const }].map(async (options) =>
      renderDiffJson(await diff(good, suspect, options)),
    ),
  );
  t.equal(texts[1], texts[0]);
  t.equal(texts[2], texts[0]);
  const check = new Ajv2020({ strict: false }).compile(jsonSchema('diff'));
  t.ok(check(JSON.parse(texts[0]!)), JSON.stringify(check.errors?.[0]));
});

t.test('a file that is written to after it was measured', async (t) => {
  const [good, suspect] = written(t, (model) => flip(model, Q, 100, 1));
  const file = 'model-00001-of-00002.safetensors';
  let time = 0;
  const report = await diff(good, suspect, {
    onProgress: ({ filesDone, filesTotal }) => {
      if (filesDone === filesTotal) utimesSync(join(suspect, file), ++time, time);
    },
  });
  t.match(report.errors, [{ code: 'FILE_CHANGED', file }]);
  t.match(report.tensors, [{ difference: null, reason: /could not be read/ }]);
  t.equal(report.complete, false);
});

t.test('rows have the names of their tokens, and the text obeys none of them', async (t) => {
  const vocab = { 'a\u202eb': 3, '\u001b[2J': 40, __proto__: 1 };
  const [good, suspect] = written(t, (model) => {
    redirect(model, EMBEDDING, 3, 40, 77);
    write(
      model,
      'tokenizer.json',
      JSON.stringify({ model: { vocab }, added_tokens: [{ id: 77, content: '::x' }] }),
    );
  });
  const report = await diff(good, suspect);
  const lines = report.tensors[0]!.difference!.rows!.largest;
  t.same(
    new Map(lines.map(({ index, token }) => [index, token])),
    new Map([
      [3, 'a\u202eb'],
      [40, '\u001b[2J'],
      [77, '::x'],
    ]),
  );
  const text = renderDiffText(report, { colour: false });
  for (const control of ['\u001b', '\u202e']) t.notOk(text.includes(control));
  t.match(text, 'u{202e}');
});

t.test(
  'with profiles the good model is not measured again, and a profile alone still says what changed',
  async (t) => {
    const [good, suspect] = written(t, (model) => redirect(model, EMBEDDING, 3));
    const goodProfile = await profile(good);
    t.same(await diff(good, suspect, { goodProfile }), await diff(good, suspect));
    const alone = await diff(goodProfile, suspect);
    t.equal(alone.outcome, 'changed');
    t.match(alone.tensors, [{ suspect: { name: EMBEDDING }, difference: null, reason: /only the profile/ }]);
    t.match(alone.conclusions, [{ kind: 'unexplained' }]);
    truncateSync(join(good, 'README.md'), 1);
    await t.rejects(diff(good, suspect, { goodProfile }), { code: 'INVALID_PROFILE', file: 'README.md' });
  },
);

t.test('an interrupted diff ends, and a file that cannot be read is no answer', async (t) => {
  const [good, suspect] = written(t, () => undefined);
  await t.rejects(diff(good, suspect, { signal: AbortSignal.abort() }), { code: 'ABORTED' });
  await t.rejects(diff(good, join(suspect, 'nowhere')), { code: 'NOT_FOUND' });
});

t.test('the command: exit codes, formats, and output that is whole', async (t) => {
  const [good, suspect] = written(t, (model) => flip(model, Q, 100, 1));
  const baseline = join(good, '..', 'llama.profile.json');
  writeFileSync(baseline, [...profileChunks(await profile(good))].join(''));
  const same = await steelyard(['diff', good, good]);
  t.match(same, { code: 0, stderr: '', stdout: /^The same/ });
  const changed = await steelyard(['diff', good, suspect]);
  t.match(changed, { code: 1, stdout: /^CHANGED, and not as honest[\s\S]*SINGLE-ELEMENTS[\s\S]*exit 1\n$/ });
  const json = await steelyard(['diff', baseline, suspect, '--format', 'json']);
  t.equal(json.code, 1);
  t.match(JSON.parse(json.stdout), { schema: 'steelyard/diff/1', outcome: 'changed' });
  const path = join(good, '..', 'diff.txt');
  const whole = await steelyard(['diff', good, suspect, '--good-profile', baseline, '-o', path]);
  t.match(whole, { code: 1, stdout: '', stderr: /changed; the report is in/ });
  t.match(await steelyard(['diff', good]), { code: 2, stderr: /USAGE/ });
});
