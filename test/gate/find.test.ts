// Which releases contain it, and the recall that stops them: every kind of query, what is unreadable, and a list that was cut.
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import t from 'tap';
import { searchRelease } from '../../src/gate/incident/find.ts';
import { FoundSchema } from '../../src/gate/incident/found-schema.ts';
import { readQuery } from '../../src/gate/incident/query.ts';
import { recallListWith } from '../../src/gate/incident/recall-list.ts';
import { mbomsBelow, readReleaseFiles } from '../../src/gate/incident/walk.ts';
import { hex, pair } from '../kit/specimen/forgery.ts';
import { steelyard } from '../kit/steelyard.ts';
import { at, judge, KEYS, NOW, put, take, type World, world } from './specimen/release.ts';

t.setTimeout(600_000);

const STRANGER = pair();
const load = (name: string): Buffer =>
  Buffer.from(name === 'other' ? STRANGER.public : KEYS[name as keyof typeof KEYS].public);

/** As files on disk. */
function written(folder: string, { release }: World): string {
  const write = (path: string, bytes: Buffer): void => {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), bytes);
  };
  write('model.mbom.yaml', release.mbom.bytes);
  write('model.mbom.yaml.sigstore.json', release.mbomSignature!);
  write('model.sig', release.modelSignature!);
  for (const { path, bytes } of release.evidence) write(path, bytes);
  return join(folder, 'model.mbom.yaml');
}

t.test('every kind of query', (t) => {
  const made = world();
  const path = written(t.testdir({}), made);
  const where = (query: string): readonly string[] =>
    searchRelease(readReleaseFiles(path), readQuery(query, load))?.where ?? [];
  const { image, release } = made;
  t.same(where(release.mbom.digest)[0], 'the release itself');
  t.ok(where(`sha256:${hex('base')}`).includes('the base model'));
  t.ok(where(`sha256:${hex('adapter')}`).includes('the adapter'));
  t.ok(where(release.files[1]!.sha256).includes('file adapter_model.safetensors'));
  t.ok(where(release.config[0]!.sha256).includes('file serving.yaml'));
  t.ok(where(image.digest).includes('the image'));
  t.ok(where(image.platforms[1]!.layer).includes('layer 0 of the image for linux/arm64'));
  t.ok(where(image.platforms[0]!.config).includes('the configuration of the image for linux/amd64'));
  t.match(where(release.evidence.find((one) => one.path === 'evidence/image.trivy.json')!.digest).slice(-1), [
    /image\.trivy\.json itself/,
  ]);
  t.same(where('pkg:pypi/vllm'), ['pkg:pypi/vllm@0.9.0 in evidence/sbom.cdx.json']);
  t.same(where('pkg:pypi/vllm@0.9.1'), []);
  // What is not parsed because a word is not in it must not be what only looks different.
  const respelled = (change: (text: string) => string, query: string): number => {
    const sbom = release.evidence.find((one) => one.path === 'evidence/sbom.cdx.json')!;
    const folder = t.testdir({});
    const bytes = Buffer.from(change(sbom.bytes.toString()));
    const evidence = release.evidence.map((one) => (one === sbom ? { ...one, bytes } : one));
    const other = written(folder, { ...made, release: { ...release, evidence } });
    return searchRelease(readReleaseFiles(other), readQuery(query, load))?.where.length ?? 0;
  };
  t.equal(
    respelled((it) => it.replace('pypi/vllm', 'pypi/V\\u004cLM'), 'pkg:pypi/vllm'),
    1,
    'an escape of JSON',
  );
  t.equal(
    respelled((it) => it.replace('pypi/vllm', 'pypi/v%6Clm'), 'pkg:pypi/vllm'),
    1,
    'an escape of a URL',
  );
  t.equal(
    respelled((it) => it.replace('pypi/vllm', 'pypi/Llama_Cpp'), 'pkg:pypi/llama-cpp'),
    1,
    'another spelling',
  );
  t.match(where('CVE-2026-1'), [/CVE-2026-1 \(medium\) of pkg:apk.* in evidence\/image\.trivy\.json/]);
  t.same(where('CVE-2026-2'), []);
  t.ok(where('key:ci').includes('the signature of the MBOM'));
  t.ok(where('key:ci').includes('the signature of the model'));
  t.match(where('key:alice'), [/approval in evidence\/approvals\/alice/]);
  t.same(where('key:other'), []);
  t.same(where(`sha256:${hex('nothing')}`), []);
  for (const query of ['', 'sha256:12', 'pkg:', 'x'])
    t.throws(() => readQuery(query, load), { code: 'USAGE' }, query);
  t.end();
});

t.test('an MBOM that cannot be read may be the one', (t) => {
  const folder = t.testdir({});
  const path = written(folder, world());
  writeFileSync(path, '{"schema": "steelyard/mbom/1", ');
  t.throws(() => searchRelease(readReleaseFiles(path), readQuery(`sha256:${hex('x')}`, load)), {
    code: 'INVALID_MBOM',
  });
  t.end();
});

t.test('the command: 0 found, 1 not found, 2 could not read', async (t) => {
  const folder = t.testdir({});
  written(join(folder, 'a'), world());
  const found = await steelyard(['find', `sha256:${hex('base')}`, folder, '--format', 'json']);
  t.equal(found.code, 0);
  const answer = JSON.parse(found.stdout);
  t.same(FoundSchema.parse(answer), answer, 'it keeps its schema');
  t.equal(answer.schema, 'steelyard/found/1');
  t.equal(answer.found.length, 1);
  t.equal((await steelyard(['find', `sha256:${hex('x')}`, folder])).code, 1);
  t.equal((await steelyard(['find', 'nonsense', folder])).code, 2);
  t.equal(
    (await steelyard(['find', `sha256:${hex('x')}`, join(folder, 'a', 'evidence')])).code,
    2,
    'nothing searched',
  );
  mkdirSync(join(folder, 'b'));
  writeFileSync(join(folder, 'b', 'x.mbom.yaml'), 'no: [mbom');
  const broken = await steelyard(['find', `sha256:${hex('x')}`, folder]);
  t.equal(broken.code, 2);
  t.match(broken.stderr, /x\.mbom\.yaml/);
  const log = join(folder, 'drift.jsonl');
  rmSync(join(folder, 'b'), { recursive: true });
  writeFileSync(
    log,
    `{"schema":"steelyard/drift/1","at":"${at(NOW)}","release":"${answer.found[0].release}"}\n{"at":"x"}\n`,
  );
  t.match(
    (await steelyard(['find', `sha256:${hex('base')}`, folder, '--logs', log])).stdout,
    /seen in .*drift\.jsonl: 1 lines/,
  );
});

t.test('a recall is found by the gate, and a cut list is refused by whoever adds to it', (t) => {
  const key = { privateKey: KEYS.security.secret };
  const now = new Date(NOW - 60_000);
  const empty = recallListWith(Buffer.alloc(0), null, now, key);
  const digests = [`sha256:${hex('base')}`];
  const list = recallListWith(empty, { digests, created: NOW - 60_000, reason: 'poisoned' }, now, key);
  const recalled = judge(
    world(undefined, ({ release }) => put(release, 'evidence/recalls.intoto.jsonl', list)),
  );
  t.same(
    recalled.refusals.map(({ code }) => code),
    ['RECALLED'],
  );
  const alive = judge(
    world(undefined, ({ release }) => put(release, 'evidence/recalls.intoto.jsonl', empty)),
  );
  t.equal(alive.outcome, 'promote');
  const cut = list.subarray(0, list.lastIndexOf(0x0a, list.length - 2) + 1);
  t.throws(() => recallListWith(cut, null, now, key), { code: 'INVALID_DOCUMENT' });
  const byOther = recallListWith(Buffer.alloc(0), { digests, created: NOW, reason: 'lie' }, now, {
    privateKey: KEYS.alice.secret,
  });
  const ignored = judge(
    world(undefined, ({ release }) => put(release, 'evidence/more.intoto.jsonl', byOther)),
  );
  t.equal(ignored.outcome, 'promote', 'a recall by somebody who is not listed is none');
  t.end();
});

t.test('the search goes through folders, and not through links or evidence', (t) => {
  const folder = t.testdir({
    a: { 'x.mbom.yaml': '' },
    b: { c: { 'y.mbom.yaml': '' } },
    link: t.fixture('symlink', 'a'),
  });
  t.same([...mbomsBelow(folder)].length, 2);
  const made = world();
  take(made.release, 'evidence/recalls.intoto.jsonl');
  t.end();
});
