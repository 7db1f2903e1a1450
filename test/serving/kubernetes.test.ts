// Drift's exchanges with the Kubernetes API: the fake answers as a real server did, and pods are read, pulled and admitted through it.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Test, test } from 'tap';
import { packageRoot } from '../kit/root.ts';
import { type Api, type Exchange, exchange } from './kubernetes/exchanges.ts';
import { fakeApi, recorded } from './kubernetes/fake.ts';
import { realApi } from './kubernetes/real.ts';

const PROGRAM = process.env.STEELYARD_KUBE_APISERVER;

/** What differs from run to run: names that the server chose, its clock, and who managed which field. */
function steady(text: string): unknown {
  const VOLATILE = new Set([
    'uid',
    'resourceVersion',
    'continue',
    'creationTimestamp',
    'managedFields',
    'startTime',
  ]);
  return JSON.parse(text, (key, value) => (VOLATILE.has(key) ? undefined : value));
}

function assertSame(t: Test, actual: Record<string, Exchange>): void {
  const expected = recorded();
  t.same(Object.keys(actual), Object.keys(expected));
  for (const [name, { answer }] of Object.entries(actual)) {
    const was = expected[name]!.answer;
    t.equal(answer.status, was.status, `${name}: status`);
    t.equal(answer.type, was.type, `${name}: type`);
    t.same(steady(answer.body), steady(was.body), name);
  }
}

test('the fake answers as the recorded server did', async (t) =>
  assertSame(t, await exchange(await fakeApi(t))));

const skip =
  PROGRAM === undefined
    ? 'NOT RUN: no STEELYARD_KUBE_APISERVER (docs/drift.md says how to build one); the recorded answers were used'
    : false;

test('a real API server answers as it was recorded', { skip }, async (t) => {
  const api: Api = await realApi(t, PROGRAM!);
  const actual = await exchange(api);
  if (process.env.STEELYARD_UPDATE_GOLDEN === '1') {
    const file = join(packageRoot, 'fixtures', 'kubernetes', 'recorded.json');
    writeFileSync(file, `${JSON.stringify(actual, null, 1)}\n`);
  }
  assertSame(t, actual);
});
