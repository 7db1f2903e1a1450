// Evidence that was made to hurt: mutants of every reader, folders with links and pipes, registries that lie.
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import t from 'tap';
import { Foreign, readForeign } from '../../src/gate/claim/foreign.ts';
import { digestOf } from '../../src/gate/claim/piece.ts';
import { readPurl } from '../../src/gate/evidence/purl.ts';
import { readGrype } from '../../src/gate/evidence/report/grype.ts';
import { readTrivy, readTrivyVersion } from '../../src/gate/evidence/report/trivy.ts';
import { readCosignVuln, readVulns } from '../../src/gate/evidence/report/vulns.ts';
import { readCycloneDx } from '../../src/gate/evidence/sbom/cyclonedx.ts';
import { readSpdx } from '../../src/gate/evidence/sbom/spdx.ts';
import { readBuild } from '../../src/gate/evidence/slsa.ts';
import { readTestResult } from '../../src/gate/evidence/test-result.ts';
import { readOpenVex } from '../../src/gate/evidence/vex.ts';
import { imageFromRegistry } from '../../src/gate/image/registry.ts';
import { readEvidenceFolder } from '../../src/gate/input/folder.ts';
import { readMetadata } from '../../src/gate/layout/metadata.ts';
import { Denied, settled } from '../../src/gate/verdict/denial.ts';
import { packageRoot } from '../kit/root.ts';
import { imageSpecimen } from './specimen/image.ts';
import { world } from './specimen/release.ts';

t.setTimeout(1_200_000);

const READERS: Readonly<Record<string, (body: Foreign) => unknown>> = {
  trivy: readTrivy,
  version: readTrivyVersion,
  grype: readGrype,
  vulns: (body) => readVulns(body, 'nvd'),
  cosign: readCosignVuln,
  cyclonedx: readCycloneDx,
  spdx: readSpdx,
  openvex: (body) => readOpenVex(body, []),
  tests: readTestResult,
  build: readBuild,
};

/** A small generator of its own: the same mutants on every machine. */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

const ODD: readonly unknown[] = [
  null,
  true,
  -1,
  1e308,
  '',
  'x',
  '\u0000',
  [],
  {},
  [[]],
  'sha256:',
  '2026-13-01T00:00:00Z',
];

/** One value somewhere is another one, or gone, or twice as long. */
function mutated(value: unknown, next: () => number): unknown {
  if (next() < 0.15 || typeof value !== 'object' || value === null)
    return ODD[Math.floor(next() * ODD.length)];
  if (Array.isArray(value)) {
    const at = Math.floor(next() * (value.length + 1));
    return value
      .map((one, index) => (index === at ? mutated(one, next) : one))
      .concat(next() < 0.2 ? [ODD[Math.floor(next() * ODD.length)]] : []);
  }
  const keys = Object.keys(value);
  const at = keys[Math.floor(next() * keys.length)];
  if (at === undefined) return ODD[Math.floor(next() * ODD.length)];
  const { [at]: one, ...rest } = value as Record<string, unknown>;
  return next() < 0.1 ? rest : { ...rest, [at]: mutated(one, next) };
}

t.test('mutants of every reader: a refusal or facts, nothing else', (t) => {
  const seedOf = (path: string): unknown =>
    readForeign(readFileSync(join(packageRoot, 'fixtures', 'compat', path))).value;
  const recorded = seedOf('cosign-images/recorded.json') as { bodies: Record<string, unknown> };
  const predicates = Object.values(recorded.bodies).flatMap((body): [string, unknown][] => {
    const [, payload] = /"payload":"([^"]*)"/.exec(String(body)) ?? [];
    if (payload === undefined) return [];
    const { predicateType, predicate } = JSON.parse(Buffer.from(payload, 'base64').toString('utf8'));
    return [[String(predicateType), predicate]];
  });
  const predicateOf = (type: RegExp): unknown => predicates.find(([name]) => type.test(name))?.[1];
  const { release } = world();
  const statement = (path: string): unknown => {
    const file = release.evidence.find((one) => one.path === path)!;
    const { dsseEnvelope } = JSON.parse(file.bytes.toString('utf8'));
    return JSON.parse(Buffer.from(dsseEnvelope.payload, 'base64').toString('utf8')).predicate;
  };
  const SEEDS: Readonly<Record<string, unknown>> = {
    trivy: seedOf('reports/made/trivy-bound.json'),
    version: {
      Version: '0.74.0',
      VulnerabilityDB: { UpdatedAt: '2026-11-30T00:00:00Z', DownloadedAt: '2026-11-30T00:00:00Z' },
    },
    grype: seedOf('reports/made/grype-bound.json'),
    vulns: {
      scanner: {
        uri: 'x',
        db: { lastUpdate: '2026-11-30T00:00:00Z' },
        result: [{ id: 'CVE-1', severity: [{ method: 'nvd', score: '3.1' }] }],
      },
      metadata: { scanStartedOn: '2026-11-30T00:00:00Z', scanFinishedOn: '2026-11-30T00:00:00Z' },
    },
    cosign: predicateOf(/vuln\/v1$/),
    cyclonedx: seedOf('reports/trivy-sbom/cyclonedx/bom.json'),
    spdx: seedOf('reports/trivy-sbom/spdx/bom.json'),
    openvex: seedOf('reports/vex/grype/openvex-demo2.json'),
    tests: statement('evidence/performance.intoto.jsonl'),
    build: statement('evidence/build.intoto.jsonl'),
  };
  const runs = process.env.STEELYARD_LONG === '1' ? 1_000_000 : 10_000;
  for (const [name, read] of Object.entries(READERS)) {
    const next = random(name.length * 7919);
    let refused = 0;
    for (let run = 0; run < runs; run++) {
      const body = mutated(SEEDS[name], next);
      try {
        read(new Foreign(body, '', 'MALFORMED_EVIDENCE'));
      } catch (error) {
        if (!(error instanceof Denied)) {
          t.fail(`${name}: ${(error as Error).stack} for ${JSON.stringify(body).slice(0, 300)}`);
          return t.end();
        }
        refused++;
      }
    }
    t.ok(refused > 0 && refused < runs, `${name}: ${refused} of ${runs} refused`);
  }
  const next = random(1);
  for (let run = 0; run < runs; run++) {
    const text = Array.from({ length: 20 }, () => 'pkg:/@?#%2Foci&=a'[Math.floor(next() * 17)]).join('');
    readPurl(`pkg:${text}`);
    settled(() =>
      readMetadata(
        Buffer.from(
          JSON.stringify(
            mutated({ signed: { _type: 'layout' }, signatures: [{ keyid: 'a', sig: 'ab' }] }, next),
          ),
        ),
      ),
    );
  }
  return t.end();
});

t.test('folders: links, pipes, too many files, too large ones', (t) => {
  const folder = t.testdir({ link: {}, pipe: {}, many: {}, large: {} });
  const at = (...path: string[]): string => join(folder, ...path);
  symlinkSync('/etc/passwd', at('link', 'x.json'));
  t.throws(() => readEvidenceFolder(at('link'), 'evidence'), { code: 'NOT_REGULAR' });
  symlinkSync('/etc', at('link', 'folder'));
  t.throws(() => readEvidenceFolder(at('link'), 'evidence'), { code: 'NOT_REGULAR' });
  execFileSync('mkfifo', [at('pipe', 'x.json')]);
  t.throws(() => readEvidenceFolder(at('pipe'), 'evidence'), { code: 'NOT_REGULAR' });
  for (let i = 0; i <= 1000; i++) writeFileSync(at('many', `${i}.json`), '');
  t.throws(() => readEvidenceFolder(at('many'), 'evidence'), { code: 'LIMIT' });
  writeFileSync(at('large', 'x.json'), '');
  truncateSync(at('large', 'x.json'), 65 * 2 ** 20);
  t.throws(() => readEvidenceFolder(at('large'), 'evidence'), { code: 'LIMIT' });
  let deep = at('deep');
  for (let i = 0; i < 20; i++) deep = join(deep, 'x');
  mkdirSync(deep, { recursive: true });
  t.throws(() => readEvidenceFolder(at('deep'), 'evidence'), { code: 'LIMIT' });
  t.same(readEvidenceFolder(at('nothing'), 'evidence'), [], 'an absent folder has none');
  t.end();
});

/** A registry on 127.0.0.1 for as long as `ask` runs. */
async function registry<T>(listener: RequestListener, ask: (host: string) => Promise<T>): Promise<T> {
  const server = createServer(listener).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  try {
    return await ask(`127.0.0.1:${(server.address() as AddressInfo).port}`);
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

t.test('registries that lie', async (t) => {
  const image = imageSpecimen();
  const bodies = new Map(image.files.map(([, bytes]) => [digestOf(bytes), bytes]));
  const honest: RequestListener = (request, response) => {
    const found = bodies.get(decodeURIComponent(request.url!.split('/').at(-1)!));
    response.writeHead(found === undefined ? 404 : 200, { 'content-type': 'text/plain' });
    response.end(found ?? 'no');
  };
  const fetched = (listener: RequestListener) =>
    registry(listener, (host) =>
      imageFromRegistry(`${host}/acme/server@${image.digest}`, { env: {}, http: { pause: () => 0 } }),
    );
  const names = (await fetched(honest)).map(({ name }) => name);
  t.equal(names.length, 5, 'index, two manifests, two configurations');
  const other: RequestListener = (_, response) => void response.end('{"schemaVersion":2}');
  await t.rejects(fetched(other), { code: 'DIGEST_MISMATCH' });
  const empty = digestOf(Buffer.from('{}'));
  const list = (digests: string[]) =>
    JSON.stringify({
      schemaVersion: 2,
      manifests: digests.map((digest) => ({ digest, artifactType: 'text/wrong' })),
    });
  const answering =
    (answer: string, headers = {}): RequestListener =>
    (request, response) => {
      if (!request.url!.includes('/referrers/')) return honest(request, response);
      response.writeHead(200, headers);
      return response.end(answer);
    };
  await t.rejects(fetched(answering('<html>')), { code: 'NETWORK' });
  await t.rejects(fetched(answering(list([empty]))), { code: 'NOT_FOUND' }, 'a referrer that is not there');
  await t.rejects(
    fetched(answering(list(Array.from({ length: 1001 }, (_, i) => digestOf(Buffer.from(String(i))))))),
    { code: 'LIMIT' },
  );
  const endless: RequestListener = (request, response) => {
    if (!request.url!.includes('/referrers/')) return honest(request, response);
    response.writeHead(200, { link: `<${request.url}>; rel="next"` });
    return response.end(list([]));
  };
  await t.rejects(fetched(endless), { code: 'LIMIT' }, 'pages without end');
  const away: RequestListener = (request, response) => {
    response.writeHead(303, { location: `http://example.invalid${request.url}` });
    response.end();
  };
  await t.rejects(fetched(away), { code: 'SOURCE_REDIRECT' }, 'plain text to another host');
  const asking: RequestListener = (_, response) => {
    response.writeHead(401, { 'www-authenticate': 'Bearer realm="https://evil.example/token",service="x"' });
    response.end();
  };
  await t.rejects(fetched(asking), { code: 'SOURCE_REDIRECT' }, 'a token from another host');
  await t.rejects(
    imageFromRegistry('registry.example/acme/server:latest', { env: {} }),
    { code: 'USAGE' },
    'a tag',
  );
});
