// Provenance: what is verified is written down, what changed is unknown, and every way to answer says so.
import { copyFileSync, readFileSync, renameSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { request as httpRequest, type ServerResponse } from 'node:http';
import { join } from 'node:path';
import fc from 'fast-check';
import { type Test, test } from 'tap';
import type { Trust } from '../../src/index.ts';
import {
  createProvenance,
  PROXY_TARGETS,
  type Provenance,
  provenanceHeaders,
  provenanceServer,
  provenanceText,
  readProvenance,
  renderProxy,
  standingOf,
} from '../../src/serving/provenance/provenance.ts';
import { hex, pair } from '../kit/specimen/forgery.ts';
import { steelyard } from '../kit/steelyard.ts';
import { ask, type Release, release, serving, UNKNOWN } from './release.ts';

const NOW = new Date('2026-11-30T12:00:00Z');

const trustOf = ({ publicKey }: Release): Trust => ({ method: 'key', publicKey: readFileSync(publicKey) });

async function proven(model: Release): Promise<Provenance> {
  const { outcome, errors } = await createProvenance({ ...model, trust: trustOf(model) }, NOW);
  if (!outcome.verified) throw new Error(JSON.stringify([outcome, errors]));
  return outcome.provenance;
}

/** Writes the document beside the model and returns its path. */
async function written(model: Release): Promise<string> {
  const path = join(model.folder, 'p.json');
  writeFileSync(`${path}.new`, provenanceText(await proven(model)));
  renameSync(`${path}.new`, path);
  return path;
}

test('what was verified is written down and read back', async (t) => {
  const model = await release(t, { adapter: { name: 'lora', digest: `sha256:${'a'.repeat(64)}` } });
  const provenance = await proven(model);
  t.equal(provenance.bomId, `sha256:${hex(model.document)}`, 'the release is named by the bytes of its MBOM');
  t.equal(provenance.adapterSha, `sha256:${'a'.repeat(64)}`);
  t.equal(provenance.verifiedAt, '2026-11-30T12:00:00.000Z');
  t.same(
    provenance.files.map(({ path }) => path),
    ['config.json', 'model.safetensors', 'sub/notes.txt'],
  );
  t.same(
    provenance.folders.map(({ path }) => path),
    ['.', 'sub'],
  );
  t.same(readProvenance(Buffer.from(provenanceText(provenance)), 'p.json'), provenance);
});

test('what is not proven is not written down', async (t) => {
  const model = await release(t);
  const refused = async (change: object): Promise<unknown> => {
    const { outcome } = await createProvenance({ ...model, trust: trustOf(model), ...change }, NOW);
    return outcome.verified ? 'verified' : outcome.refusals.map(({ code }) => code);
  };
  t.same(await refused({ trust: { method: 'key', publicKey: pair().public } }), ['WRONG_KEY']);
  t.same(await refused({ bundle: Buffer.alloc(0) }), ['UNSIGNED']);
  writeFileSync(join(model.root, 'extra.py'), 'x');
  t.same(await refused({}), ['EXTRA_FILE']);
  rmSync(join(model.root, 'extra.py'));
  writeFileSync(join(model.root, 'config.json'), '{"a":1}');
  t.same(await refused({}), ['DIGEST_MISMATCH']);

  const output = join(model.folder, 'never.json');
  const args = ['provenance', 'write', '--bom', model.mbom, '--root', model.root];
  const { code, stdout } = await steelyard([...args, '--public-key', model.publicKey, '-o', output]);
  t.equal(code, 1);
  t.match(stdout, /^REFUSED {2}DIGEST_MISMATCH/m);
  t.throws(() => readFileSync(output), { code: 'ENOENT' });
});

test('a file that changes while it is verified is no proof', async (t) => {
  const model = await release(t);
  let touched = false;
  const onProgress = (): void => {
    if (!touched) utimesSync(join(model.root, 'sub', 'notes.txt'), 1, 1);
    touched = true;
  };
  const creation = createProvenance({ ...model, trust: trustOf(model) }, NOW, { onProgress });
  await t.rejects(creation, { code: 'FILE_CHANGED' });
  t.ok(touched, 'it was touched meanwhile');
});

const CHANGES: Readonly<Record<string, (model: Release) => void>> = {
  'the content changes': ({ root }) => writeFileSync(join(root, 'config.json'), '[]'),
  'only times change': ({ root }) => utimesSync(join(root, 'config.json'), 1, 1),
  'a file is another one with the same content': ({ root }) => {
    copyFileSync(join(root, 'config.json'), join(root, 'c'));
    renameSync(join(root, 'c'), join(root, 'config.json'));
  },
  'a file is gone': ({ root }) => rmSync(join(root, 'sub', 'notes.txt')),
  'a file comes, in a folder below': ({ root }) => writeFileSync(join(root, 'sub', 'x.py'), ''),
  'a file comes, at the root': ({ root }) => writeFileSync(join(root, 'adapter_model.safetensors'), ''),
  'the document is gone': ({ folder }) => rmSync(join(folder, 'p.json')),
  'the document is none': ({ folder }) => writeFileSync(join(folder, 'p.json'), '{"schema":"x"}'),
};

for (const [name, change] of Object.entries(CHANGES)) {
  test(`${name}: unknown, until it is verified again`, async (t) => {
    const model = await release(t);
    const path = await written(model);
    const standing = standingOf(path, 0);
    const provenance = readProvenance(readFileSync(path), path);
    t.match(await standing(), { known: true, headers: { 'x-model-sha': provenance.modelSha }, reason: null });
    change(model);
    t.match(await standing(), { known: false, headers: { 'x-model-sha': 'unknown', 'x-bom-id': 'unknown' } });
    if (!name.startsWith('the document')) return;
    await written(model);
    t.match(await standing(), { known: true });
  });
}

test('one look serves a second, however many ask', async (t) => {
  const model = await release(t);
  const path = await written(model);
  const [old, fresh] = [standingOf(path, 3_600_000), standingOf(path, 0)];
  t.match(await old(), { known: true });
  utimesSync(join(model.root, 'config.json'), 1, 1);
  t.match(await old(), { known: true }, 'from the last look');
  t.match(await fresh(), { known: false });
});

test('the sidecar answers health checks and sub-requests', async (t) => {
  const model = await release(t);
  const path = await written(model);
  const { modelSha, bomId } = readProvenance(readFileSync(path), path);
  const server = provenanceServer(standingOf(path, 0)).listen(0, '127.0.0.1');
  t.teardown(() => server.close());
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as { port: number };
  const url = `http://127.0.0.1:${port}`;
  const known = { model: modelSha, bom: bomId, adapter: null };
  t.same(await ask(`${url}/healthz`), { status: 200, ...known });
  t.same(await ask(`${url}/headers`), { status: 204, ...known });
  t.same(
    await ask(`${url}/headers/v1/chat?x-model-sha=other`),
    { status: 204, ...known },
    'a path of a client',
  );
  t.same(await ask(`${url}/healthz?x-model-sha=${modelSha}&x-bom-id=${bomId}`), { status: 200, ...known });
  for (const query of [`x-model-sha=${bomId}`, `x-model-sha=${modelSha}&x-bom-id=unknown`, 'x-adapter-sha=x'])
    t.same(await ask(`${url}/healthz?${query}`), UNKNOWN, `a proxy with old values: ${query.slice(0, 14)}`);
  t.same(await ask(`${url}/other`), { ...UNKNOWN, status: 404 });
  t.equal((await fetch(`${url}/healthz`, { method: 'POST' })).status, 405);
  utimesSync(join(model.root, 'config.json'), 1, 1);
  for (const one of ['/healthz', '/headers', `/healthz?x-model-sha=${modelSha}`])
    t.same(await ask(`${url}${one}`), UNKNOWN, `${one.slice(0, 20)} after a file was touched`);
  t.match(await (await fetch(`${url}/healthz`)).json(), { status: 'unknown', reason: /config\.json/ });
});

const WAYS: Readonly<Record<string, (response: ServerResponse) => void>> = {
  'end alone': (response) => response.end('x'),
  'writeHead with an object': (response) =>
    response.writeHead(200, { 'X-Model-Sha': 'lie', a: '1' }).end('x'),
  'writeHead with a reason and a list': (response) =>
    response.writeHead(200, 'fine', ['x-model-sha', 'lie', 'a', '1']).end('x'),
  'setHeader, then write': (response) => {
    response.setHeader('x-bom-id', 'lie').setHeader('x-adapter-sha', 'lie');
    response.write('x');
    response.end();
  },
};

test('the middleware of a Node server replaces what the application claims', async (t) => {
  const model = await release(t);
  const path = await written(model);
  const { modelSha, bomId } = readProvenance(readFileSync(path), path);
  const guard = provenanceHeaders(path);
  const { port } = await serving(t, (asked, response) => {
    const way = WAYS[decodeURIComponent(asked.url!.slice(1))];
    guard(asked, response, () => (way === undefined ? response.end('fine') : way(response)));
  });
  const url = `http://127.0.0.1:${port}/`;
  for (const way of Object.keys(WAYS))
    t.same(
      await ask(url + encodeURIComponent(way)),
      { status: 200, model: modelSha, bom: bomId, adapter: null },
      way,
    );
  t.equal((await ask(`${url}healthz`)).status, 200);
  utimesSync(join(model.root, 'config.json'), 1, 1);
  await new Promise((resolve) => setTimeout(resolve, 1100));
  t.same(await ask(`${url}end%20alone`), { ...UNKNOWN, status: 200 }, 'answers go on, and vouch for nothing');
  t.same(await ask(`${url}healthz?x`), UNKNOWN);
});

test('raw bytes on the wire have each header once', async (t) => {
  const model = await release(t);
  const guard = provenanceHeaders(await written(model));
  const { port } = await serving(t, (asked, response) =>
    guard(asked, response, () => {
      response.setHeader('x-model-sha', 'lie');
      response.writeHead(200, ['X-Model-Sha', 'lie', 'X-MODEL-SHA', 'lie']).end();
    }),
  );
  const names = await new Promise<string[]>((resolve, reject) => {
    httpRequest({ port, host: '127.0.0.1' }, (answer) => {
      answer.resume();
      resolve(answer.rawHeaders.filter((_, index) => index % 2 === 0).map((name) => name.toLowerCase()));
    })
      .on('error', reject)
      .end();
  });
  t.same(names.filter((name) => name === 'x-model-sha').length, 1);
});

test('a document that cannot be understood says where', (t) => {
  const complaint = (text: string): string => {
    try {
      readProvenance(Buffer.from(text), 'p.json');
      return 'read';
    } catch (error) {
      return (error as Error).message;
    }
  };
  t.match(complaint('{\n "schema": 1,\n "schema": 2}'), /^p\.json:3:2: .*twice/);
  t.match(complaint('{"schema":\n  "steelyard/provenance/2"}'), /^p\.json:2:3: schema: /);
  t.match(complaint('{} x'), /^p\.json:1:4: something follows/);
  t.match(complaint('nonsense'), /^p\.json:1:1: /);
  t.match(complaint(''), /^p\.json:1:1: /);
  t.end();
});

test('no text crashes the reader of documents', async (t) => {
  const whole = provenanceText(await proven(await release(t)));
  const pieces = fc.array(
    fc.tuple(
      fc.nat(whole.length),
      fc.nat(12),
      fc.constantFrom('', '"', '{', '}', ',', '1', '\u0000', '\ud800', 'a'),
    ),
    { minLength: 1, maxLength: 4 },
  );
  fc.assert(
    fc.property(pieces, (edits) => {
      const text = edits.reduce(
        (one, [at, gone, put]) => one.slice(0, at) + put + one.slice(at + gone),
        whole,
      );
      try {
        readProvenance(Buffer.from(text), 'p.json');
      } catch (error) {
        return (error as { code?: string }).code === 'INVALID_DOCUMENT';
      }
      return true;
    }),
    { numRuns: Number(process.env.STEELYARD_FUZZ_RUNS ?? 10_000) },
  );
});

test('what is rendered cannot be made to say something else', (t: Test) => {
  const good = {
    listen: '8080',
    upstream: '127.0.0.1:8000',
    sidecar: 'localhost:9750',
    map: '/run/steelyard/provenance.map',
    log: '/var/log/x.jsonl',
  };
  for (const target of PROXY_TARGETS) {
    t.notMatch(renderProxy(target, good), /sha256:|undefined|\$\{/, target);
    for (const [key, bad] of [
      ['upstream', '127.0.0.1:8000;'],
      ['upstream', 'host'],
      ['sidecar', '127.0.0.1:1\nserver x'],
      ['listen', '80 default'],
      ['map', 'relative.map'],
      ['map', '/x,unknown)'],
      ['log', '/x y'],
    ])
      t.throws(() => renderProxy(target, { ...good, [key!]: bad }), { code: 'USAGE' }, `${target} ${bad}`);
  }
  t.end();
});
