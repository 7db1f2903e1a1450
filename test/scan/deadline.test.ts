// One deadline and one AbortSignal over everything that a scan does, not only over measuring.
import { copyFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { judge } from '../../src/baseline/policy/verdict.ts';
import { compare, parsePolicy, SteelyardError, scan } from '../../src/index.ts';
import { Deadline } from '../../src/runtime/deadline.ts';
import { inspect } from '../../src/scan/inspect/inspect.ts';
import { measureFiles } from '../../src/scan/measure/measure.ts';
import { listModel } from '../../src/scan/model/model.ts';
import { buildProfile } from '../../src/scan/profile/build.ts';
import { templatesOf } from '../../src/scan/profile/template/collect.ts';
import { packageRoot } from '../kit/root.ts';
import { steelyard } from '../kit/steelyard.ts';

const REAL = join(packageRoot, 'fixtures', 'real');
const POLICY = parsePolicy('schema: steelyard/policy/1\ntensors:\n  "*": {}\nfiles: ["**"]\n');

/** Counts calls, and throws at the one that is asked for. */
function counting(at = Number.POSITIVE_INFINITY) {
  const over = new Error('over');
  const counter = {
    calls: 0,
    over,
    check: (): void => {
      if (++counter.calls === at) throw over;
    },
  };
  return counter;
}

t.test('whenever the time is over, the stage ends there and nobody swallows it', async (t) => {
  const model = listModel([REAL], { follow: 'always' });
  const { files } = await measureFiles(model.files, {});
  const templates = files.map(templatesOf);
  const profile = buildProfile(files, templates);
  const stages: Record<string, (check: () => void) => unknown> = {
    list: (check) => listModel([REAL], { follow: 'always', check }),
    inspect: (check) =>
      inspect({ profile, files, templates, unread: new Set(), base: profile, forensics: true, check }),
    compare: (check) => compare(profile, profile, 'exact', check),
    judge: (check) => judge(profile, [], [], { policy: POLICY, today: '2026-01-01', check }),
  };
  for (const [name, stage] of Object.entries(stages)) {
    const whole = counting();
    await stage(whole.check);
    t.ok(whole.calls > 3, `${name} hears the time ${whole.calls} times`);
    for (let i = 0; i < 24; i++) {
      const at = 1 + Math.floor((i * 0.9 * whole.calls) / 24); // some calls depend on how long it takes
      const cut = counting(at);
      const thrown = await (async () => stage(cut.check))().catch((error) => error);
      if (thrown !== cut.over || cut.calls !== at)
        t.fail(`${name} went on after call ${cut.calls}: ${thrown}`);
    }
  }
});

t.test('templates that take long are left when the time is over, and the report says so', async (t) => {
  const folder = t.testdir({});
  copyFileSync(join(REAL, 'reference-f16.safetensors'), join(folder, 'model.safetensors'));
  // Each some seconds of work; twelve of them took forty seconds under a limit of two.
  for (let i = 0; i < 12; i++)
    writeFileSync(
      join(folder, `t${i}.jinja`),
      `{# ${i} #}${'{{ (a or b)[(a or b)[(a or b)[0]]] }}'.repeat(6500)}`,
    );
  const began = process.cpuUsage();
  const report = await scan(folder, { timeout: 0.3 });
  const { user, system } = process.cpuUsage(began);
  const [error] = report.errors;
  t.match(error, { code: 'LIMIT', file: '', message: /0.3 seconds for the scan were over/ });
  t.same([report.verdict.outcome, report.complete], ['error', false]);
  const failed = report.errors.filter(({ file }) => file !== '');
  t.equal(report.files.length + failed.length, 13, 'what was measured is reported, and what was not');
  t.comment(`ended after ${(user + system) / 1e6} s of CPU`);

  const ended = await steelyard(['scan', '--timeout', '0.3', folder]);
  t.match(
    ended.stdout,
    /LIMIT\n.*\n *the 0.3 seconds for the scan were over before everything was looked at/,
  );
  t.equal(ended.code, 2);

  const controller = new AbortController();
  setTimeout(() => controller.abort(), 100);
  await t.rejects(scan(folder, { signal: controller.signal }), { code: 'ABORTED' });
});

t.test('what was found before the time was over counts: a definite no stays one', async (t) => {
  const folder = t.testdir({ 'bad.safetensors': 'x'.repeat(100) });
  for (let i = 0; i < 8; i++)
    writeFileSync(join(folder, `t${i}.jinja`), `{# ${i} #}${'{{ (a or b)[(a or b)[0]] }}'.repeat(9000)}`);
  let report = await scan(folder, { timeout: 0.2 });
  // A busy machine does not even open the file within that.
  for (
    let timeout = 0.4;
    timeout < 60 && !report.files.some(({ path }) => path === 'bad.safetensors');
    timeout *= 2
  )
    report = await scan(folder, { timeout });
  t.equal(report.verdict.outcome, 'fail');
  t.match(report.errors[0], { code: 'LIMIT', file: '' });
});

t.test('a clock that ran out is heard without a turn of the event loop', (t) => {
  const deadline = new Deadline({ timeout: 0.01 }, 'scan');
  deadline.check();
  for (const end = performance.now() + 20; performance.now() < end; );
  t.throws(deadline.check, { code: 'LIMIT' });
  t.ok(deadline.signal.aborted, 'and whoever listens hears it');
  deadline.end();
  const controller = new AbortController();
  const other = new Deadline({ signal: controller.signal }, 'scan');
  controller.abort();
  t.throws(other.check, { code: 'ABORTED' });
  t.notOk(other.isOver(new SteelyardError('ABORTED', '')), 'not by time');
  other.end();
  t.end();
});
