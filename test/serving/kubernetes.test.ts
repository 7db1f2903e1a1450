// Drift's exchanges with the Kubernetes API: the fake answers as a real server did, and pods are read, pulled and admitted through it.
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { type Test, test } from 'tap';
import { parseAllDocuments } from 'yaml';
import {
  clientOf,
  driftRound,
  kubeconfig,
  podsOf,
  type RoundOptions,
  type RoundRecord,
  serviceAccount,
} from '../../src/serving/drift/drift.ts';
import { targetOf } from '../../src/serving/drift/kubernetes/pods.ts';
import type { Target } from '../../src/serving/drift/target.ts';
import { packageRoot } from '../kit/root.ts';
import { without } from '../kit/runner/engine.ts';
import type { Anything } from '../kit/specimen/forgery.ts';
import { MAIN, run } from '../kit/steelyard.ts';
import { type Api, type Exchange, exchange, IMAGE, ROLE } from './kubernetes/exchanges.ts';
import { fakeApi, recorded } from './kubernetes/fake.ts';
import { realApi } from './kubernetes/real.ts';
import { freePort, release, until } from './release.ts';
import { headersFor, OTHER, options, proven, type Says, target } from './target.ts';

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

const PATHS = {
  ServiceAccount: '/api/v1/namespaces/serving/serviceaccounts',
  Pod: '/api/v1/namespaces/serving/pods',
  Role: '/apis/rbac.authorization.k8s.io/v1/namespaces/serving/roles',
  RoleBinding: '/apis/rbac.authorization.k8s.io/v1/namespaces/serving/rolebindings',
  CronJob: '/apis/batch/v1/namespaces/serving/cronjobs',
  NetworkPolicy: '/apis/networking.k8s.io/v1/namespaces/serving/networkpolicies',
};

test('drift acts on a real API server, under the role of the documents', { skip }, async (t) => {
  const api = await realApi(t, PROGRAM!);
  const model = await release(t, { runtimeImage: IMAGE });
  const expected = proven(model);
  const port = await freePort();
  for (const last of [2, 3, 4, 5]) {
    const says = last === 3 ? LIES : { headers: headersFor(expected) };
    await target(t, says, `127.0.0.${last}`, port);
  }
  // The server made its certificate itself, for its own address.
  const client = clientOf(new AbortController().signal, { ca: api.ca! });
  t.teardown(() => client.close());
  const cluster = { url: api.url, tls: {}, headers: async () => ({ authorization: 'Bearer drift-token' }) };
  const pods = podsOf(
    cluster,
    client,
    { namespace: 'serving', selector: 'app=chat' },
    { scheme: 'http', port },
  );
  const round = async () =>
    driftRound(await pods.targets(), options(t, [expected], { rotation: pods.rotation }));
  const actions = ({ targets }: RoundRecord): string[] => targets.map(({ action }) => action);
  t.same(actions(await round()), ['admitted', 'pulled', 'none', 'none']);
  t.same(actions(await round()), ['none', 'kept', 'none', 'none'], 'the server kept what was set');

  const admin = (method: string, path: string, body: object) =>
    api.asks({ user: 'admin', method, path, type: 'application/json', body: JSON.stringify(body) });
  for (const document of documents(t).filter(({ kind }) => /^ValidatingAdmission/.test(kind))) {
    const plural = document.kind === 'ValidatingAdmissionPolicy' ? 'policies' : 'policybindings';
    const made = await admin(
      'POST',
      `/apis/admissionregistration.k8s.io/v1/validatingadmission${plural}`,
      document,
    );
    t.equal(made.status, 201, made.body);
  }
  // Every field of the manifests in the documents is one that the server knows.
  for (const document of [...documents(t), ...documents(t, 'provenance.md')]) {
    const kind = PATHS[document.kind as keyof typeof PATHS];
    if (kind === undefined) continue;
    const { status, body } = await admin('POST', `${kind}?dryRun=All&fieldValidation=Strict`, document);
    t.ok(
      status === 201 || (status === 409 && /^Role/.test(document.kind)),
      `${document.kind}: ${status} ${body}`,
    );
  }
  const labels = { 'steelyard.dev/serving': 'true' };
  t.equal((await admin('POST', '/api/v1/namespaces', { metadata: { name: 'watched', labels } })).status, 201);
  const create = (name: string, spec: object) =>
    admin('POST', '/api/v1/namespaces/watched/pods', { metadata: { name }, spec });
  const containers = [{ name: 'server', image: IMAGE }];
  let attempt = 0;
  const bare = await until(
    () => create(`bare-${attempt++}`, { containers }),
    ({ status }) => status !== 201,
  );
  t.match(bare, { status: 422, body: /needs the readiness gate/ });
  const readinessGates = [{ conditionType: 'steelyard.dev/provenance' }];
  const tagged = await create('tagged', {
    readinessGates,
    containers: [{ name: 'server', image: 'server:1' }],
  });
  t.match(tagged, { status: 422, body: /pinned by its digest/ });
  t.match(await create('good', { readinessGates, containers }), { status: 201 });
});

/** The release that every pod of the fake should serve, and pods that serve it: each on an address of its own, one port. */
async function fleet(
  t: Test,
  lies: Readonly<Record<string, Says>> = {},
  tls?: { key: string; cert: string },
) {
  const fake = await fakeApi(t, tls);
  const model = await release(t, { runtimeImage: IMAGE });
  const expected = proven(model);
  const port = await freePort();
  for (const { metadata, status } of fake.pods) {
    const says = lies[metadata.name] ?? { headers: headersFor(expected) };
    if (says.status !== 0) await target(t, says, status.podIP, port);
  }
  const set = options(t, [expected]);
  const cluster = {
    url: fake.url,
    tls: {},
    headers: async () => ({ authorization: 'Bearer drift-token' }),
  };
  const where = { namespace: 'serving', selector: 'app=chat' };
  const pods = podsOf(cluster, set.client, where, { scheme: 'http', port });
  const round = async (more: Partial<RoundOptions> = {}) =>
    driftRound(await pods.targets(), { ...set, rotation: pods.rotation, ...more });
  const done = ({ targets }: RoundRecord): string[] =>
    targets.map(({ state, action }) => `${state} ${action}`);
  return { fake, model, round, done, pods, set, cluster, where, port };
}

const LIES: Says = { headers: { 'x-model-sha': OTHER, 'x-bom-id': OTHER } };
const conditionOf = (pod: Anything): Anything =>
  pod.status.conditions?.find(({ type }: Anything) => type === 'steelyard.dev/provenance');

test('new pods are let in, a drifted one is taken out, by condition and by label, and stays out', async (t) => {
  const lies: Record<string, Says> = { 'chat-b': { ...LIES } };
  const { fake, round, done } = await fleet(t, lies);
  const dry = await round({ rotation: null });
  t.same(done(dry), ['ok would-admit', 'unknown-sha would-pull', 'ok none', 'ok none']);
  t.same(fake.changes, [], 'a dry run changes nothing');
  t.same(done(await round()), ['ok admitted', 'unknown-sha pulled', 'ok none', 'ok none']);
  t.match(conditionOf(fake.pods[0]), { status: 'True', reason: 'ProvenanceHolds' });
  t.match(conditionOf(fake.pods[1]), { status: 'False', reason: 'UnknownModelSha' });
  t.same(done(await round()), ['ok none', 'unknown-sha kept', 'ok none', 'ok none'], 'nothing is done twice');
  lies['chat-b']!.headers = dry.targets[0]!.release === null ? {} : { ...good(dry) };
  const again = await round();
  t.match(
    again.targets[1],
    { state: 'ok', action: 'kept', because: /a person/ },
    'right again, and still out',
  );
  t.equal(fake.changes.length, 2);
});

const good = ({ targets: [first] }: RoundRecord): Record<string, string> => ({
  'x-model-sha': first!.modelSha!,
  'x-bom-id': first!.bomId!,
});

test('a pod with the label leaves by it, and the limit counts pods of earlier rounds', async (t) => {
  const { fake, round, done } = await fleet(t, { 'chat-c': LIES });
  t.same(done(await round()), ['ok admitted', 'ok admitted', 'unknown-sha pulled', 'ok none']);
  const { labels, annotations } = fake.pods[2].metadata;
  t.notOk('steelyard.dev/in-rotation' in labels);
  t.equal(labels.app, 'chat', 'nothing else changes');
  t.match(annotations['steelyard.dev/pulled'], /^unknown-sha 2026/);
  fake.pods[3].status.containerStatuses[0].imageID = `registry.example/server@${OTHER}`;
  const { targets } = await round();
  t.match(targets[3], { state: 'image-mismatch', action: 'kept', because: /as many pods are out as may be/ });
  const more = await round({ limit: { count: 2 } });
  t.match(more.targets[3], { action: 'pulled' });
});

test('a late MBOM never empties a service', async (t) => {
  const { fake, round } = await fleet(t, { 'chat-a': LIES, 'chat-b': LIES, 'chat-c': LIES });
  for (let rounds = 0; rounds < 3; rounds++) {
    const record = await round({ limit: { percent: 100 } });
    t.equal(record.stopped, true);
    t.equal(record.exitCode, 1);
  }
  t.same(fake.changes, []);
});

test('a pod that does not answer is exit 2 and is never pulled', async (t) => {
  const { fake, round, done } = await fleet(t, { 'chat-b': { status: 0 } });
  fake.pods[1].status.containerStatuses[0].imageID = `registry.example/server@${OTHER}`;
  const record = await round();
  t.same(done(record), ['ok admitted', 'unreachable none', 'ok none', 'ok none']);
  t.equal(record.exitCode, 2);
  delete fake.pods[2].status.podIP;
  t.match((await round()).targets[2], {
    state: 'unreachable',
    action: 'none',
    witnesses: [{ message: /no address/ }],
  });
});

test('pods that end are no targets, and foreign pods break nothing', async (t) => {
  const { fake, pods } = await fleet(t);
  fake.pods[0].metadata.deletionTimestamp = '2026-11-30T12:00:00Z';
  fake.pods[1].status.phase = 'Failed';
  t.same(
    (await pods.targets()).map(({ name }) => name),
    ['serving/chat-c', 'serving/chat-d'],
  );
  const odd = fc.oneof(
    fc.object(),
    fc.anything(),
    fc.constant({ metadata: { namespace: 'a', name: 'b', uid: 'c' } }),
  );
  fc.assert(
    fc.property(odd, (pod) => {
      const found = targetOf(pod, { scheme: 'http' });
      return found === null || typeof found.name === 'string';
    }),
    { numRuns: 2000 },
  );
  const evil = structuredClone(fake.pods[2]);
  for (const podIP of ['evil.example', '127.0.0.1/x?', '1.2.3.4:80@evil', ''])
    t.equal(targetOf({ ...evil, status: { ...evil.status, podIP } }, { scheme: 'http' })!.url, null, podIP);
  t.match(targetOf({ ...evil, status: { ...evil.status, podIP: 'fd00::1' } }, { scheme: 'https' }), {
    url: 'https://[fd00::1]:8080',
  });
  evil.spec.containers.unshift({ name: 'mesh', image: 'x', ports: [{ containerPort: 15001 }] });
  t.match(targetOf(evil, { scheme: 'http' })!.url, /:15001$/, 'the first container');
  t.match(targetOf(evil, { scheme: 'http', container: 'server' })!.url, /:8080$/);
  evil.metadata.annotations = { 'kubectl.kubernetes.io/default-container': 'server' };
  t.match(targetOf(evil, { scheme: 'http' }), { url: /:8080$/, pod: { imageId: IMAGE } });
});

test('what the API server refuses is said with its reason', async (t) => {
  const { fake, round, set, cluster, where } = await fleet(t, { 'chat-b': LIES });
  const stranger = { ...cluster, headers: async () => ({ authorization: 'Bearer nobody-token' }) };
  await t.rejects(podsOf(stranger, set.client, where, { scheme: 'http' }).targets(), {
    code: 'IO',
    message: /403 Forbidden: pods is forbidden.*docs\/drift\.md/,
  });
  const record = await round({
    pause: async () => {
      fake.pods[1].metadata.uid = 'another'; // it was replaced while it was looked at
    },
  });
  t.match(record.targets[1], {
    state: 'unknown-sha',
    action: 'failed',
    because: /422 Invalid.*field is immutable/,
  });
  t.equal(record.exitCode, 1);
  await t.rejects(
    podsOf({ ...cluster, url: 'http://127.0.0.1:1' }, set.client, where, { scheme: 'http' }).targets(),
    {
      code: 'IO',
      message: /does not answer: ECONNREFUSED/,
    },
  );
});

test('long lists come in pages, and a list that expires starts again', async (t) => {
  const { fake, pods, cluster, where } = await fleet(t);
  const [first] = fake.pods;
  fake.pods.splice(0, 4);
  for (let i = 0; i < 250; i++) {
    fake.pods.push({
      ...structuredClone(first),
      metadata: { ...first.metadata, name: `p${i}`, uid: `u${i}` },
    });
  }
  t.equal((await pods.targets()).length, 250);
  let expired = 0;
  const client = clientOf(new AbortController().signal);
  t.teardown(() => client.close());
  const gone = recorded().expired!.answer;
  const ask = async (url: string, question?: object) => {
    if (!url.includes('continue') || expired++ > 0) return client.ask(url, question);
    return { status: gone.status, header: () => null, body: Buffer.from(gone.body) };
  };
  const some = await podsOf(cluster, { ...client, ask }, where, { scheme: 'http' }).targets();
  t.equal(some.length, 250);
  t.equal(new Set(some.map(({ name }) => name)).size, 250);
  await fake.expire();
  await t.rejects(pods.targets(), { code: 'IO', message: /expired 3 times/ });
});

/** For 127.0.0.1, signed by itself. */
function certificate(t: Test): { key: string; cert: string } {
  const folder = mkdtempSync(join(tmpdir(), 'steelyard-tls-'));
  t.teardown(() => rmSync(folder, { recursive: true }));
  const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
  const made = ['-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'];
  const name = ['-subj', '/CN=kube', '-addext', 'subjectAltName=IP:127.0.0.1'];
  execFileSync('openssl', ['req', ...made, '-keyout', key, '-out', cert, ...name], { stdio: 'ignore' });
  return { key: readFileSync(key, 'utf8'), cert: readFileSync(cert, 'utf8') };
}

test('the service account of a pod, and a kubeconfig', {
  skip: without('@kubernetes/client-node'),
}, async (t) => {
  const [tls, stranger] = [certificate(t), certificate(t)];
  const { model, fake, port } = await fleet(t, { 'chat-b': LIES }, tls);
  const account = join(model.folder, 'account');
  mkdirSync(account);
  for (const [name, text] of Object.entries({ token: 'one\n', 'ca.crt': 'CA' }))
    writeFileSync(join(account, name), text);
  const cluster = await serviceAccount(
    { KUBERNETES_SERVICE_HOST: 'fd00::1', KUBERNETES_SERVICE_PORT: '443' },
    account,
  );
  t.match(cluster, { url: 'https://[fd00::1]:443', tls: { ca: 'CA' } });
  t.same(await cluster.headers(), { authorization: 'Bearer one' });
  writeFileSync(join(account, 'token'), 'two');
  t.same(await cluster.headers(), { authorization: 'Bearer two' }, 'a renewed token is read');
  await t.rejects(serviceAccount({}, account), { code: 'USAGE', message: /--kubeconfig/ });
  await t.rejects(
    serviceAccount({ KUBERNETES_SERVICE_HOST: 'a', KUBERNETES_SERVICE_PORT: '1' }, '/nowhere'),
    {
      code: 'USAGE',
    },
  );

  const file = join(model.folder, 'kubeconfig');
  const config = (server: string, more: object = {}): void =>
    writeFileSync(
      file,
      JSON.stringify({
        'current-context': 'c',
        contexts: [{ name: 'c', context: { cluster: 'k', user: 'u' } }],
        clusters: [{ name: 'k', cluster: { server, ...more } }],
        users: [{ name: 'u', user: { token: 'drift-token' } }],
      }),
    );
  const drift = (...more: string[]) => {
    const peers = join(packageRoot, 'test', 'kit', 'peers.mjs');
    const args = ['drift', '--bom', model.mbom, '--public-key', model.publicKey, '--kubeconfig', file];
    const where = ['--kubernetes', 'serving/app=chat', '--port', String(port)];
    return run([process.execPath, '--import', peers, MAIN, ...args, ...where, ...more]);
  };
  const trusting = ({ cert }: { cert: string }): object => ({
    'certificate-authority-data': Buffer.from(cert).toString('base64'),
  });
  const listed = async (): Promise<readonly Target[]> => {
    const cluster = await kubeconfig(file);
    const client = clientOf(new AbortController().signal, cluster.tls);
    t.teardown(() => client.close());
    return podsOf(
      cluster,
      client,
      { namespace: 'serving', selector: 'app=chat' },
      { scheme: 'http' },
    ).targets();
  };
  config(fake.url, trusting(tls));
  t.equal((await listed()).length, 4);
  config(fake.url, trusting(stranger));
  const message = /does not answer: DEPTH_ZERO_SELF_SIGNED_CERT/;
  await t.rejects(listed(), { code: 'IO', message }, 'another server under its name');
  config(fake.url.replace('https', 'http'));
  await t.rejects(listed(), { code: 'USAGE', message: /cannot use the kubeconfig/ }, 'no plain HTTP');
  config(fake.url, { 'insecure-skip-tls-verify': true });
  await t.rejects(listed(), { code: 'USAGE', message: /does not verify the API server/ });
  await t.rejects(kubeconfig('/nowhere'), { code: 'USAGE', message: /cannot read/ });
  config(fake.url, trusting(tls));
  const acted = await drift('--act', '--format', 'json');
  t.equal(acted.code, 1, acted.stderr);
  t.match(JSON.parse(acted.stdout), { targets: [{ action: 'admitted' }, { action: 'pulled' }, {}, {}] });
  t.equal(fake.changes.length, 2);
  t.match((await drift('--kubernetes', 'nonsense')).stderr, /NAMESPACE\/SELECTOR/);
});

const blocksOf = (document: string): string[] =>
  [...readFileSync(join(packageRoot, 'docs', document), 'utf8').matchAll(/```yaml\n([\s\S]*?)```/g)].map(
    ([, block]) => block!,
  );

/** Every YAML document in a document of ours. */
function documents(t: Test, name = 'drift.md'): Anything[] {
  return blocksOf(name)
    .flatMap((block) => parseAllDocuments(block))
    .map((document) => {
      t.same(document.errors, []);
      return (document as { toJS(): Anything }).toJS();
    });
}

test('the role of the documents is the one that was tried', (t) => {
  t.match(
    documents(t).find(({ kind }) => kind === 'Role'),
    ROLE,
  );
  t.end();
});

test('the manifests of the documents pass lint', async (t) => {
  const { folder } = await release(t);
  for (const document of ['drift.md', 'provenance.md']) {
    const file = join(folder, 'manifests.yaml');
    writeFileSync(file, blocksOf(document)[0]!);
    const { code, stdout, stderr } = await run([process.execPath, MAIN, 'lint', file]);
    t.equal(code, 0, `${document}: ${stdout}${stderr}`);
  }
});
