// Real registries: Debian's docker-registry, and the one of crane, which pushes the images. Neither has the referrers API, so signatures are
// found by the fallback tag. STEELYARD_CRANE names crane, if it is not on the PATH.
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { openAll } from '../../src/gate/claim/opened.ts';
import { digestOf, sortEvidence } from '../../src/gate/claim/piece.ts';
import { imageSignatures } from '../../src/gate/image/signature.ts';
import { readEvidenceFolder } from '../../src/gate/input/folder.ts';
import { pair } from '../kit/specimen/forgery.ts';
import { steelyard } from '../kit/steelyard.ts';

t.setTimeout(600_000);

const CRANE = process.env.STEELYARD_CRANE ?? 'crane';
const has = (program: string, word: string): boolean => spawnSync(program, [word]).status === 0;
const crane = has(CRANE, 'version') ? false : 'crane is not installed: STEELYARD_CRANE names it';
const debian = has('docker-registry', '--version') ? crane : 'docker-registry is not installed';

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}

type Start = (port: number, folder: string) => ChildProcess;

const docker: Start = (port, folder) => {
  const config = join(folder, 'registry.yml');
  const storage = `storage: {filesystem: {rootdirectory: ${folder}/data}}`;
  writeFileSync(config, `version: 0.1\nlog: {level: error}\n${storage}\nhttp: {addr: "127.0.0.1:${port}"}\n`);
  return spawn('docker-registry', ['serve', config], { stdio: 'ignore' });
};
const cranes: Start = (port, folder) => {
  mkdirSync(join(folder, 'data'));
  const args = ['registry', 'serve', '--address', `127.0.0.1:${port}`, '--disk', join(folder, 'data')];
  return spawn(CRANE, args, { stdio: 'ignore' });
};

async function answers(url: string): Promise<void> {
  for (let tries = 0; tries < 600; tries++) {
    if (
      await fetch(url).then(
        (answer) => answer.ok,
        () => false,
      )
    )
      return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error(`${url} does not answer`);
}

/** What `cosign sign` pushes: a bundle as the layer of a manifest, and the index under the fallback tag that names it. */
async function attach(
  base: string,
  subject: { digest: string; size: number },
  bundle: Buffer,
): Promise<void> {
  const blob = async (bytes: Buffer): Promise<string> => {
    const begun = await fetch(`${base}/blobs/uploads/`, { method: 'POST' });
    const where = new URL(begun.headers.get('location')!, base);
    where.searchParams.set('digest', digestOf(bytes));
    const done = await fetch(where, { method: 'PUT', body: new Uint8Array(bytes) });
    if (done.status !== 201) throw new Error(`blob: ${done.status}`);
    return digestOf(bytes);
  };
  const manifest = async (reference: string, type: string, value: object): Promise<Buffer> => {
    const bytes = Buffer.from(JSON.stringify(value));
    const headers = { 'content-type': type };
    const done = await fetch(`${base}/manifests/${reference}`, {
      method: 'PUT',
      headers,
      body: new Uint8Array(bytes),
    });
    if (done.status !== 201) throw new Error(`manifest: ${done.status} ${await done.text()}`);
    return bytes;
  };
  const MANIFEST = 'application/vnd.oci.image.manifest.v1+json';
  const INDEX = 'application/vnd.oci.image.index.v1+json';
  const BUNDLE = 'application/vnd.dev.sigstore.bundle.v0.3+json';
  const empty = Buffer.from('{}');
  const layer = { mediaType: BUNDLE, digest: await blob(bundle), size: bundle.length };
  const config = { mediaType: 'application/vnd.oci.empty.v1+json', digest: await blob(empty), size: 2 };
  const body = {
    schemaVersion: 2,
    mediaType: MANIFEST,
    config,
    layers: [layer],
    subject: { mediaType: MANIFEST, ...subject },
  };
  const digest = digestOf(Buffer.from(JSON.stringify(body)));
  const bytes = await manifest(digest, MANIFEST, body);
  await manifest(subject.digest.replace(':', '-'), INDEX, {
    schemaVersion: 2,
    mediaType: INDEX,
    manifests: [{ mediaType: MANIFEST, digest, size: bytes.length }],
  });
}

async function signedImage(t: Test, start: Start): Promise<void> {
  const folder = t.testdir({ 'layer.txt': 'weights are elsewhere\n' });
  const at = (...path: string[]): string => join(folder, ...path);
  const port = await freePort();
  const server = start(port, folder);
  t.teardown(() => void server.kill('SIGKILL'));
  await answers(`http://127.0.0.1:${port}/v2/`);
  spawnSync('tar', ['-cf', at('layer.tar'), '-C', folder, 'layer.txt']);
  const name = `127.0.0.1:${port}/acme/server`;
  const pushed = spawnSync(CRANE, ['append', '--oci-empty-base', '-f', at('layer.tar'), '-t', `${name}:1`], {
    encoding: 'utf8',
  });
  t.equal(pushed.status, 0, pushed.stderr);
  const reference = pushed.stdout.trim();
  const digest = reference.split('@')[1]!;
  const bytes = Buffer.from(spawnSync(CRANE, ['manifest', reference]).stdout);
  const key = pair();
  writeFileSync(at('key.pem'), key.secret);
  const signing = ['sign', '--image', reference, '--key', at('key.pem'), '-o', at('image.sigstore.json')];
  t.equal((await steelyard(signing)).code, 0);
  const fetched = async (to: string) => {
    const { code, stderr } = await steelyard(['evidence', 'image', reference, '-o', at(to)]);
    t.equal(code, 0, stderr);
    return readdirSync(at(to)).sort();
  };
  t.equal((await fetched('before')).length, 2, 'manifest and configuration');
  await attach(
    `http://${name.replace('/acme', '/v2/acme')}`,
    { digest, size: bytes.length },
    readFileSync(at('image.sigstore.json')),
  );
  const names = await fetched('after');
  t.equal(names.length, 3, 'and the signature');
  t.ok(
    readFileSync(at('after', names.find((one) => one.startsWith('manifest-'))!)).equals(bytes),
    'as crane has it',
  );
  const files = readEvidenceFolder(at('after'), 'evidence/image');
  const pieces = sortEvidence(files);
  const identities = [
    { name: 'ci', trust: { method: 'key', publicKey: Buffer.from(key.public) }, subject: null },
  ] as const;
  const opened = openAll(pieces, identities, new Date());
  t.match(imageSignatures(digest, opened, pieces, files, identities), {
    counted: [{ by: 'ci' }],
    refused: [],
  });
}

t.test("Debian's docker-registry", { skip: debian }, (t) => signedImage(t, docker));
t.test("crane's registry", { skip: crane }, (t) => signedImage(t, cranes));
