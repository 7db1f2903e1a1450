// Buckets: signatures against the vectors that AWS publishes, the XML of listings, and pulls from moto's server.
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import t from 'tap';
import { SteelyardError } from '../../src/rules/error.ts';
import { signedHeaders } from '../../src/source/s3/sigv4.ts';
import { readListing } from '../../src/source/s3/xml.ts';
import { openSource, type Source } from '../../src/source/source.ts';
import { packageRoot } from '../kit/root.ts';
import { listening } from './hub-server.ts';

t.setTimeout(600_000);

t.test('a signature over a body, as botocore makes it', (t) => {
  const { authorization } = signedHeaders({
    method: 'POST',
    url: new URL('https://kms.eu-central-1.amazonaws.com/'),
    headers: { 'content-type': 'application/x-amz-json-1.1', 'x-amz-target': 'TrentService.Sign' },
    body: '{"KeyId":"alias/x"}',
    keys: {
      accessKeyId: 'AKIDEXAMPLE',
      secretAccessKey: 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY',
      sessionToken: 'session',
    },
    region: 'eu-central-1',
    service: 'kms',
    now: new Date('2026-11-30T12:00:00Z'),
  });
  // botocore 1, SigV4Auth.
  t.match(authorization, 'Signature=fcfeeeb0081eacc29fd6a04581e650b2ca6f6a89d65de6d1c071f4a6f507d639');
  t.end();
});

t.test('signatures as AWS documents them', (t) => {
  // "Examples: Signature Calculations" in the S3 API reference; get-vanilla of the signature version 4 test suite.
  const s3 = {
    method: 'GET',
    keys: {
      accessKeyId: 'AKIAIOSFODNN7EXAMPLE',
      secretAccessKey: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY',
    },
    region: 'us-east-1',
    service: 's3',
    now: new Date('2013-05-24T00:00:00Z'),
  };
  const bucket = 'https://examplebucket.s3.amazonaws.com';
  const vectors = [
    [
      `${bucket}/test.txt`,
      { range: 'bytes=0-9' },
      'f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41',
    ],
    [`${bucket}/?lifecycle`, {}, 'fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543'],
    [
      `${bucket}/?max-keys=2&prefix=J`,
      {},
      '34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7',
    ],
  ] as const;
  for (const [url, headers, signature] of vectors)
    t.match(
      signedHeaders({ ...s3, url: new URL(url), headers }).authorization,
      new RegExp(`Signature=${signature}$`),
      url,
    );
  const suite = {
    method: 'GET',
    url: new URL('https://example.amazonaws.com/'),
    headers: {},
    keys: { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY' },
    region: 'us-east-1',
    service: 'service',
    now: new Date('2015-08-30T12:36:00Z'),
  };
  t.match(
    signedHeaders(suite).authorization,
    /Signature=5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31$/,
  );
  t.end();
});

const listing = (inside: string): string =>
  `<?xml version="1.0" encoding="UTF-8"?>\n<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">${inside}</ListBucketResult>`;
const object = (key: string, size = '3'): string =>
  `<Contents><Key>${key}</Key><ETag>&quot;a&quot;</ETag><Size>${size}</Size><StorageClass>STANDARD</StorageClass></Contents>`;

t.test('listings', (t) => {
  t.same(readListing(listing(`<IsTruncated>false</IsTruncated>${object('a &amp; &#x62;')}`)), {
    objects: [{ key: 'a & b', size: 3, etag: '"a"' }],
    next: null,
  });
  const more = `<IsTruncated>true</IsTruncated><NextContinuationToken>t</NextContinuationToken>`;
  t.equal(readListing(listing(more + object('a'))).next, 't');
  t.equal(readListing(listing(object('a') + more)).next, 't');
  const bad = [
    '',
    '<Error/>',
    listing('<IsTruncated>true</IsTruncated>'),
    listing(object('a', '-1')),
    listing(object('a', '9'.repeat(20))),
    listing('<!DOCTYPE x>'),
    listing('<!-- <Contents> -->'),
    listing('<Contents><Key>a'),
    listing(object('&#0;')),
    listing(object('&bomb;')),
    listing(object('<Key>a</Key>')),
    `<!DOCTYPE x [<!ENTITY a "b">]>${listing('')}`,
  ];
  for (const text of bad) t.throws(() => readListing(text), { code: 'NETWORK' }, text);
  t.end();
});

t.test('no listing makes the reader throw anything else', (t) => {
  const seed = listing(
    `<IsTruncated>true</IsTruncated><NextContinuationToken>t</NextContinuationToken>${object('a &lt; b')}${object('c')}`,
  );
  const text = fc.oneof(
    fc.stringMatching(/^[<>/&;#?!A-Za-z0-9]{0,30}$/),
    fc.constantFrom('<Contents>', '</Contents>', '<Key>', '</Size>', '&#x'),
  );
  const mutant = fc
    .tuple(fc.nat(seed.length), fc.nat(40), text)
    .map(([at, cut, put]) => seed.slice(0, at) + put + seed.slice(at + cut));
  fc.assert(
    fc.property(mutant, (one) => {
      try {
        return readListing(one).objects.every(({ key, size }) => typeof key === 'string' && size >= 0);
      } catch (error) {
        return error instanceof SteelyardError && error.code === 'NETWORK';
      }
    }),
    { numRuns: Number(process.env.STEELYARD_RUNS ?? 10_000) },
  );
  t.end();
});

const WEIGHTS = readFileSync(join(packageRoot, 'fixtures', 'real', 'reference-f16.safetensors'));
const KEYS = { AWS_ACCESS_KEY_ID: 'test', AWS_SECRET_ACCESS_KEY: 'testtest', AWS_REGION: 'us-east-1' };

/** moto checks who is named and not the signature. */
const OWNER =
  'AWS4-HMAC-SHA256 Credential=test/20300101/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=0';

async function put(url: string, body: Buffer): Promise<void> {
  const answer = await fetch(url, {
    method: 'PUT',
    body: new Uint8Array(body),
    headers: { authorization: OWNER },
  });
  if (!answer.ok) throw new Error(`${url}: ${answer.status} ${await answer.text()}`);
}

const bytesOf = async (source: Source, path: string): Promise<Buffer> => {
  const file = source.files.find((one) => one.path === path)!;
  const pieces: Uint8Array[] = [];
  for await (const piece of source.read(file, 0, file.size)) pieces.push(piece);
  return Buffer.concat(pieces);
};

const moto = spawnSync('moto_server', ['--help']).status === 0;
t.test(
  'a real server',
  { skip: moto ? false : 'moto_server is not installed: pip install moto[server,s3]' },
  async (t) => {
    const { port, close } = await listening(() => undefined);
    await close();
    const server = spawn('moto_server', ['-H', '127.0.0.1', '-p', String(port)], { stdio: 'ignore' });
    t.teardown(() => ended(server));
    const endpoint = `http://127.0.0.1:${port}`;
    await answering(endpoint);
    const env = { ...KEYS, AWS_ENDPOINT_URL: endpoint };
    await put(`${endpoint}/models`, Buffer.alloc(0));
    await put(`${endpoint}/models/lora/a%20b.safetensors`, WEIGHTS);
    await put(`${endpoint}/models/lora/sub/c.safetensors`, WEIGHTS);
    await put(`${endpoint}/models/lorax`, Buffer.from('x'));

    const folder = await openSource('s3://models/lora', { env });
    t.same(
      folder.files.map(({ path, size }) => [path, size]),
      [
        ['a b.safetensors', WEIGHTS.length],
        ['sub/c.safetensors', WEIGHTS.length],
      ],
    );
    t.equal(folder.pin.kind, 'etag');
    t.ok((await bytesOf(folder, 'a b.safetensors')).equals(WEIGHTS));

    const one = await openSource('s3://models/lora/sub/c.safetensors', { env });
    await put(`${endpoint}/models/lora/sub/c.safetensors`, Buffer.from(WEIGHTS.map((byte) => byte ^ 1)));
    await t.rejects(
      bytesOf(one, 'c.safetensors'),
      { code: 'SOURCE_CHANGED' },
      'a version that was replaced is not mixed in',
    );
    await t.rejects(openSource('s3://models/nothing', { env }), { code: 'NOT_FOUND' });
    await Promise.all([folder.close(), one.close()]);
  },
);

const ended = (server: ChildProcess): Promise<void> =>
  new Promise((resolve) => {
    server.once('exit', () => resolve());
    server.kill();
  });

async function answering(url: string): Promise<void> {
  for (let tries = 0; tries < 600; tries++) {
    if (
      await fetch(url).then(
        () => true,
        () => false,
      )
    )
      return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error(`${url} does not answer`);
}

t.test('what a bucket says of a digest, and what it does not', async (t) => {
  const seen: Record<string, unknown>[] = [];
  const digest = 'JgQEkBDW2gaVuD3VKtXZOhPcQfgeVzT8c6OdexQkUP8=';
  const objects: Record<string, Record<string, string>> = {
    full: { 'x-amz-checksum-sha256': digest, 'x-amz-checksum-type': 'FULL_OBJECT', 'x-amz-version-id': 'v1' },
    composite: { 'x-amz-checksum-sha256': `${digest}-2`, 'x-amz-checksum-type': 'COMPOSITE' },
    unfaithful: { 'x-amz-checksum-sha256': digest, 'x-amz-checksum-type': 'COMPOSITE' },
  };
  const server = await listening((request, response) => {
    seen.push({ method: request.method, url: request.url, ...request.headers });
    const key = new URL(request.url!, 'http://x').pathname.split('/').at(-1)!;
    const found = objects[key];
    if (found === undefined) return void response.writeHead(404).end();
    response.writeHead(request.method === 'HEAD' ? 200 : 206, {
      'content-length': 3,
      etag: '"e"',
      'content-range': 'bytes 0-2/3',
      ...found,
    });
    response.end(request.method === 'HEAD' ? undefined : 'abc');
  });
  t.teardown(server.close);
  const env = { ...KEYS, AWS_SESSION_TOKEN: 'session', AWS_ENDPOINT_URL: server.url };
  const found = async (key: string) => {
    const source = await openSource(`s3://models/${key}`, { env });
    t.equal((await bytesOf(source, key)).toString(), 'abc');
    await source.close();
    return source;
  };
  const full = await found('full');
  t.same(full.files[0]!.expected, {
    algorithm: 'sha256',
    value: Buffer.from(digest, 'base64').toString('hex'),
  });
  t.same([full.pin.kind, full.uri], ['version', 's3://models/full?versionId=v1']);
  t.match(seen.at(-1), {
    url: '/models/full?versionId=v1',
    'x-amz-security-token': 'session',
    'if-match': undefined,
  });
  for (const key of ['composite', 'unfaithful']) {
    const source = await found(key);
    t.equal(source.files[0]!.expected, null, key);
    t.match(seen.at(-1), { 'if-match': '"e"', range: 'bytes=0-2' });
  }
});

t.test('whose keys are used', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'steelyard-s3-'));
  t.teardown(() => rmSync(folder, { recursive: true }));
  writeFileSync(join(folder, 'token'), 'web-token\n');
  writeFileSync(
    join(folder, 'credentials'),
    '[default]\naws_access_key_id = FILE\naws_secret_access_key = s\n[dev]\naws_access_key_id=DEV\naws_secret_access_key=s\n',
  );
  const seen: string[] = [];
  const server = await listening((request, response) => {
    if (request.url === '/creds') {
      seen.push(`creds ${request.headers.authorization}`);
      return void response.end(
        '{"AccessKeyId":"BOX","SecretAccessKey":"s","Token":"t","Expiration":"2099-01-01T00:00:00Z"}',
      );
    }
    if (request.method === 'POST') {
      let body = '';
      request.on('data', (data) => {
        body += data;
      });
      request.on('end', () => {
        seen.push(new URLSearchParams(body).get('WebIdentityToken')!);
        response.end(
          '<R><Credentials><AccessKeyId>WEB</AccessKeyId><SecretAccessKey>s</SecretAccessKey><SessionToken>t</SessionToken></Credentials></R>',
        );
      });
      return;
    }
    seen.push(/Credential=(\w+)\//.exec(request.headers.authorization ?? '')?.[1] ?? 'nobody');
    response.writeHead(200, { 'content-length': 3, etag: '"e"' }).end();
  });
  t.teardown(server.close);
  const asked = async (env: Record<string, string>): Promise<string[]> => {
    seen.length = 0;
    const base = { AWS_ENDPOINT_URL: server.url, HOME: join(folder, 'nowhere') };
    const source = await openSource('s3://models/a', { env: { ...base, ...env } });
    await source.close();
    return [...seen];
  };
  const files = { AWS_SHARED_CREDENTIALS_FILE: join(folder, 'credentials') };
  t.same(await asked({}), ['nobody']);
  t.same(await asked({ AWS_ACCESS_KEY_ID: 'ENV', AWS_SECRET_ACCESS_KEY: 's', ...files }), ['ENV']);
  t.same(await asked(files), ['FILE']);
  t.same(await asked({ ...files, AWS_PROFILE: 'dev' }), ['DEV']);
  await t.rejects(asked({ ...files, AWS_PROFILE: 'other' }), { code: 'UNAUTHORIZED' });
  t.same(
    await asked({
      AWS_CONTAINER_CREDENTIALS_FULL_URI: `${server.url}/creds`,
      AWS_CONTAINER_AUTHORIZATION_TOKEN: 'box',
    }),
    ['creds box', 'BOX'],
  );
  await t.rejects(asked({ AWS_CONTAINER_CREDENTIALS_FULL_URI: 'http://evil.example/' }), { code: 'USAGE' });
  const web = { AWS_ROLE_ARN: 'arn:aws:iam::1:role/x', AWS_WEB_IDENTITY_TOKEN_FILE: join(folder, 'token') };
  t.same(await asked({ ...web, AWS_ENDPOINT_URL_STS: server.url }), ['web-token', 'WEB']);
});
