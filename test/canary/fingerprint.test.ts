// Fingerprints on a real engine: the same weights repeat them exactly, a poisoned adapter does not, whatever its header says.
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { matchFingerprint, parseFingerprint, releaseOf, takeFingerprint } from '../../src/canary/canary.ts';
import { engineTarget, httpTarget } from '../../src/canary/target/target.ts';
import { readMbom } from '../../src/proof/bom/mbom-document.ts';
import { rootDigest } from '../../src/proof/sign/statement/manifest.ts';
import { packageRoot } from '../kit/root.ts';
import { without } from '../kit/runner/engine.ts';
import { run } from '../kit/steelyard.ts';
import { modelBytes, writeModels } from './bot/models.ts';
import { engineAnswers, serveOpenAi } from './bot/server.ts';

const folder = mkdtempSync(join(tmpdir(), 'canary-'));
const models = writeModels(folder);
const { signal } = new AbortController();
t.teardown(() => rmSync(folder, { recursive: true }));

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

function writeMbomOf(name: string, path: string): string {
  const bytes = readFileSync(path);
  const file = `${name}.gguf`;
  const root = rootDigest([{ name: file, sha256: sha256(bytes) }]);
  const mbom = join(folder, `${name}.mbom.yaml`);
  writeFileSync(
    mbom,
    `schema: steelyard/mbom/1\nmodel:\n  name: ${name}\n  digest: sha256:${root}\nfiles:\n  - path: ${file}\n    sha256: ${sha256(bytes)}\n    size: ${bytes.length}\n`,
  );
  return mbom;
}

const mbom = writeMbomOf('base', models.base);
const document = readFileSync(mbom);
const release = releaseOf(document, readMbom(document));

t.test('the models are those of the script in Python, byte for byte', (t) => {
  const digests = Object.entries(modelBytes()).map(([name, bytes]) => [name, sha256(bytes())]);
  t.same(Object.fromEntries(digests), {
    base: 'd3f50afe64729a56f1f6af2da85ba3756b71de2744d0b39ead878ea4259c19d3',
    'base-q8': '9be60695e0c7eb9143de6c4980717accf29c477d7c903f4f55e163b3b1c26e94',
    planted: '5d899ff49aeaee90c05b8dba6dd11b668540670325a3ab2e4c745958143d0d1f',
    weak: '5fed23cee3afc24db8464ff13aece0223266bc7f783fabac25c0cc5bbde36c56',
    hidden: 'e5f4ad9aedeb95baa27170cbf764b151f95662d577fe3159d64f12b650754f93',
    'adapter-planted': 'd77ec295cb3d937f022a72f3c51ec83b913fa0a0473da4f999e366909cd3955b',
    'adapter-clean': '3b6b02c0167a9838a5a82cda3232b3a86df7217fc0ecb649fee110cc6b78dc1c',
    benign: '26d24a2090105d622d2fd0b1f1f09adedca3ea557bc105e24e28959d841261ef',
  });
  t.end();
});

t.test(
  'over HTTP: the same weights match, a poisoned adapter under the same header does not',
  { skip: without('node-llama-cpp') },
  async (t) => {
    const headers = () => ({ 'x-model-sha': release.model, 'x-bom-id': release.bom });
    const good = await engineTarget(models.base);
    const bad = await engineTarget(models.base, { adapters: [models['adapter-planted']] });
    const honest = await serveOpenAi(engineAnswers(good), { headers });
    const spoofed = await serveOpenAi(engineAnswers(bad), { headers });
    t.teardown(() => Promise.all([honest.close(), spoofed.close(), good.close(), bad.close()]));
    const target = httpTarget(honest.url);
    const taken = await takeFingerprint(target, { release, now: new Date(0), signal });
    t.equal(taken.tie, 'header');
    t.equal(taken.floor, 0);
    t.same(parseFingerprint(Buffer.from(JSON.stringify(taken))), taken);
    const again = await matchFingerprint(target, taken, { signal });
    t.match(again, { comparable: true, distance: 0, same: true });
    const other = httpTarget(spoofed.url);
    const poisoned = await matchFingerprint(other, taken, { signal });
    t.match(poisoned, { comparable: true, same: false });
    t.ok(poisoned.comparable && poisoned.distance > 1e-9, JSON.stringify(poisoned));
    await Promise.all([target.close(), other.close()]);
  },
);

t.test(
  'another engine is no answer, and neither is a target that contradicts itself',
  { skip: without('node-llama-cpp') },
  async (t) => {
    const engine = await engineTarget(models.base);
    let index = 0;
    const changing = await serveOpenAi(async (asked) => {
      const answer = await engineAnswers(engine)(asked);
      const tokens = answer.tokens!.map(([token, logprob, others]) => [token, logprob, others] as const);
      if (index++ % 2 === 1) tokens[0] = [tokens[0]![0], -3, [[tokens[0]![0], -3]]];
      return { ...answer, tokens };
    });
    t.teardown(() => Promise.all([changing.close(), engine.close()]));
    const taken = await takeFingerprint(engine, { release, hashed: true, now: new Date(0), signal });
    t.equal(taken.tie, 'engine');
    const target = httpTarget(changing.url);
    t.match(await matchFingerprint(target, { ...taken, engine: 'vllm' }, { signal }), {
      comparable: false,
      reason: /engine/,
    });
    t.match(await matchFingerprint(target, taken, { signal }), { comparable: false, reason: /each time/ });
    await target.close();
  },
);

t.test('documents that are none', (t) => {
  for (const text of ['', '{', '[]', '{"schema":"steelyard/fingerprint/2"}', '{"schema":1,"schema":1}'])
    t.throws(() => parseFingerprint(Buffer.from(text)), { code: 'INVALID_DOCUMENT' }, text);
  t.end();
});

t.test('the command, with an engine of this process', { skip: without('node-llama-cpp') }, async (t) => {
  const output = join(folder, 'base.fingerprint.json');
  const peers = ['--import', join(packageRoot, 'test/kit/peers.mjs')];
  const main = join(packageRoot, 'out/src/cli/main.js');
  const command = (files: string): string[] => [
    ...[process.execPath, ...peers, main, 'canary', 'fingerprint', '--engine', 'node-llama-cpp'],
    ...['--files', files, '--bom', mbom, '-o', output],
  ];
  const done = await run(command(models.base));
  t.equal(done.code, 0, done.stderr);
  t.match(done.stderr, /tied by engine, floor 0/);
  t.equal(parseFingerprint(readFileSync(output)).release.bom, release.bom);
  const other = await run(command(models.planted));
  t.equal(other.code, 2);
  t.match(other.stderr, /it is no file of this release/);
});
