// Registries: Debian's docker-registry as the honest one, with and without a login, and our own for what an honest one does not do.
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import t, { type Test } from 'tap';
import { pull } from '../../src/pull/pull.ts';
import { SteelyardError } from '../../src/rules/error.ts';
import { readIndex, readManifest } from '../../src/source/oci/manifest.ts';
import { openSource } from '../../src/source/source.ts';
import { packageRoot } from '../kit/root.ts';
import { listening, sha256 } from './hub-server.ts';

const GGUF = readFileSync(join(packageRoot, 'fixtures', 'real', 'ggml-vocab-bert-bge.gguf'));
const MANIFEST = 'application/vnd.oci.image.manifest.v1+json';

interface Part {
  readonly mediaType: string;
  readonly body: Buffer;
  readonly annotations?: Record<string, string>;
}

const manifestOf = (parts: readonly Part[]): Buffer =>
  Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: MANIFEST,
      config: {
        mediaType: 'application/vnd.oci.empty.v1+json',
        digest: `sha256:${sha256(Buffer.from('{}'))}`,
        size: 2,
      },
      layers: parts.map(({ mediaType, body, annotations }) => ({
        mediaType,
        digest: `sha256:${sha256(body)}`,
        size: body.length,
        ...(annotations === undefined ? {} : { annotations }),
      })),
    }),
  );

/** As any packer pushes: blobs, then the manifest under a tag. */
async function push(
  base: string,
  repository: string,
  tag: string,
  parts: readonly Part[],
  headers: Record<string, string> = {},
): Promise<string> {
  for (const body of [...parts.map((part) => part.body), Buffer.from('{}')]) {
    const begun = await fetch(`${base}/v2/${repository}/blobs/uploads/`, { method: 'POST', headers });
    const location = new URL(begun.headers.get('location')!, base);
    location.searchParams.set('digest', `sha256:${sha256(body)}`);
    const put = await fetch(location, {
      method: 'PUT',
      body: new Uint8Array(body),
      headers: { ...headers, 'content-type': 'application/octet-stream' },
    });
    if (put.status !== 201) throw new Error(`blob: ${put.status}`);
  }
  const manifest = manifestOf(parts);
  const url = `${base}/v2/${repository}/manifests/${tag}`;
  const put = await fetch(url, {
    method: 'PUT',
    body: new Uint8Array(manifest),
    headers: { ...headers, 'content-type': MANIFEST },
  });
  if (put.status !== 201) throw new Error(`manifest: ${put.status} ${await put.text()}`);
  return `sha256:${sha256(manifest)}`;
}

const OLLAMA: readonly Part[] = [
  { mediaType: 'application/vnd.ollama.image.model', body: GGUF },
  { mediaType: 'application/vnd.ollama.image.license', body: Buffer.from('Apache-2.0') },
  { mediaType: 'application/vnd.ollama.image.license', body: Buffer.from('and more') },
  { mediaType: 'application/vnd.ollama.image.params', body: Buffer.from('{"stop":["x"]}') },
];
const MODELPACK: readonly Part[] = [
  {
    mediaType: 'application/vnd.cncf.model.weight.v1.raw',
    body: GGUF,
    annotations: { 'org.cncf.model.filepath': 'weights/model.gguf' },
  },
  { mediaType: 'application/vnd.acme.secret.v1', body: Buffer.from('what is this') },
];

async function registry(t: Test, auth = ''): Promise<string> {
  const { port, close } = await listening(() => undefined);
  await close();
  const folder = mkdtempSync(join(tmpdir(), 'steelyard-oci-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  const config = join(folder, 'config.yml');
  writeFileSync(
    config,
    `version: 0.1\nlog: {level: error}\nstorage: {filesystem: {rootdirectory: ${join(folder, 'data')}}}\nhttp: {addr: '127.0.0.1:${port}'}\n${auth}`,
  );
  const server = spawn('docker-registry', ['serve', config], { stdio: 'ignore' });
  t.teardown(() => ended(server));
  for (let tries = 0; tries < 300; tries++) {
    if (
      await fetch(`http://127.0.0.1:${port}/v2/`).then(
        () => true,
        () => false,
      )
    )
      return `127.0.0.1:${port}`;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error('the registry does not answer');
}

const ended = (server: ChildProcess): Promise<void> =>
  new Promise((resolve) => {
    server.once('exit', () => resolve());
    server.kill();
  });

const skip =
  spawnSync('docker-registry', ['--version']).status === 0
    ? false
    : 'docker-registry is not installed: apt-get install docker-registry';

t.setTimeout(600_000);

t.test('a real registry', { skip }, async (t) => {
  const host = await registry(t);
  const env = { HOME: t.testdirName };
  const digest = await push(`http://${host}`, 'library/tiny', 'latest', OLLAMA);
  await push(`http://${host}`, 'acme/pack', 'v1', MODELPACK);

  const output = join(t.testdirName, 'tiny');
  const tiny = await pull(`ollama://${host}/library/tiny`, { output, env });
  t.equal(tiny.outcome, 'pass', JSON.stringify(tiny.findings));
  t.equal(tiny.source, `ollama://${host}/library/tiny:latest@${digest}`);
  t.ok(readFileSync(join(output, 'model.gguf')).equals(GGUF));
  t.equal(tiny.files.length, 4);
  t.match(
    tiny.files.map(({ path }) => path),
    [/^license$/, /^license-sha256-/, 'model.gguf', 'params'],
  );

  const pack = await pull(`oci://${host}/acme/pack:v1`, { output: join(t.testdirName, 'pack'), env });
  t.equal(pack.outcome, 'pass');
  t.match(pack.findings, [{ rule: 'source/layer-unknown' }]);
  t.ok(readFileSync(join(t.testdirName, 'pack', 'weights', 'model.gguf')).equals(GGUF));
  const pinned = await openSource(tiny.source.replace('ollama:', 'oci:'), { env });
  t.equal(pinned.pin.value, digest);
  await pinned.close();
  await t.rejects(openSource(`oci://${host}/acme/none`, { env }), { code: 'NOT_FOUND' });
});

t.test('a registry that asks who you are', { skip }, async (t) => {
  const folder = t.testdir({ '.docker': {} });
  const made = spawnSync('htpasswd', ['-Bbn', 'me', 'secret'], { encoding: 'utf8' });
  if (made.status === 0) writeFileSync(join(folder, 'htpasswd'), made.stdout);
  else {
    t.comment('NOT TESTED: htpasswd is not installed: apt-get install apache2-utils');
    return;
  }
  const host = await registry(t, `auth: {htpasswd: {realm: r, path: ${join(folder, 'htpasswd')}}}\n`);
  const authorization = `Basic ${Buffer.from('me:secret').toString('base64')}`;
  await push(`http://${host}`, 'acme/pack', 'v1', MODELPACK, { authorization });
  const env = { HOME: folder };
  await t.rejects(openSource(`oci://${host}/acme/pack:v1`, { env }), { code: 'UNAUTHORIZED' });
  const auths = { [host]: { auth: Buffer.from('me:secret').toString('base64') } };
  writeFileSync(join(folder, '.docker', 'config.json'), JSON.stringify({ auths }));
  const source = await openSource(`oci://${host}/acme/pack:v1`, { env });
  t.equal(source.files.length, 2);
  await source.close();
});

/** A registry of one manifest that wants a token. */
async function guarded(
  realm: (url: string) => string,
  manifest: Buffer = manifestOf(OLLAMA),
  headers: Record<string, string> = {},
): Promise<{ host: string; seen: string[]; close(): Promise<void> }> {
  const seen: string[] = [];
  const server = await listening((request, response) => {
    const { authorization } = request.headers;
    seen.push(`${request.url} ${authorization ?? '-'}`);
    if (request.url!.startsWith('/token')) return void response.end('{"token":"abc"}');
    if (authorization !== 'Bearer abc')
      return void response
        .writeHead(401, {
          'www-authenticate': `Bearer realm="${realm(server.url)}",service="s",scope="repository:other:push"`,
        })
        .end();
    response.writeHead(200, { 'content-type': MANIFEST, ...headers }).end(manifest);
  });
  return { host: server.url.slice('http://'.length), seen, close: server.close };
}

t.test('tokens', async (t) => {
  const folder = t.testdir({ '.docker': {} });
  const honest = await guarded((url) => `${url}/token?x=1`);
  t.teardown(honest.close);
  const auths = { [honest.host]: { username: 'me', password: 'secret' } };
  writeFileSync(join(folder, '.docker', 'config.json'), JSON.stringify({ auths }));
  const source = await openSource(`oci://${honest.host}/acme/tiny`, { env: { HOME: folder } });
  await source.close();
  t.same(honest.seen.slice(1), [
    `/token?x=1&service=s&scope=repository%3Aacme%2Ftiny%3Apull Basic ${Buffer.from('me:secret').toString('base64')}`,
    '/v2/acme/tiny/manifests/latest Bearer abc',
  ]);

  const thief = await listening((_request, response) => {
    t.fail('asked for a token');
    response.end('{"token":"abc"}');
  });
  t.teardown(thief.close);
  for (const realm of [thief.url, 'http://192.0.2.1/', '/token', 'https://me:x@auth.example/']) {
    const bad = await guarded(() => realm);
    t.teardown(bad.close);
    await t.rejects(
      openSource(`oci://${bad.host}/acme/tiny`, { env: { HOME: folder } }),
      { code: 'SOURCE_REDIRECT' },
      realm,
    );
  }
});

t.test('a manifest that is another one', async (t) => {
  const digest = `sha256:${'0'.repeat(64)}`;
  const lying = await guarded((url) => `${url}/token`, manifestOf(OLLAMA), {
    'docker-content-digest': digest,
  });
  t.teardown(lying.close);
  const env = { HOME: t.testdirName };
  await t.rejects(openSource(`oci://${lying.host}/a`, { env }), { code: 'DIGEST_MISMATCH' });
  const other = await guarded((url) => `${url}/token`);
  t.teardown(other.close);
  await t.rejects(openSource(`oci://${other.host}/a@${digest}`, { env }), { code: 'DIGEST_MISMATCH' });
  const escaping = await guarded(
    (url) => `${url}/token`,
    manifestOf([{ ...MODELPACK[0]!, annotations: { 'org.cncf.model.filepath': '../../x' } }]),
  );
  t.teardown(escaping.close);
  await t.rejects(openSource(`oci://${escaping.host}/a`, { env }), { code: 'SOURCE_NOT_ALLOWED' });
});

t.test('no manifest makes the readers throw anything else', (t) => {
  const seed = manifestOf(MODELPACK).toString();
  const index = JSON.stringify({ manifests: [{ digest: `sha256:${'a'.repeat(64)}` }] });
  const put = fc.oneof(
    fc.json(),
    fc.constantFrom('"digest"', ':', '{', ']', '"\\ud800"', 'null', '-1', '1e999'),
    fc.string({ unit: 'binary', maxLength: 8 }),
  );
  const mutant = fc
    .tuple(fc.constantFrom(seed, index), fc.nat(seed.length), fc.nat(40), put)
    .map(([text, at, cut, more]) => text.slice(0, at) + more + text.slice(at + cut));
  fc.assert(
    fc.property(mutant, (text) =>
      [readManifest, readIndex].every((read) => {
        try {
          read(Buffer.from(text));
          return true;
        } catch (error) {
          return error instanceof SteelyardError && ['NETWORK', 'LIMIT'].includes(error.code);
        }
      }),
    ),
    { numRuns: Number(process.env.STEELYARD_RUNS ?? 10_000) },
  );
  t.throws(
    () => readManifest(Buffer.from('{"schemaVersion":2,"layers":[],"layers"            :[]}')),
    /twice/,
  );
  t.end();
});
