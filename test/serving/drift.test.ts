// Drift: each state has its server, and each guard its fleet.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { type Test, test } from 'tap';
import type { Release } from '../../src/serving/drift/allowed-release.ts';
import { decide, pullLimit, type Seen } from '../../src/serving/drift/decision.ts';
import {
  allowedOn,
  driftLine,
  driftRound,
  readDriftLine,
  readTargets,
} from '../../src/serving/drift/drift.ts';
import type { TargetRecord } from '../../src/serving/drift/record.ts';
import { STATES, type State } from '../../src/serving/drift/state.ts';
import type { PodFacts, Target } from '../../src/serving/drift/target.ts';
import { hex } from '../kit/specimen/forgery.ts';
import { steelyard } from '../kit/steelyard.ts';
import { freePort, release, until } from './release.ts';
import { headersFor, OTHER, options, proven, type Says, target } from './target.ts';

const ADAPTER = { name: 'org/lora', digest: `sha256:${hex('lora')}` };
const IMAGE = `sha256:${hex('image')}`;

const POD: PodFacts = {
  namespace: 'serving',
  name: 'chat-a',
  uid: '1',
  imageId: `registry.example/server@${IMAGE}`,
  way: 'readiness',
  out: false,
  waiting: false,
};

async function looked(
  t: Test,
  says: Says,
  allowed: readonly Release[],
  pod?: Partial<PodFacts>,
): Promise<TargetRecord> {
  const url = await target(t, says);
  const one: Target = { name: 'one', url, pod: pod === undefined ? null : { ...POD, ...pod } };
  const record = await driftRound([one], options(t, allowed));
  t.same(readDriftLine(driftLine(record), 'line 1'), record, 'the record keeps its own schema');
  return record.targets[0]!;
}

interface Case {
  readonly state: State;
  readonly says: (good: Record<string, string>) => Says;
  readonly pod?: Partial<PodFacts>;
  readonly adapter?: true;
}

const LORA = { id: 0, path: '/models/sub/notes.txt', scale: 1 };
const vllm = (...adapters: object[]) => ({
  '/v1/models': { data: [{ id: 'base', parent: null }, ...adapters] },
});
const show = (...blobs: string[]) => ({
  '/api/ps': { models: [{ name: 'chat', digest: 'x' }] },
  '/api/show': {
    modelfile: blobs.map((one) => `FROM /usr/share/ollama/.ollama/models/blobs/sha256-${one}`).join('\n'),
  },
});

const CASES: Readonly<Record<string, Case>> = {
  'the headers name the release': { state: 'ok', says: (headers) => ({ headers }) },
  'an error that carries the headers is an answer': {
    state: 'ok',
    says: (headers) => ({ headers, status: 500 }),
  },
  'no headers': { state: 'missing-header', says: () => ({}) },
  'no x-bom-id': {
    state: 'missing-header',
    says: (headers) => ({ headers: { 'x-model-sha': headers['x-model-sha']! } }),
  },
  'the header says unknown': {
    state: 'unknown-sha',
    says: () => ({ status: 503, headers: { 'x-model-sha': 'unknown', 'x-bom-id': 'unknown' } }),
  },
  'another model': {
    state: 'unknown-sha',
    says: (headers) => ({ headers: { ...headers, 'x-model-sha': OTHER } }),
  },
  'two values of one header': {
    state: 'unknown-sha',
    says: (headers) => ({ headers: { ...headers, 'x-model-sha': [headers['x-model-sha']!, OTHER] } }),
  },
  'another MBOM of the same model': {
    state: 'bom-mismatch',
    says: (headers) => ({ headers: { ...headers, 'x-bom-id': OTHER } }),
  },
  'an adapter that nobody declared, in the header': {
    state: 'adapter-mismatch',
    says: (headers) => ({ headers: { ...headers, 'x-adapter-sha': OTHER } }),
  },
  'an adapter that nobody declared, in llama.cpp': {
    state: 'adapter-mismatch',
    says: (headers) => ({ headers, paths: { '/lora-adapters': [LORA] } }),
  },
  'an adapter that is switched off is loaded too': {
    state: 'adapter-mismatch',
    says: (headers) => ({ headers, paths: { '/lora-adapters': [{ ...LORA, scale: 0 }] } }),
  },
  'no adapter in llama.cpp': {
    state: 'ok',
    says: (headers) => ({ headers, paths: { '/lora-adapters': [] } }),
  },
  'an adapter that nobody declared, in vLLM': {
    state: 'adapter-mismatch',
    says: (headers) => ({ headers, paths: vllm({ id: 'evil', root: '/tmp/evil', parent: 'base' }) }),
  },
  'no adapter in vLLM': { state: 'ok', says: (headers) => ({ headers, paths: vllm() }) },
  'a server whose models have no parent tells nothing of adapters': {
    state: 'ok',
    says: (headers) => ({ headers, paths: { '/v1/models': { data: [{ id: 'base' }] } } }),
  },
  'an endpoint that asks for a key': {
    state: 'inconclusive',
    says: (headers) => ({ headers, paths: { '/v1/models': { $status: 401 } } }),
  },
  'the declared adapter, by its path': {
    state: 'ok',
    adapter: true,
    says: (headers) => ({ headers, paths: { '/lora-adapters': [LORA] } }),
  },
  'the declared adapter, switched off': {
    state: 'adapter-mismatch',
    adapter: true,
    says: (headers) => ({ headers, paths: { '/lora-adapters': [{ ...LORA, scale: 0 }] } }),
  },
  'the declared adapter is not loaded': {
    state: 'adapter-mismatch',
    adapter: true,
    says: (headers) => ({ headers, paths: { '/lora-adapters': [] } }),
  },
  'the declared adapter and a second one': {
    state: 'adapter-mismatch',
    adapter: true,
    says: (headers) => ({ headers, paths: { '/lora-adapters': [LORA, { ...LORA, id: 1 }] } }),
  },
  'the header misses the adapter': {
    state: 'adapter-mismatch',
    adapter: true,
    says: ({ 'x-adapter-sha': _, ...headers }) => ({ headers: headers as Record<string, string> }),
  },
  'Ollama has loaded a file of the release': {
    state: 'ok',
    says: (headers) => ({ headers, paths: show(hex('{}')) }),
  },
  'Ollama has loaded something else': {
    state: 'adapter-mismatch',
    says: (headers) => ({ headers, paths: show(hex('{}'), hex('evil')) }),
  },
  'Ollama does not say what it has loaded': {
    state: 'inconclusive',
    says: (headers) => ({ headers, paths: { '/api/ps': { models: [{ name: 'chat' }] } } }),
  },
  'the declared image': { state: 'ok', says: (headers) => ({ headers }), pod: {} },
  'another image': {
    state: 'image-mismatch',
    says: (headers) => ({ headers }),
    pod: { imageId: `docker-pullable://registry.example/server@${OTHER}` },
  },
  'an image without a registry': {
    state: 'inconclusive',
    says: (headers) => ({ headers }),
    pod: { imageId: IMAGE },
  },
  'a proxy with nothing behind it': { state: 'unreachable', says: () => ({ status: 502 }) },
};

for (const [name, { state, says, pod, adapter }] of Object.entries(CASES)) {
  test(`${state}: ${name}`, async (t) => {
    const model = proven(
      await release(t, {
        runtimeImage: `registry.example/server@${IMAGE}`,
        ...(adapter ? { adapter: ADAPTER } : {}),
      }),
    );
    const record = await looked(t, says(headersFor(model)), [model], pod);
    t.equal(record.state, state, JSON.stringify(record.witnesses));
  });
}

test('every state has its case', (t) => {
  const shown = new Set<State>([
    ...Object.values(CASES).map(({ state }) => state),
    'timeout',
    'behaviour-mismatch',
  ]);
  t.same(
    STATES.filter((state) => !shown.has(state)),
    [],
  );
  t.end();
});

test('nobody listens: no verdict, and nothing is done', async (t) => {
  const model = proven(await release(t));
  const one = { name: 'one', url: `http://127.0.0.1:${await freePort()}`, pod: POD };
  const { targets, exitCode } = await driftRound([one], options(t, [model], { rotation: forbidden(t) }));
  t.match(targets[0], { state: 'unreachable', action: 'none', witnesses: [{ message: 'ECONNREFUSED' }] });
  t.equal(exitCode, 2);
});

test('nobody answers in time: no verdict', async (t) => {
  const model = proven(await release(t));
  const url = await target(t, { silent: true });
  const set = options(t, [model], { rotation: forbidden(t) });
  const hurried = { ...set.client, ask: (to: string) => set.client.ask(to, { milliseconds: 100 }) };
  const { targets, exitCode } = await driftRound([{ name: 'one', url, pod: POD }], {
    ...set,
    client: hurried,
  });
  t.match(targets[0], { state: 'timeout', action: 'none' });
  t.equal(exitCode, 2);
});

test('no target is no verdict', async (t) => {
  const model = proven(await release(t));
  t.equal((await driftRound([], options(t, [model]))).exitCode, 2);
});

/** A rotation that must not be used. */
function forbidden(t: Test) {
  const fail = async (): Promise<void> => {
    t.fail('nothing may be done');
  };
  return { pull: fail, admit: fail };
}

test('redirects are not followed, answers have an end, and probes are marked', async (t) => {
  const model = proven(await release(t));
  const away: Says = { status: 302, headers: { location: 'http://127.0.0.1:1/' }, seen: [] };
  t.equal((await looked(t, away, [model])).state, 'missing-header');
  t.equal(away.seen![0]!['x-steelyard-probe'], 'drift');
  const large = { headers: headersFor(model), paths: { '/v1/models': 'x'.repeat(5 * 2 ** 20) } };
  t.equal((await looked(t, large, [model])).state, 'unreachable');
});

test('states that rest on headers alone are looked at again', async (t) => {
  const model = proven(await release(t));
  let count = 0;
  const says: Says = { headers: { 'x-model-sha': OTHER, 'x-bom-id': OTHER } };
  const url = await target(t, says);
  const one = { name: 'one', url, pod: POD };
  const others = await Promise.all(
    ['b', 'c'].map(async (name) => ({
      name,
      url: await target(t, { headers: headersFor(model) }),
      pod: { ...POD, name },
    })),
  );
  const run = (pause: () => void) =>
    driftRound([one, ...others], options(t, [model], { pause: async () => pause(), confirm: 3 }));
  const steady = await run(() => count++);
  t.match(steady.targets[0], { state: 'unknown-sha', looks: 3, action: 'would-pull' });
  t.equal(count, 2);
  const flapping = await run(() => {
    says.headers = headersFor(model);
  });
  t.match(flapping.targets[0], { state: 'unknown-sha', looks: 2, action: 'kept', because: /disagreed/ });
  t.equal(flapping.exitCode, 1, 'it has drifted all the same');
});

test('a rollout allows two releases until a day', async (t) => {
  const [current, previous] = [proven(await release(t)), proven(await release(t, { name: 'before' }))];
  const rollout = { current, previous: { release: previous, until: '2026-12-01' } };
  t.same(allowedOn(rollout, '2026-12-01'), [current, previous]);
  t.same(allowedOn(rollout, '2026-12-02'), [current]);
  t.same(allowedOn({ current }, '2026-12-01'), [current]);
  const says = { headers: headersFor(previous) };
  t.match(await looked(t, says, [current, previous]), { state: 'ok', release: previous.bomId });
  t.equal((await looked(t, says, [current])).state, 'bom-mismatch');
  const mixed = { headers: { ...headersFor(current), 'x-bom-id': OTHER } };
  t.equal((await looked(t, mixed, [current, previous])).state, 'bom-mismatch');
});

const seen = (
  state: State,
  more: Partial<Omit<Seen, 'pod'>> & { pod?: Partial<PodFacts> | null } = {},
  name = 'p',
): Seen => ({
  name,
  look: {
    state,
    claim: { modelSha: null, bomId: null, adapterSha: null },
    release: null,
    witnesses: [],
    answered: state !== 'unreachable' && state !== 'timeout',
    ...more.look,
  },
  confirmed: more.confirmed ?? true,
  pod: more.pod === null ? null : { ...POD, ...more.pod },
});
const actions = (fleet: readonly Seen[], max = 10): string[] =>
  decide(
    fleet.map((one) => ({ ...one })),
    max,
  ).decisions.map(({ action }) => action);

test('guards', (t) => {
  const ok = seen('ok');
  const bad = seen('unknown-sha');
  t.same(actions([ok, bad]), ['none', 'pull'], 'half is not more than half');
  t.same(actions([bad]), ['kept'], 'one of one: the service would be empty');
  t.same(decide([bad, bad, ok], 10).stopped, true);
  t.same(actions([bad, bad, ok]), ['kept', 'kept', 'none'], 'the MBOM is late');
  t.same(
    actions([bad, bad, ...Array(10).fill(seen('unreachable'))]).slice(0, 2),
    ['kept', 'kept'],
    'of those that answered',
  );
  t.same(actions([ok, ok, ok, bad, bad], 1), ['none', 'none', 'none', 'pull', 'kept'], 'the limit');
  const out = seen('unknown-sha', { pod: { out: true } });
  t.same(
    actions([ok, ok, ok, ok, out, bad], 1),
    ['none', 'none', 'none', 'none', 'kept', 'kept'],
    'earlier rounds count',
  );
  t.same(actions([ok, ok, ok, ok, bad], 0).at(-1), 'kept', 'none may be pulled');
  const grave = seen('behaviour-mismatch');
  t.same(actions([ok, ok, ok, bad, grave], 1), ['none', 'none', 'none', 'kept', 'pull'], 'the gravest first');
  t.same(actions([ok, ok, seen('unknown-sha', { confirmed: false })]), ['none', 'none', 'kept']);
  t.same(actions([ok, ok, seen('adapter-mismatch', { confirmed: false })]), ['none', 'none', 'pull']);
  t.same(
    actions([
      ok,
      ok,
      seen('image-mismatch', { look: { ...bad.look, state: 'image-mismatch', answered: false } }),
    ]),
    ['none', 'none', 'kept'],
  );
  t.same(actions([ok, ok, seen('unknown-sha', { pod: null })]), ['none', 'none', 'kept'], 'an address');
  t.same(actions([ok, ok, seen('unknown-sha', { pod: { way: null } })]), ['none', 'none', 'kept']);
  for (const state of ['unreachable', 'timeout', 'inconclusive'] as const)
    t.same(
      actions([ok, seen(state), seen(state, { pod: { waiting: true } })]),
      ['none', 'none', 'none'],
      state,
    );
  t.same(actions([seen('ok', { pod: { waiting: true } })]), ['admit']);
  t.same(actions([seen('ok', { pod: { out: true } })]), ['kept'], 'a person puts it back');
  t.equal(pullLimit({ percent: 25 }, 3), 1);
  t.equal(pullLimit({ percent: 25 }, 9), 2);
  t.equal(pullLimit({ count: 0 }, 9), 0);
  t.end();
});

test('whatever the fleet, half of it stays and what did not answer is left alone', (t) => {
  const one = fc.record({
    state: fc.constantFrom(...STATES),
    confirmed: fc.boolean(),
    out: fc.boolean(),
    waiting: fc.boolean(),
  });
  fc.assert(
    fc.property(fc.array(one, { maxLength: 12 }), fc.nat(4), (states, max) => {
      const fleet = states.map(({ state, confirmed, ...pod }, i) => seen(state, { confirmed, pod }, `p${i}`));
      const { decisions } = decide(fleet, max);
      const pulled = fleet.filter((_, i) => decisions[i]!.action === 'pull');
      const wasOut = fleet.filter(({ pod }) => pod!.out).length;
      const judged = fleet.filter(
        ({ look }) => !['unreachable', 'timeout', 'inconclusive'].includes(look.state),
      );
      return (
        pulled.every(
          ({ look }) => look.answered && judged.some((j) => j.look === look) && look.state !== 'ok',
        ) &&
        pulled.length <= Math.max(0, max - wasOut) &&
        pulled.length * 2 <= judged.length &&
        fleet.every(({ pod }, i) => !pod!.out || !['pull', 'admit'].includes(decisions[i]!.action))
      );
    }),
    { numRuns: 10_000 },
  );
  t.end();
});

test('a list of targets is read strictly', (t) => {
  const read = (text: string, insecure = false): unknown => readTargets(text, 'list', insecure);
  t.same(read('# all\nhttps://a.example/  # one\nb http://127.0.0.1:1/base/\n\nhttp://[::1]:2'), [
    { name: 'https://a.example/', url: 'https://a.example', pod: null },
    { name: 'b', url: 'http://127.0.0.1:1/base', pod: null },
    { name: 'http://[::1]:2', url: 'http://[::1]:2', pod: null },
  ]);
  t.match(read('http://a.example', true), [{ url: 'http://a.example' }]);
  for (const [text, message] of [
    ['http://a.example', /list:1: http: needs --insecure/],
    ['http://127.0.0.1.evil.example', /insecure/],
    ['\n\nftp://a', /list:3: only https/],
    ['https://u:p@a', /no user/],
    ['https://a?q', /no query/],
    ['a b c', /an address/],
    ['nonsense', /not a URL/],
    ['https://a\nhttps://a', /twice/],
    ['https://a\n'.repeat(10_001), /more than/],
  ] as const)
    t.throws(() => read(text), { message }, text.slice(0, 40));
  t.end();
});

test('no answer of a target breaks a look', async (t) => {
  const model = proven(await release(t));
  const says: Says & { paths: Record<string, unknown> } = { headers: headersFor(model), paths: {} };
  const url = await target(t, says);
  const set = options(t, [model]);
  const odd = fc.oneof(
    fc.json(),
    fc.constantFrom(
      '[null]',
      '{"data":[null,{"parent":1}]}',
      '{"models":[3]}',
      '{"data":{}}',
      '[{"path":{}}]',
      '',
    ),
  );
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom('/lora-adapters', '/v1/models', '/api/ps', '/api/show'),
      odd,
      async (path, text) => {
        says.paths = { '/api/ps': { models: [{ name: 'x' }] }, [path]: text };
        const { targets } = await driftRound([{ name: 'one', url, pod: null }], set);
        return ['ok', 'adapter-mismatch', 'inconclusive'].includes(targets[0]!.state);
      },
    ),
    { numRuns: 1000 },
  );
});

test('log lines of proxies are read, and what is none is refused with its place', (t) => {
  const line = {
    schema: 'steelyard/drift/1',
    kind: 'request',
    at: '2026-11-30T12:00:00+00:00',
    pod: 'p',
    request: 'r',
  };
  for (const adapterSha of ['-', '', null])
    t.match(
      readDriftLine(JSON.stringify({ ...line, status: 200, modelSha: OTHER, bomId: OTHER, adapterSha }), 'l'),
      {
        kind: 'request',
      },
    );
  t.throws(() => readDriftLine(JSON.stringify({ ...line, status: 'x' }), 'log:7'), {
    code: 'INVALID_DOCUMENT',
    message: /^log:7:1:\d+: status/,
  });
  t.throws(() => readDriftLine(JSON.stringify({ ...line, status: 200, more: 1 }), 'l'), { message: /more/ });
  t.end();
});

test('no text breaks the readers of lines and lists', async (t) => {
  const model = proven(await release(t));
  const url = await target(t, { headers: headersFor(model) });
  const record = await driftRound([{ name: 'one', url, pod: null }], options(t, [model]));
  const request = {
    schema: 'steelyard/drift/1',
    kind: 'request',
    at: '2026-11-30T12:00:00Z',
    pod: 'p',
    request: 'r',
  };
  const lines = [driftLine(record), JSON.stringify({ ...request, status: 200, modelSha: OTHER })];
  const list = '# all\nhttps://a.example/x\nb http://127.0.0.1:1\n';
  const edit = fc.tuple(
    fc.nat(900),
    fc.nat(30),
    fc.constantFrom(
      '',
      '"',
      '{',
      '[',
      ',',
      ':',
      '\n',
      ' ',
      '#',
      '@',
      '//',
      '\u0000',
      '\ud800',
      'null',
      '1e999',
    ),
  );
  const edits = fc.array(edit, { minLength: 1, maxLength: 4 });
  const changed = (text: string, all: readonly (readonly [number, number, string])[]): string =>
    all.reduce(
      (one, [at, gone, put]) => one.slice(0, at % text.length) + put + one.slice((at % text.length) + gone),
      text,
    );
  const refusedOnly = (code: string, read: () => unknown): boolean => {
    try {
      read();
      return true;
    } catch (error) {
      return (error as { code?: string }).code === code;
    }
  };
  fc.assert(
    fc.property(
      fc.constantFrom(...lines),
      edits,
      (line, all) =>
        refusedOnly('INVALID_DOCUMENT', () => readDriftLine(changed(line, all), 'l')) &&
        refusedOnly('USAGE', () => readTargets(changed(list, all), 'list', false)),
    ),
    { numRuns: Number(process.env.STEELYARD_FUZZ_RUNS ?? 10_000) },
  );
});

test('the command: exit codes, history, metrics', async (t) => {
  const model = await release(t);
  const headers = headersFor(proven(model));
  const good = await target(t, { headers });
  const at = (name: string): string => join(model.folder, name);
  const drift = (list: string, ...more: string[]) => {
    writeFileSync(at('targets.txt'), list);
    const args = ['--bom', model.mbom, '--public-key', model.publicKey, '--targets', at('targets.txt')];
    return steelyard(['drift', ...args, ...more]);
  };
  const fine = await drift(`one ${good}\n`, '--history', at('h.jsonl'), '--metrics', at('m.prom'));
  t.equal(fine.code, 0, fine.stderr);
  t.match(fine.stdout, /^ok +one$/m);
  t.match(fine.stdout, /adapters not looked at: /, 'what was not looked at is said');
  t.match(fine.stdout, /NO DRIFT {3}exit 0/);
  const bad = await target(t, {
    headers: { ...headers, 'x-model-sha': `\u001b[31m${'x'.repeat(300)}` },
  }).catch(() => null);
  t.ok(bad);
  const lying = await target(t, { headers: { 'x-model-sha': OTHER, 'x-bom-id': OTHER } });
  const gone = `http://127.0.0.1:${await freePort()}`;
  const drifted = await drift(
    `one ${good}\ntwo ${lying}\nthree ${gone}\n`,
    '--history',
    at('h.jsonl'),
    '--format',
    'json',
  );
  t.equal(drifted.code, 1, 'a definite no beats an error');
  t.match(JSON.parse(drifted.stdout), {
    kind: 'round',
    exitCode: 1,
    targets: [{}, { state: 'unknown-sha', looks: 2 }, {}],
  });
  t.equal((await drift(`one ${good}\nthree ${gone}\n`)).code, 2, 'an error beats a pass');
  t.equal((await drift('# none\n')).code, 2, 'nothing to look at');
  const lines = readFileSync(at('h.jsonl'), 'utf8').trim().split('\n');
  t.same(
    lines.map((line, i) => readDriftLine(line, `h:${i}`)).map((one) => one.kind),
    ['round', 'round'],
  );
  const metrics = readFileSync(at('m.prom'), 'utf8');
  t.match(metrics, /^steelyard_target_state\{target="one",state="ok"\} 1$/m);
  t.match(metrics, /^steelyard_drift_last_verdict_timestamp_seconds 1\d{9}$/m);
  for (const [more, message] of [
    [['--act'], /--act needs --kubernetes/],
    [['--kubernetes', 'a/b'], /one of --targets and --kubernetes/],
    [['--once', '--watch', '5s'], /exclude/],
    [['--watch', '5x'], /60s or 5m/],
    [['--max-pulled', '101%'], /percentage/],
    [['--previous', model.mbom], /--until go together/],
    [['--previous', model.mbom, '--until', '2026-02-30'], /no day/],
    [['--path', 'healthz'], /begin with a slash/],
    [['--token-env', 'NOT_SET_ANYWHERE'], /no token/],
  ] as const) {
    const { code, stderr } = await drift(`one ${good}\n`, ...more);
    t.equal(code, 2, more.join(' '));
    t.match(stderr, message);
  }
  const unsigned = await drift(`one ${good}\n`, '--signature', at('none.json'));
  t.equal(unsigned.code, 1);
  t.match(unsigned.stdout, /^REFUSED {2}UNSIGNED/m);
});

test('Ctrl-C between two looks ends it in good order', async (t) => {
  const model = await release(t);
  const seen: Says['seen'] = [];
  writeFileSync(join(model.folder, 'targets.txt'), `one ${await target(t, { seen })}\n`);
  const args = [
    '--bom',
    model.mbom,
    '--public-key',
    model.publicKey,
    '--targets',
    join(model.folder, 'targets.txt'),
  ];
  const { code, stderr } = await steelyard(['drift', ...args], {}, async (child) => {
    await until(
      async () => seen.length,
      (count) => count > 0,
    );
    child.kill('SIGINT');
  });
  t.equal(code, 130);
  t.equal(stderr, 'steelyard: interrupted, nothing was written\n');
});

test('a daemon looks again and again, tells its metrics and ends when it is told to', async (t) => {
  const model = await release(t);
  const says: Says = { headers: headersFor(proven(model)) };
  writeFileSync(join(model.folder, 'targets.txt'), `one ${await target(t, says)}\n`);
  const port = await freePort();
  const address = `127.0.0.1:${port}`;
  const args = [
    '--bom',
    model.mbom,
    '--public-key',
    model.publicKey,
    '--targets',
    join(model.folder, 'targets.txt'),
  ];
  const watch = ['--watch', '1s', '--metrics-listen', address, '--format', 'json'];
  let rounds = 0;
  let metrics = '';
  const { code, stdout } = await steelyard(['drift', ...args, ...watch], {}, (child) => {
    child.stdout!.on('data', async () => {
      rounds++;
      if (rounds === 1) says.headers = {};
      if (rounds < 2) return;
      metrics ||= await (await fetch(`http://${address}/metrics`)).text();
      child.kill('SIGTERM');
    });
  });
  t.equal(code, 143);
  const records = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { exitCode: number });
  t.same(
    records.slice(0, 2).map(({ exitCode }) => exitCode),
    [0, 1],
  );
  t.match(metrics, /^steelyard_drift_rounds_total\{result="drift"\} 1$/m);
  t.match(metrics, /^steelyard_target_state\{target="one",state="missing-header"\} 1$/m);
});
