// Which links are followed: by where they end, not by what they say.
import { execFileSync } from 'node:child_process';
import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { type FollowSymlinks, type Report, SteelyardError, scan } from '../../../src/index.ts';
import { ModelFile } from '../../../src/scan/model/file.ts';
import { packageRoot } from '../../kit/root.ts';

const WEIGHTS = join(packageRoot, 'fixtures', 'real', 'reference-f16.safetensors');

const outside = mkdtempSync(join(tmpdir(), 'steelyard-links-'));
process.on('exit', () => rmSync(outside, { recursive: true, force: true }));
copyFileSync(WEIGHTS, join(outside, 'secret.safetensors'));

const seen = ({ files, errors }: Report) => [
  files.map(({ path }) => path),
  errors.map(({ code, file, message }) => `${code} ${file}: ${message.split(/[;,(]/)[0]!.trim()}`),
];
const follow = (path: string | string[], followSymlinks?: FollowSymlinks) =>
  scan(path, followSymlinks === undefined ? {} : { followSymlinks });

t.test('a farm of links', async (t) => {
  const folder = t.testdir({ model: { sub: {} }, 'model-2': {} });
  const model = join(folder, 'model');
  copyFileSync(WEIGHTS, join(model, 'a.safetensors'));
  copyFileSync(WEIGHTS, join(folder, 'model-2', 'b.safetensors'));
  const links: Record<string, string> = {
    'absolute.safetensors': join(outside, 'secret.safetensors'),
    'chain.safetensors': 'sub/hop', // inside, but it ends outside
    'sub/hop': join(outside, 'secret.safetensors'),
    'dangling.safetensors': 'nowhere',
    'inside.safetensors': 'sub/../a.safetensors',
    'loop.safetensors': 'loop.safetensors',
    'sibling.safetensors': '../model-2/b.safetensors', // its folder begins with the name of ours
    'sub/up.safetensors': '../a.safetensors',
    circle: '.',
    device: '/dev/zero',
    folder: outside,
  };
  for (const [name, target] of Object.entries(links)) symlinkSync(target, join(model, name));

  const out = (file: string) => `NOT_REGULAR ${file}: a link that leads out of the model`;
  const rest = (file: string) =>
    ({
      circle: `NOT_REGULAR circle: a link to a folder`,
      'dangling.safetensors': 'NOT_REGULAR dangling.safetensors: a link that leads to no file',
      device: 'NOT_REGULAR device: a link that leads to no regular file',
      folder: 'NOT_REGULAR folder: a link to a folder',
      'loop.safetensors': 'NOT_REGULAR loop.safetensors: a link that leads to no file',
    })[file]!;
  const hard = ['circle', 'dangling.safetensors', 'device', 'folder', 'loop.safetensors'];

  const byDefault = await follow(model);
  t.same(seen(byDefault), [
    ['a.safetensors', 'inside.safetensors', 'sub/up.safetensors'],
    [
      out('absolute.safetensors'),
      out('chain.safetensors'),
      ...hard.map(rest),
      out('sibling.safetensors'),
      out('sub/hop'),
    ],
  ]);
  t.same([byDefault.complete, byDefault.verdict.outcome], [false, 'error']);
  t.match(
    byDefault.errors[0]!.message,
    /; put the file in its place, or allow the link with --follow-symlinks/,
  );

  const within = await follow(model, `within:${outside}`);
  t.same(
    within.errors.filter(({ message }) => /leads out/.test(message)).map(({ file }) => file),
    ['sibling.safetensors'],
  );
  t.equal(within.files.length, 6);

  const always = seen(await follow(model, 'always'));
  t.same(always[1], hard.map(rest), 'nothing makes a loop, a device or a folder a file');
  t.equal(always[0]!.length, 7);

  const never = await follow(model, 'never');
  t.same(
    never.files.map(({ path }) => path),
    ['a.safetensors'],
  );
  t.equal(never.errors.length, Object.keys(links).length);
});

t.test('what the user names is followed, what it holds obeys', async (t) => {
  const folder = t.testdir({ real: {}, other: {} });
  const real = join(folder, 'real');
  symlinkSync(join(outside, 'secret.safetensors'), join(real, 'a.safetensors'));
  symlinkSync(real, join(folder, 'alias'));
  t.equal((await follow(join(real, 'a.safetensors'), 'never')).verdict.outcome, 'pass');
  t.match(seen(await follow(join(folder, 'alias')))[1], [/leads out/]);
  copyFileSync(WEIGHTS, join(folder, 'third.safetensors'));
  symlinkSync('../third.safetensors', join(folder, 'other', 'b.safetensors'));
  const both = await follow([real, join(folder, 'other')]);
  t.match(seen(both)[1], [/other.*leads out/, /real.*leads out/], 'a common folder vouches for nothing');
  t.equal(
    (await follow([real, outside])).verdict.outcome,
    'pass',
    'a folder that is named too is not outside',
  );

  const index = join(real, 'model.safetensors.index.json');
  writeFileSync(index, JSON.stringify({ weight_map: { e: 'a.safetensors' } }));
  t.match(seen(await follow(index))[1], ['NOT_REGULAR a.safetensors: a link that leads out of the model']);
  t.same((await follow(index)).findings, [], 'the shard is not missing');
  t.equal((await follow(index, 'always')).verdict.outcome, 'pass');

  for (const bad of ['within:', `within:${join(folder, 'gone')}`, `within:${WEIGHTS}`] as const) {
    const error = await follow(real, bad).catch((reason) => reason);
    t.ok(error instanceof SteelyardError && error.code === 'USAGE', bad);
  }
});

t.test('a cache of the Hub', async (t) => {
  const folder = t.testdir({});
  const repo = join(folder, 'models--org--name');
  const revision = join(repo, 'snapshots', 'abc');
  mkdirSync(join(revision, 'unet'), { recursive: true });
  mkdirSync(join(repo, 'blobs'));
  copyFileSync(WEIGHTS, join(repo, 'blobs', 'd1'));
  copyFileSync(WEIGHTS, join(folder, 'elsewhere'));
  symlinkSync('../../blobs/d1', join(revision, 'a.safetensors'));
  symlinkSync('../../../blobs/d1', join(revision, 'unet', 'b.safetensors'));
  for (const path of [revision, repo, join(revision, 'unet')]) {
    t.equal((await follow(path)).verdict.outcome, 'pass', path);
  }
  symlinkSync('../../../elsewhere', join(revision, 'c.safetensors'));
  t.match(seen(await follow(revision))[1], ['NOT_REGULAR c.safetensors: a link that leads out of the model']);
  t.same(seen(await follow(revision, 'never'))[0], []);
});

t.test('a cache of the Hub with one store of blobs for all repos', async (t) => {
  const folder = t.testdir({
    blobs: { '0d': {}, '.huggingface-shared-blobs': '' },
    'models--org--name': { blobs: {}, snapshots: { abc: {} } },
  });
  const repo = join(folder, 'models--org--name');
  const revision = join(repo, 'snapshots', 'abc');
  copyFileSync(WEIGHTS, join(folder, 'blobs', '0d', 'xet'));
  symlinkSync('../../blobs/0d/xet', join(repo, 'blobs', 'etag'));
  symlinkSync('../../blobs/etag', join(revision, 'a.safetensors'));
  t.equal((await follow(revision)).verdict.outcome, 'pass');
  t.same(seen(await follow(revision, 'never'))[0], []);

  symlinkSync('../../../blobs/0d/xet', join(revision, 'straight.safetensors'));
  symlinkSync(join(outside, 'secret.safetensors'), join(repo, 'blobs', 'out'));
  symlinkSync('../../blobs/out', join(revision, 'out.safetensors'));
  const out = (file: string) => `NOT_REGULAR ${file}: a link that leads out of the model`;
  t.same(seen(await follow(revision))[1], [out('out.safetensors'), out('straight.safetensors')]);

  rmSync(join(folder, 'blobs', '.huggingface-shared-blobs'));
  t.same(seen(await follow(revision))[1]![0], out('a.safetensors'), 'a store that is not marked is none');
});

t.test('a file that becomes a link after it was listed is not opened', (t) => {
  const path = join(t.testdir({}), 'a.safetensors');
  symlinkSync(join(outside, 'secret.safetensors'), path);
  t.throws(() => ModelFile.open({ path: 'a.safetensors', absolute: path }), { code: 'IO', errno: 'ELOOP' });
  const real = realpathSync(path);
  ModelFile.open({ path: 'a.safetensors', absolute: path, real }).close();
  t.end();
});

t.test('two names for one file are two files', async (t) => {
  const folder = t.testdir({});
  copyFileSync(WEIGHTS, join(folder, 'a.safetensors'));
  execFileSync('ln', [join(folder, 'a.safetensors'), join(folder, 'b.safetensors')]);
  symlinkSync('a.safetensors', join(folder, 'c.safetensors'));
  const { files } = await follow(folder);
  t.equal(files.length, 3);
  t.equal(new Set(files.map(({ sha256 }) => sha256)).size, 1);
});
