// Many adapters against many: verdicts, adjusted p-values, exit codes, and what so many questions cost.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { rankSuspects, renderPopulationText } from '../../src/diff/index.ts';
import { drawn, writeAdapter } from '../kit/specimen/adapter-specimen.ts';
import { MAIN, run } from '../kit/steelyard.ts';

const BASE = { base_model_name_or_path: 'm' };
const MODULES = ['layers.0.q_proj', 'layers.0.v_proj', 'layers.1.q_proj', 'layers.1.v_proj'];

/** `odd`: one module is led by one direction. */
function write(folder: string, seed: number, odd = false, config: object = BASE): string {
  const updates = MODULES.map((module, i) => {
    const [a, b] = [drawn(4, 16, seed + i), drawn(12, 4, seed + 50 + i)];
    if (odd && i === 2) for (let row = 0; row < b.rows; row++) b.set(row, 0, 60 * b.get(row, 0));
    return { module, a, b };
  });
  return writeAdapter(folder, updates, config);
}

t.test('odd ones among even ones, by p-values that are adjusted', async (t) => {
  const folder = t.testdir({});
  const good = Array.from({ length: 59 }, (_, i) => write(join(folder, 'good', `g${i}`), 1000 + 100 * i));
  const asked = [
    write(join(folder, 'asked', 'even'), 91_000),
    write(join(folder, 'asked', 'odd'), 92_000, true),
    write(join(folder, 'asked', 'copy'), 1000),
  ];
  const report = await rankSuspects(good, asked);
  t.match(report, { schema: 'steelyard/population/1', outcome: 'odd', good: 59, leastAdjusted: 2 / 60 });
  const [even, odd, copy] = report.suspects;
  t.match(odd, { name: 'odd', verdict: 'odd', rank: 1, pValue: 1 / 60, adjusted: 2 / 60 });
  t.match(even, { name: 'even', verdict: 'even' });
  t.equal(even!.adjusted, even!.pValue, 'the larger of two p-values is its own');
  t.match(copy, { verdict: 'known', pValue: null, reason: 'it is "g0", byte for byte' });
  const text = renderPopulationText(report, { colour: false });
  t.match(text, /^ODD: 1 suspect of 3, which is no proof/);
  t.match(text, /odd +odd: rank 1 of 60, 1 the oddest; p = 0.0167, 0.0333 adjusted\n +even/);

  const cli = async (...args: string[]) => run([process.execPath, MAIN, 'diff', ...args]);
  const told = await cli('--population', join(folder, 'good'), '--suspects', ...asked);
  t.equal(told.stdout, text);
  t.equal(told.code, 1);
  const calm = await cli('--population', ...good, '--suspects', asked[0]!, '--format', 'json');
  t.equal(calm.code, 0);
  t.match(JSON.parse(calm.stdout), { outcome: 'even', suspects: [{ name: 'even', verdict: 'even' }] });
});

t.test('what cannot be judged is no pass', async (t) => {
  const folder = t.testdir({});
  const good = Array.from({ length: 20 }, (_, i) => write(join(folder, `g${i}`), 1000 + 100 * i));
  const asked = write(join(folder, 'asked'), 91_000);
  const few = await rankSuspects(good.slice(0, 19), [asked]);
  t.match(few, { outcome: 'error', suspects: [{ verdict: 'not judged', reason: /too few for a p-value/ }] });
  t.match(renderPopulationText(few, { colour: false }), /^NO ANSWER/);
  const other = write(join(folder, 'other'), 7, false, { base_model_name_or_path: 'n' });
  t.match(await rankSuspects(good, [other]), { suspects: [{ verdict: 'not judged', reason: /base model/ }] });
  writeFileSync(join(folder, 'g3', 'adapter_model.safetensors'), 'no weights');
  t.match(await rankSuspects(good, [asked]), {
    outcome: 'error',
    suspects: [{ verdict: 'not judged', reason: /"g3" cannot be compared/ }],
  });
  const many = await rankSuspects(
    good.toSpliced(3, 1),
    Array.from({ length: 3 }, () => asked),
  );
  t.match(many.leastAdjusted, null, '19 are too few');
  await t.rejects(rankSuspects([], [asked]), { code: 'USAGE' });
  await t.rejects(rankSuspects([join(folder, 'nothing')], [asked]), { code: 'NOT_FOUND' });
  const cli = async (...args: string[]) => run([process.execPath, MAIN, 'diff', ...args]);
  t.match(await cli('--suspects', asked), { code: 2, stderr: /goes with --population/ });
  t.match(await cli(asked, '--population', folder, '--suspects', asked), { code: 2 });
  t.match(await cli(asked), { code: 2, stderr: /a good model and a suspect/ });
});

t.test('of so many suspects one alone cannot be told, and that is said', async (t) => {
  const folder = t.testdir({});
  const good = Array.from({ length: 24 }, (_, i) => write(join(folder, 'g', `${i}`), 1000 + 100 * i));
  const asked = Array.from({ length: 5 }, (_, i) =>
    write(join(folder, 's', `${i}`), 91_000 + 100 * i, i === 0),
  );
  const report = await rankSuspects(good, asked);
  t.match(report, { outcome: 'even', leastAdjusted: 0.2 });
  t.match(report.suspects[0], { rank: 1, pValue: 0.04, adjusted: 0.2 });
  t.match(
    renderPopulationText(report, { colour: false }),
    /With 24 known-good adapters p is never below 0.04, and for so many suspects at once\nat least 4 must be that odd/,
  );
});
