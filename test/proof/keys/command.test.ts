// Programs that sign: honest ones, and every way to be a bad one.
import { execFileSync } from 'node:child_process';
import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { openKey } from '../../../src/proof/keys/keys.ts';
import type { RemoteKey } from '../../../src/proof/sign/sealing.ts';
import { signDocument } from '../../../src/proof/sign/sign.ts';
import { verifyDocument } from '../../../src/proof/sign/verify.ts';
import { patience } from '../../kit/patience.ts';
import { packageRoot } from '../../kit/root.ts';
import { steelyard } from '../../kit/steelyard.ts';

t.setTimeout(300_000);

const MODEL = join(packageRoot, 'fixtures/real/tiny-lora');
const DOCUMENT = Buffer.from('the bytes of an MBOM');
const pem = (key: KeyObject): string => key.export({ type: 'spki', format: 'pem' }).toString();

/** A program in JavaScript: `body` has the question, the pair of the key, crypto, and `answer`. */
function program(
  folder: string,
  name: string,
  body: string,
  curve = 'P-256',
): { path: string; publicKey: KeyObject } {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: curve });
  const path = join(folder, `${name}.cjs`);
  writeFileSync(
    path,
    `#!${process.execPath}
const crypto = require('node:crypto');
const privateKey = crypto.createPrivateKey(${JSON.stringify(privateKey.export({ type: 'pkcs8', format: 'pem' }))});
const publicKey = ${JSON.stringify(pem(publicKey))};
const question = JSON.parse(require('node:fs').readFileSync(0, 'utf8'));
const bytes = Buffer.from(question.bytes ?? '', 'base64');
const answer = (value) => process.stdout.write(typeof value === 'string' ? value : JSON.stringify(value));
const sign = (more) => crypto.sign(question.hash, bytes, { key: privateKey, ...more }).toString('base64');
const isSign = question.operation === 'sign';
${body}`,
  );
  chmodSync(path, 0o700);
  return { path, publicKey };
}

const HONEST = 'answer(isSign ? { publicKey, signature: sign() } : { publicKey });';

const signedBy = async (path: string, seconds = 60): Promise<string> => {
  const key = await openKey(`command:${path}`, { env: process.env, patience: patience(seconds) });
  return signDocument(DOCUMENT, key as RemoteKey);
};

t.test('a program signs', async (t) => {
  const folder = t.testdir();
  for (const curve of ['P-256', 'P-384', 'P-521'])
    for (const [form, body] of [
      ['der', HONEST],
      [
        'p1363',
        "answer({ publicKey, signature: isSign ? sign({ dsaEncoding: 'ieee-p1363' }) : undefined, form: 'p1363' });",
      ],
    ] as const) {
      const { path, publicKey } = program(folder, `${curve}-${form}`, body, curve);
      const bundle = Buffer.from(await signedBy(path));
      const trust = { method: 'key', publicKey: pem(publicKey) } as const;
      t.equal(verifyDocument(DOCUMENT, bundle, trust).verified, true, `${curve} ${form}`);
      for (let at = 0; at < bundle.length; at += 7) {
        const changed = Buffer.from(bundle);
        changed[at]! ^= 1;
        const { verified } = verifyDocument(DOCUMENT, changed, trust);
        // The hint may be left out or be another spelling; what is signed may not.
        if (verified) t.match(JSON.parse(changed.toString()), JSON.parse(bundle.toString()), `byte ${at}`);
      }
    }
});

t.test('what it is asked, and what it is not given', async (t) => {
  const folder = t.testdir();
  const { path, publicKey } = program(
    folder,
    'signer',
    `require('node:fs').appendFileSync(${JSON.stringify(join(folder, 'log'))}, JSON.stringify({ question,
      argv: process.argv.slice(2), cmdline: require('node:fs').readFileSync('/proc/self/cmdline', 'latin1'), env: process.env }) + '\\n');
    ${HONEST}`,
  );
  const env = {
    STEELYARD_KEY_PASSWORD: 'pw-77',
    STEELYARD_PKCS11_PIN: 'pin-77',
    SIGSTORE_ID_TOKEN: 'tok-77',
    VAULT_TOKEN: 'v',
  };
  const output = join(folder, 'model.sig');
  const { code, stderr, stdout } = await steelyard(
    ['sign', MODEL, '--key', `command:${path}`, '-o', output],
    env,
  );
  t.equal(code, 0, stderr);
  const log = readFileSync(join(folder, 'log'), 'utf8');
  const [first, second] = log
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  t.same(first.question, { protocol: 'steelyard/signer/1', operation: 'public-key' });
  t.same(Object.keys(second.question), ['protocol', 'operation', 'hash', 'digest', 'bytes']);
  t.same(second.argv, []);
  t.equal(second.env.VAULT_TOKEN, 'v', 'its own secrets reach it');
  for (const said of [log, stderr, stdout, readFileSync(output, 'utf8')])
    t.notMatch(said, /pw-77|pin-77|tok-77/);
  t.match(
    (await steelyard(['verify', MODEL, '--signature', output, '--public-key', keyFile(folder, publicKey)]))
      .code,
    0,
  );
});

function keyFile(folder: string, key: KeyObject): string {
  writeFileSync(join(folder, 'key.pub'), pem(key));
  return join(folder, 'key.pub');
}

t.test('bad programs', async (t) => {
  const folder = t.testdir();
  const cases: [
    name: string,
    body: string,
    code: string,
    message: RegExp,
    seconds?: number,
    curve?: string,
  ][] = [
    ['slow', 'setTimeout(() => undefined, 600_000);', 'TIMEOUT', /did not answer/, 0.3],
    [
      'slow to sign',
      'if (isSign) setTimeout(() => undefined, 600_000); else answer({ publicKey });',
      'TIMEOUT',
      /did not answer/,
      2,
    ],
    [
      'wrong key',
      "const other = crypto.generateKeyPairSync('ec', { namedCurve: 'P-256' }); answer(isSign ? { publicKey, signature: crypto.sign('sha256', bytes, other.privateKey).toString('base64') } : { publicKey });",
      'INVALID_DOCUMENT',
      /no signature by the key/,
    ],
    [
      'a new key each time',
      "const p = crypto.generateKeyPairSync('ec', { namedCurve: 'P-256' }); answer({ publicKey: p.publicKey.export({ type: 'spki', format: 'pem' }), signature: '' });",
      'INVALID_DOCUMENT',
      /names another key/,
    ],
    ['wrong curve', HONEST, 'USAGE', /of the kind secp256k1/, 60, 'secp256k1'],
    [
      'no curve',
      "const p = crypto.generateKeyPairSync('ed25519'); answer({ publicKey: p.publicKey.export({ type: 'spki', format: 'pem' }) });",
      'USAGE',
      /of the kind ed25519/,
    ],
    [
      'a private key',
      "answer({ publicKey: privateKey.export({ type: 'pkcs8', format: 'pem' }) });",
      'INVALID_DOCUMENT',
      /no public key/,
    ],
    [
      'wrong hash',
      "answer({ publicKey, signature: crypto.sign('sha512', bytes, privateKey).toString('base64') });",
      'INVALID_DOCUMENT',
      /no signature by the key/,
    ],
    ['garbage', "answer('garbage');", 'INVALID_DOCUMENT', /not strict JSON/],
    ['nothing', '', 'INVALID_DOCUMENT', /not strict JSON/],
    [
      'one key twice',
      'answer(\'{"publicKey":"a","publicKey":"b"}\');',
      'INVALID_DOCUMENT',
      /not strict JSON/,
    ],
    ['another field', 'answer({ publicKey, more: 1 });', 'INVALID_DOCUMENT', /other fields/],
    ['another type', 'answer({ publicKey: 1 });', 'INVALID_DOCUMENT', /other fields/],
    [
      'another form',
      "answer({ publicKey, signature: 'AAAA', form: 'raw' });",
      'INVALID_DOCUMENT',
      /other fields/,
    ],
    ['no signature', 'answer({ publicKey });', 'INVALID_DOCUMENT', /without a signature/],
    [
      'a short one',
      "answer({ publicKey, signature: 'AAAA', form: 'p1363' });",
      'INVALID_DOCUMENT',
      /has 64 bytes for this key, and it has 3/,
    ],
    ['no DER', "answer({ publicKey, signature: 'AAAA' });", 'INVALID_DOCUMENT', /no signature by the key/],
    ['huge', "answer('x'.repeat(70_000));", 'LIMIT', /more than 65536 bytes/],
    [
      'endless',
      "for (;;) require('node:fs').writeSync(1, 'x'.repeat(10_000));",
      'LIMIT',
      /more than 65536 bytes/,
    ],
    ['failing', "process.stderr.write('no login\\n'); process.exit(3);", 'IO', /failed \(3\): no login$/],
    ['killed', 'process.kill(process.pid, "SIGKILL");', 'IO', /failed \(SIGKILL\)$/],
  ];
  for (const [name, body, code, message, seconds = 60, curve = 'P-256'] of cases) {
    const { path } = program(folder, name.replaceAll(' ', '-'), body, curve);
    await t.rejects(signedBy(path, seconds), { code, message }, name);
  }
  await t.rejects(signedBy(''), { code: 'USAGE', message: /name the program/ });
  await t.rejects(signedBy('/none'), { code: 'NOT_FOUND', message: /cannot be started \(ENOENT\)/ });
  await t.rejects(signedBy('/bin/sh -c true'), { code: 'NOT_FOUND' }, 'no shell reads it');
  writeFileSync(join(folder, 'plain'), '');
  await t.rejects(signedBy(join(folder, 'plain')), { code: 'IO', message: /cannot be started \(EACCES\)/ });
});

t.test(
  'what it says of itself reaches the terminal without its escapes, and nothing is written',
  async (t) => {
    const folder = t.testdir();
    const { path } = program(folder, 'escapes', "process.stderr.write('\\x1b[2Jgone'); process.exit(1);");
    const output = join(folder, 'model.sig');
    const { code, stderr } = await steelyard(['sign', MODEL, '--key', `command:${path}`, '-o', output]);
    t.equal(code, 2);
    t.notOk(stderr.includes('\u001b'), stderr);
    t.throws(() => readFileSync(output), { code: 'ENOENT' });
  },
);

/** Stand-ins for command-line clients, which take the arguments that the recipes give them. */
const CLIENTS = {
  vault: `
case "$1 $2" in
"read -format=json") [ "$3" = transit/keys/model ] && openssl pkey -in "$KEY_FILE" -pubout |
  jq -Rs '{data: {latest_version: 2, keys: {"1": {public_key: "old"}, "2": {public_key: .}}}}' ;;
"write -field=signature") [ "$3" = transit/sign/model/sha2-256 ] && [ "$4" = prehashed=true ] &&
  printf 'vault:v2:%s' "$(printf %s "\${5#input=}" | base64 -d | openssl pkeyutl -sign -inkey "$KEY_FILE" | base64 -w0)" ;;
esac`,
  gcloud: `
[ "$1" = kms ] && shift
case "$1" in
keys) [ "$*" = "keys versions get-public-key 3 --location eu --keyring ring --key model --output-file \${12}" ] &&
  openssl pkey -in "$KEY_FILE" -pubout -out "\${12}" ;;
asymmetric-sign) [ "$3 $5 $7 $9 \${11}" = "3 eu ring model sha256" ] &&
  openssl dgst -sha256 -sign "$KEY_FILE" -out "\${15}" "\${13}" ;;
esac`,
};

t.test('the recipes of the guide', async (t) => {
  const guide = readFileSync(join(packageRoot, 'docs/keys.md'), 'utf8');
  const folder = t.testdir();
  const KEY_FILE = join(folder, 'key.pem');
  execFileSync('openssl', ['ecparam', '-name', 'prime256v1', '-genkey', '-noout', '-out', KEY_FILE]);
  for (const [name, body] of Object.entries(CLIENTS))
    writeFileSync(join(folder, name), `#!/bin/sh\nset -eu${body}\n`, { mode: 0o700 });
  const env = {
    ...{ KEY_FILE, PATH: `${folder}:${process.env.PATH}`, VAULT_KEY: 'model' },
    ...{ KMS_LOCATION: 'eu', KMS_KEYRING: 'ring', KMS_KEY: 'model', KMS_VERSION: '3' },
  };
  const recipes = [...guide.matchAll(/```sh\n(#!\/bin\/sh\n# (sign-with-\w+)[\s\S]*?)```/g)];
  t.same(
    recipes.map(([, , name]) => name),
    ['sign-with-openssl', 'sign-with-vault', 'sign-with-gcloud'],
  );
  for (const [, script, name] of recipes) {
    writeFileSync(join(folder, name!), script!, { mode: 0o700 });
    const args = ['sign', MODEL, '--key', `command:${join(folder, name!)}`, '-o', join(folder, 'model.sig')];
    const { code, stderr } = await steelyard(args, env);
    t.equal(code, 0, `${name}: ${stderr}`);
  }
});
