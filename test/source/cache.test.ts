// Caches of other programs: read in place, and what their names say is what the bytes have to be.
import { copyFileSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { pull } from '../../src/pull/pull.ts';
import { openSource } from '../../src/source/source.ts';
import { packageRoot } from '../kit/root.ts';
import { COMMIT, gitSha1, sha256 } from './hub-server.ts';

const PATH = join(packageRoot, 'fixtures', 'real', 'reference-f16.safetensors');
const WEIGHTS = readFileSync(PATH);
const README = Buffer.from('# tiny\n');

/** As huggingface_hub lays it out. */
function hubCache(folder: string): string {
  const repo = join(folder, 'hub', 'models--acme--tiny');
  const snapshot = join(repo, 'snapshots', COMMIT);
  mkdirSync(snapshot, { recursive: true });
  mkdirSync(join(repo, 'blobs'));
  mkdirSync(join(repo, 'refs'));
  writeFileSync(join(repo, 'refs', 'main'), COMMIT);
  writeFileSync(join(repo, 'blobs', gitSha1(README)), README);
  symlinkSync(`../../blobs/${gitSha1(README)}`, join(snapshot, 'README.md'));
  symlinkSync(`../../blobs/${sha256(WEIGHTS)}`, join(snapshot, 'a.safetensors'));
  return join(repo, 'blobs', sha256(WEIGHTS));
}

t.test('the Hub', async (t) => {
  const folder = t.testdir({});
  const env = { HF_HOME: folder };
  const blob = hubCache(folder);
  copyFileSync(PATH, blob);
  const good = await pull('cache://hub/acme/tiny', { env, output: join(folder, 'good') });
  t.same([good.outcome, good.findings, good.source], ['pass', [], `cache://hub/acme/tiny@${COMMIT}`]);
  const flipped = Buffer.from(WEIGHTS);
  flipped[100]! ^= 1;
  writeFileSync(blob, flipped);
  const bad = await pull('cache://hub/acme/tiny', { env, output: join(folder, 'bad') });
  t.match(bad, { outcome: 'fail', findings: [{ rule: 'source/cache-digest', file: 'a.safetensors' }] });
  await t.rejects(openSource('cache://hub/acme/none', { env }), { code: 'NOT_FOUND' });
});

t.test('a link that leads out of a cache', async (t) => {
  const folder = t.testdir({ secret: 'x' });
  symlinkSync(join(folder, 'secret'), hubCache(folder));
  await t.rejects(openSource('cache://hub/acme/tiny', { env: { HF_HOME: folder } }), {
    code: 'SOURCE_NOT_ALLOWED',
  });
});

t.test('Ollama and LM Studio', async (t) => {
  const layers = [
    {
      mediaType: 'application/vnd.ollama.image.license',
      digest: `sha256:${sha256(README)}`,
      size: README.length,
    },
  ];
  const folder = t.testdir({
    ollama: {
      manifests: {
        'registry.ollama.ai': { library: { tiny: { latest: JSON.stringify({ schemaVersion: 2, layers }) } } },
      },
      blobs: { [`sha256-${sha256(README)}`]: README.toString() },
    },
    '.lmstudio': { models: { acme: { tiny: { 'a.gguf': 'GGUF' } } } },
  });
  const env = { HOME: folder, OLLAMA_MODELS: join(folder, 'ollama') };
  const tiny = await openSource('cache://ollama/tiny', { env });
  t.match(tiny.files, [{ path: 'license', size: README.length, expected: { value: sha256(README) } }]);
  const studio = await openSource('cache://lmstudio/acme/tiny', { env });
  t.match(studio.files, [{ path: 'a.gguf', size: 4, expected: null }]);
  writeFileSync(join(folder, '.lmstudio', 'models', 'acme', 'tiny', 'b.gguf'), 'x');
  const pieces: Uint8Array[] = [];
  for await (const piece of studio.read(studio.files[0]!, 1, 3)) pieces.push(piece);
  t.equal(Buffer.concat(pieces).toString(), 'GU');
});
