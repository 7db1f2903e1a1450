// Keys in AWS KMS: moto's server, and servers that lie.
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { generateKeyPairSync, sign } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import t from 'tap';
import { openKey } from '../../../src/proof/keys/keys.ts';
import type { RemoteKey } from '../../../src/proof/sign/sealing.ts';
import { signDocument } from '../../../src/proof/sign/sign.ts';
import { verifyDocument } from '../../../src/proof/sign/verify.ts';
import { askAws } from '../../../src/source/s3/aws-json.ts';
import { packageRoot } from '../../kit/root.ts';
import { steelyard } from '../../kit/steelyard.ts';

t.setTimeout(600_000);

const MODEL = join(packageRoot, 'fixtures/real/tiny-lora');
const DOCUMENT = Buffer.from('the bytes of an MBOM');
const SECRET = 'tell-nobody-0123456789';
const ENV = { AWS_ACCESS_KEY_ID: 'AKIAEXAMPLE', AWS_SECRET_ACCESS_KEY: SECRET, AWS_REGION: 'us-east-1' };

/** moto 5.2 takes a digest for a message and hashes it again, which KMS does not: there, MessageType says what it is. */
const MOTO = `
from cryptography.hazmat.primitives.asymmetric import ec, utils
from moto.kms.utils import ECDSAPrivateKey
from moto.server import main
hashes = ECDSAPrivateKey._ECDSAPrivateKey__hash_algorithm
ECDSAPrivateKey.sign = lambda self, message, name: self.private_key.sign(message, ec.ECDSA(utils.Prehashed(hashes(self, name))))
main()`;
const PYTHON = process.env.STEELYARD_PYTHON ?? 'python3';
const moto = spawnSync(PYTHON, ['-c', 'import moto.server'], { cwd: '/' }).status === 0;
t.test(
  'moto signs',
  { skip: moto ? false : 'NOT RUN: moto is not installed: pip install moto[server]' },
  async (t) => {
    const { port, close } = await server(() => [200, {}]);
    await close();
    const child = spawn(PYTHON, ['-c', MOTO, '-H', '127.0.0.1', '-p', String(port)], {
      stdio: 'ignore',
      cwd: '/',
    });
    t.teardown(() => ended(child));
    const endpoint = `http://127.0.0.1:${port}`;
    await answering(endpoint);
    const service = { service: 'kms', region: 'us-east-1', endpoint, env: ENV };
    const made = async (spec: string, usage = 'SIGN_VERIFY') => {
      const { KeyMetadata } = await askAws(service, 'TrentService.CreateKey', {
        KeySpec: spec,
        KeyUsage: usage,
      });
      return KeyMetadata as { KeyId: string; Arn: string };
    };
    for (const curve of ['256', '384', '521']) {
      const { KeyId, Arn } = await made(`ECC_NIST_P${curve}`);
      for (const [uri, env] of [
        [`awskms://127.0.0.1:${port}/${KeyId}`, ENV],
        [`awskms:///${Arn}`, { ...ENV, AWS_REGION: undefined, AWS_ENDPOINT_URL_KMS: endpoint }],
      ] as const) {
        const key = (await openKey(uri, { env })) as RemoteKey;
        const bundle = Buffer.from(await signDocument(DOCUMENT, key));
        const trust = {
          method: 'key',
          publicKey: key.publicKey.export({ type: 'spki', format: 'pem' }),
        } as const;
        t.equal(verifyDocument(DOCUMENT, bundle, trust).verified, true, uri);
        t.equal(verifyDocument(Buffer.from('others'), bundle, trust).verified, false);
      }
    }
    const { KeyId } = await made('ECC_NIST_P256');
    await askAws(service, 'TrentService.CreateAlias', {
      AliasName: 'alias/model-signing',
      TargetKeyId: KeyId,
    });
    const output = join(t.testdir(), 'model.sig');
    const args = ['sign', MODEL, '--key', 'awskms:///alias/model-signing', '-o', output];
    const { code, stderr, stdout } = await steelyard(args, { ...ENV, AWS_ENDPOINT_URL: endpoint });
    t.equal(code, 0, stderr);
    for (const said of [stderr, stdout, readFileSync(output, 'utf8')])
      t.notMatch(said, SECRET, 'the secret is told nowhere');

    const refused: [string, RegExp][] = [
      [(await made('RSA_2048')).KeyId, /is a key of the kind rsa/],
      [(await made('ECC_SECG_P256K1')).KeyId, /is a key of the kind secp256k1/],
      ['00000000-0000-4000-8000-000000000000', /has no such key \(NotFoundException\)/],
    ];
    for (const [id, message] of refused)
      await t.rejects(openKey(`awskms://127.0.0.1:${port}/${id}`, { env: ENV }), { message }, id);
  },
);

t.test('a service that lies', async (t) => {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const other = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const spki = (key: typeof publicKey) => key.export({ type: 'spki', format: 'der' }).toString('base64');
  const good = { KeyUsage: 'SIGN_VERIFY', PublicKey: spki(publicKey) };
  const signed = { Signature: sign('sha256', DOCUMENT, privateKey).toString('base64') };
  const cases: [name: string, answers: Answers, code: string, message: RegExp][] = [
    [
      'another key signs',
      { key: good, sign: { Signature: sign('sha256', DOCUMENT, other.privateKey).toString('base64') } },
      'INVALID_DOCUMENT',
      /no signature by the key/,
    ],
    [
      'other bytes are signed',
      { key: good, sign: { Signature: sign('sha256', Buffer.from('x'), privateKey).toString('base64') } },
      'INVALID_DOCUMENT',
      /no signature by the key/,
    ],
    [
      'another hash',
      { key: good, sign: { Signature: sign('sha384', DOCUMENT, privateKey).toString('base64') } },
      'INVALID_DOCUMENT',
      /no signature by the key/,
    ],
    ['no signature', { key: good, sign: {} }, 'INVALID_DOCUMENT', /something else/],
    [
      'garbage for a signature',
      { key: good, sign: { Signature: '!!' } },
      'INVALID_DOCUMENT',
      /no signature by the key/,
    ],
    [
      'garbage for a key',
      { key: { ...good, PublicKey: 'AAAA' }, sign: signed },
      'INVALID_DOCUMENT',
      /no public key that can be read/,
    ],
    [
      'a key for something else',
      { key: { ...good, KeyUsage: 'KEY_AGREEMENT' }, sign: signed },
      'USAGE',
      /may not sign/,
    ],
    ['no JSON', { key: Buffer.from('{"KeyUsage":'), sign: signed }, 'NETWORK', /strict JSON/],
    ['one key twice', { key: Buffer.from('{"a":1,"a":2}'), sign: signed }, 'NETWORK', /strict JSON/],
    ['too much', { key: Buffer.alloc(70_000, 0x20), sign: signed }, 'LIMIT', /more than 65536 bytes/],
    [
      'not us',
      { key: [400, { __type: 'AccessDeniedException', message: SECRET }], sign: signed },
      'UNAUTHORIZED',
      /AccessDeniedException/,
    ],
    [
      'an old token',
      { key: [400, { __type: 'com.amazon.coral#ExpiredTokenException' }], sign: signed },
      'UNAUTHORIZED',
      /ExpiredTokenException/,
    ],
    [
      'a key that is off',
      { key: good, sign: [400, { __type: 'DisabledException' }] },
      'USAGE',
      /does not do it \(DisabledException\)/,
    ],
    ['an error in escapes', { key: [400, { __type: '\u001b[2J' }], sign: signed }, 'NETWORK', /answers 400/],
    ['forbidden', { key: [403, Buffer.alloc(0)], sign: signed }, 'UNAUTHORIZED', /403/],
    ['sent on', { key: [307, {}], sign: signed }, 'NETWORK', /answers 307/],
  ];
  for (const [name, answers, code, message] of cases) {
    const { port, close } = await server(({ headers }) =>
      asAnswer(headers['x-amz-target'] === 'TrentService.Sign' ? answers.sign : answers.key),
    );
    try {
      const done = async () =>
        signDocument(DOCUMENT, (await openKey(`awskms://127.0.0.1:${port}/k`, { env: ENV })) as RemoteKey);
      const error = await done().then(
        () => null,
        (error) => error,
      );
      t.match(error, { code, message }, name);
      t.notMatch(String(error?.message), SECRET);
    } finally {
      await close();
    }
  }
});

t.test('names of keys', async (t) => {
  const refused: [string, Record<string, string | undefined>, RegExp][] = [
    ['awskms://', ENV, /is named/],
    ['awskms:///', ENV, /is named/],
    ['awskms:///a b', ENV, /is named/],
    ['awskms://user@127.0.0.1/k', ENV, /is named/],
    ['awskms:///k', { ...ENV, AWS_REGION: undefined }, /in which region/],
    ['awskms:///k', { ...ENV, AWS_REGION: 'evil.example/' }, /in which region/],
    ['awskms:///k', { ...ENV, AWS_ENDPOINT_URL: 'http://10.0.0.1/' }, /must be https/],
    ['awskms://127.0.0.1:1/k', { HOME: t.testdir(), AWS_REGION: 'x' }, /give keys by/],
    ['gcpkms://projects/p', ENV, /command:PROGRAM/],
    ['hashivault://k', ENV, /command:PROGRAM/],
    ['env://', ENV, /is named env:\/\/NAME/],
    ['env://NOT_THERE', ENV, /has no key called NOT_THERE/],
  ];
  for (const [uri, env, message] of refused) await t.rejects(openKey(uri, { env }), { message }, uri);
  t.equal(await openKey('model.pem', { env: ENV }), null);
  t.equal(await openKey('./pkcs11:object=x', { env: ENV }), null);
});

t.test('a key in the environment', async (t) => {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-384' });
  const folder = t.testdir();
  const MODEL_KEY = privateKey
    .export({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'word' })
    .toString();
  writeFileSync(join(folder, 'word'), 'word\n');
  const args = [
    'sign',
    MODEL,
    '--key',
    'env://MODEL_KEY',
    '--password-file',
    join(folder, 'word'),
    '-o',
    join(folder, 's'),
  ];
  const { code, stderr } = await steelyard(args, { MODEL_KEY });
  t.equal(code, 0, stderr);
});

interface Answers {
  readonly key: object;
  readonly sign: object;
}
type Given = readonly [status: number, body: object];

const asAnswer = (answer: object): Given =>
  Array.isArray(answer) ? (answer as unknown as Given) : [200, answer];

async function server(answer: (request: IncomingMessage) => Given) {
  const listening = createServer((request, response) => {
    const [status, body] = answer(request);
    request.resume().on('end', () => {
      response.writeHead(status, status === 307 ? { location: '/elsewhere' } : {});
      response.end(Buffer.isBuffer(body) ? body : JSON.stringify(body));
    });
  });
  await new Promise<void>((resolve) => listening.listen(0, '127.0.0.1', resolve));
  const { port } = listening.address() as AddressInfo;
  return { port, close: () => new Promise<void>((resolve) => listening.close(() => resolve())) };
}

const ended = (child: ChildProcess): Promise<void> =>
  new Promise((resolve) => {
    child.once('exit', () => resolve());
    child.kill();
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
