// Drift on a real engine: a poisoned adapter behind correct headers is seen in one look, by its behaviour alone.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer, request as forward } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { type Test, test } from 'tap';
import { takeFingerprint } from '../../src/canary/canary.ts';
import { engineTarget } from '../../src/canary/target/target.ts';
import { createMbom, digestModel, signDocument } from '../../src/index.ts';
import { behaviourLook, driftRound } from '../../src/serving/drift/drift.ts';
import type { Target } from '../../src/serving/drift/target.ts';
import { writeModels } from '../canary/bot/models.ts';
import { type Answering, engineAnswers, serveOpenAi } from '../canary/bot/server.ts';
import { without } from '../kit/runner/engine.ts';
import { pair } from '../kit/specimen/forgery.ts';
import { steelyard } from '../kit/steelyard.ts';
import { freePort, release as releaseOnDisk } from './release.ts';
import { headersFor, options, proven } from './target.ts';

/** Correct headers in front of any server: what a proxy with a constant in its template does. */
async function vouching(t: Test, to: string, headers: Record<string, string>): Promise<string> {
  const proxy = createServer((request, response) => {
    if (request.url === '/healthz') return void response.writeHead(200, headers).end('fine');
    const upstream = forward(`${new URL(to).origin}${request.url}`, {
      method: request.method!,
      headers: request.headers,
    });
    upstream.on('response', (answer) => {
      response.writeHead(answer.statusCode!, { ...answer.headers, ...headers });
      answer.pipe(response);
    });
    upstream.on('error', () => response.writeHead(502).end());
    request.pipe(upstream);
  }).listen(0, '127.0.0.1');
  await new Promise((resolve) => proxy.once('listening', resolve));
  t.teardown(() => {
    proxy.closeAllConnections();
    proxy.close();
  });
  return `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`;
}

test('a poisoned adapter behind correct headers', { skip: without('node-llama-cpp') }, async (t) => {
  const { folder } = await releaseOnDisk(t);
  const models = writeModels(join(folder, 'tiny'));
  const root = join(folder, 'served');
  mkdirSync(root);
  writeFileSync(join(root, 'base.gguf'), readFileSync(models.base));
  const key = pair();
  const document = Buffer.from(createMbom((await digestModel(root)).files, { name: 'support' }));
  const bundle = Buffer.from(signDocument(document, { privateKey: key.secret }));
  const at = (name: string): string => join(folder, name);
  writeFileSync(at('s.mbom.yaml'), document);
  writeFileSync(at('s.mbom.yaml.sigstore.json'), bundle);
  writeFileSync(at('s.pem'), key.public);
  const release = proven({ document, bundle, publicKey: at('s.pem') });

  const { signal } = new AbortController();
  const [good, bad] = [
    await engineTarget(models.base),
    await engineTarget(models.base, { adapters: [models['adapter-planted']] }),
  ];
  t.teardown(() => Promise.all([good.close(), bad.close()]));
  const headers = headersFor(release);
  const serve = async (answering: Answering): Promise<string> => {
    const server = await serveOpenAi(answering);
    t.teardown(() => server.close());
    return vouching(t, server.url, headers);
  };
  const fingerprint = await takeFingerprint(good, {
    release: { bom: release.bomId, model: release.modelSha },
    hashed: true,
    now: new Date(0),
    signal,
  });
  const behaviour = behaviourLook(new Map([[release.bomId, fingerprint]]), { signal, headers: {} });
  const pod = (name: string) => ({
    namespace: 'serving',
    name,
    uid: name,
    imageId: null,
    way: 'label' as const,
    out: false,
    waiting: false,
  });
  const honest = await serve(engineAnswers(good));
  const poisoned = await serve(engineAnswers(bad));
  const targets: Target[] = [
    { name: 'a', url: honest, pod: pod('a') },
    { name: 'b', url: poisoned, pod: pod('b') },
    { name: 'c', url: honest, pod: pod('c') },
    { name: 'd', url: `http://127.0.0.1:${await freePort()}`, pod: pod('d') },
  ];
  const pulled: string[] = [];
  const rotation = {
    pull: async ({ name }: { name: string }) => void pulled.push(name),
    admit: async () => undefined,
  };
  const set = options(t, [release], { rotation, limit: { count: 4 } });
  const blind = await driftRound(targets, set);
  t.same(
    blind.targets.map(({ state }) => state),
    ['ok', 'ok', 'ok', 'unreachable'],
    'headers alone vouch for it',
  );
  const record = await driftRound(targets, { ...set, behaviour });
  t.same(
    record.targets.map(({ state, looks }) => [state, looks]),
    [
      ['ok', 1],
      ['behaviour-mismatch', 1],
      ['ok', 1],
      ['unreachable', 1],
    ],
    'one look',
  );
  t.same(pulled, ['b'], 'and the pod that does not answer stays where it is');
  t.equal(record.exitCode, 1);

  const other = { ...fingerprint, engine: 'another engine' };
  const unlike = behaviourLook(new Map([[release.bomId, other]]), { signal, headers: {} });
  const unclear = await driftRound(targets.slice(0, 2), { ...set, behaviour: unlike });
  t.same(
    unclear.targets.map(({ state, action }) => [state, action]),
    [
      ['inconclusive', 'none'],
      ['inconclusive', 'none'],
    ],
    'another engine: no verdict, for the poisoned one either',
  );
  t.equal(unclear.exitCode, 2);
  t.same(pulled, ['b']);
  const mute = await serve(async (asked) => ({ ...(await engineAnswers(good)(asked)), tokens: null }));
  const silent = await driftRound([{ name: 'm', url: mute, pod: pod('m') }], { ...set, behaviour });
  t.match(silent.targets[0], { state: 'inconclusive' }, 'no log-probabilities');
  const none = await driftRound(targets.slice(0, 1), {
    ...set,
    behaviour: behaviourLook(new Map(), { signal, headers: {} }),
  });
  t.match(none.targets[0]!.witnesses[3], { witness: 'behaviour', state: null });

  await t.test('the command', async (t) => {
    const file = at('fingerprint.json');
    const written = Buffer.from(JSON.stringify(fingerprint));
    writeFileSync(file, written);
    writeFileSync(at('list.txt'), `good ${honest}\npoisoned ${poisoned}\n`);
    const args = ['--bom', at('s.mbom.yaml'), '--public-key', at('s.pem'), '--targets', at('list.txt')];
    const run = () => steelyard(['drift', ...args, '--fingerprint', file]);
    const unsigned = await run();
    t.equal(unsigned.code, 1);
    t.match(unsigned.stdout, /^REFUSED {2}UNSIGNED/m);
    writeFileSync(`${file}.sigstore.json`, signDocument(written, { privateKey: key.secret }));
    const found = await run();
    t.equal(found.code, 1, found.stderr);
    t.match(found.stdout, /^ok +good$/m);
    t.match(found.stdout, /^behaviour-mismatch +poisoned {2}kept: an address/m);
    for (const [change, message] of [
      [{ tie: 'none' }, /nothing tied/],
      [{ release: { ...fingerprint.release, bom: `sha256:${'0'.repeat(64)}` } }, /another release/],
    ] as const) {
      const changed = Buffer.from(JSON.stringify({ ...fingerprint, ...change }));
      writeFileSync(file, changed);
      writeFileSync(`${file}.sigstore.json`, signDocument(changed, { privateKey: key.secret }));
      const { code, stderr } = await run();
      t.equal(code, 2);
      t.match(stderr, message);
    }
  });
});
