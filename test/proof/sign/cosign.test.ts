// What cosign wrote: its encrypted keys sign here, its signatures verify here.
import { scryptSync } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { xsalsa20poly1305 } from '@noble/ciphers/salsa.js';
import { test } from 'tap';
import { signDocument, type Trust, verifyDocument } from '../../../src/index.ts';
import { packageRoot } from '../../kit/root.ts';
import { type Anything, pair } from '../../kit/specimen/forgery.ts';

const FOLDER = join(packageRoot, 'fixtures', 'compat', 'cosign');
const read = (name: string): Buffer => readFileSync(join(FOLDER, name));
const DOCUMENT = read('document.yaml');
const trusting = (name: string): Trust => ({ method: 'key', publicKey: read(name) });

const signed = (privateKey: string | Buffer, password?: string): Buffer =>
  Buffer.from(signDocument(DOCUMENT, { privateKey, ...(password === undefined ? {} : { password }) }));

const PEM =
  /(-----BEGIN ENCRYPTED SIGSTORE PRIVATE KEY-----)([^-]+)(-----END ENCRYPTED SIGSTORE PRIVATE KEY-----)/;

/** The P-256 key with something in its JSON changed. */
function changed(change: (it: Anything) => void): string {
  const pem = read('p256.key').toString();
  const it = JSON.parse(Buffer.from(PEM.exec(pem)![2]!, 'base64').toString());
  change(it);
  return pem.replace(PEM, `$1\n${Buffer.from(JSON.stringify(it)).toString('base64')}\n$3`);
}

test("cosign's keys sign, with their password", (t) => {
  for (const curve of ['p256', 'p384']) {
    const bundle = signed(read(`${curve}.key`), 'hello');
    t.ok(verifyDocument(DOCUMENT, bundle, trusting(`${curve}.pub`)).verified, curve);
  }
  const old = read('p256.key').toString().replaceAll('SIGSTORE', 'COSIGN');
  t.ok(verifyDocument(DOCUMENT, signed(old, 'hello'), trusting('p256.pub')).verified, 'as cosign 1 wrote it');
  t.end();
});

test('every strength that cosign has used, and no other', (t) => {
  const { privateKey, public: publicKey } = pair();
  const der = privateKey.export({ type: 'pkcs8', format: 'der' });
  const key = (N: number, r = 8, p = 1): string =>
    changed((it) => {
      it.kdf.params = { N, r, p };
      const salt = Buffer.from(it.kdf.salt, 'base64');
      const nonce = Buffer.from(it.cipher.nonce, 'base64');
      const secret = scryptSync('', salt, 32, { N, r, p, maxmem: 2 ** 29 });
      it.ciphertext = Buffer.from(xsalsa20poly1305(secret, nonce).encrypt(der)).toString('base64');
    });
  for (const N of [2 ** 15, 2 ** 16, 2 ** 17]) {
    const outcome = verifyDocument(DOCUMENT, signed(key(N), ''), { method: 'key', publicKey });
    t.ok(outcome.verified, `N ${N}, an empty password`);
  }
  for (const [N, r, p] of [
    [2 ** 14, 8, 1],
    [2 ** 18, 8, 1],
    [2 ** 15, 16, 1],
    [2 ** 15, 8, 2],
  ] as const) {
    const other = key(N, r, p);
    t.throws(() => signed(other, ''), { code: 'USAGE' }, `N ${N}, r ${r}, p ${p}`);
  }
  t.end();
});

test('a key that cannot be used says so, and never shows what is in it', (t) => {
  const [p256, message] = [read('p256.key'), /^the private key cannot be read: it is no PEM key; /];
  const cases: [string, string | Buffer, string | undefined, RegExp][] = [
    ['no password', p256, undefined, /; if it is encrypted, give its password$/],
    ['another password', p256, 'olleh', /; or the password is another$/],
    ['an empty one', p256, '', /; or the password is another$/],
    ['RSA', read('rsa.key'), 'hello', /^the private key is not on one of the curves P-256, P-384 and P-521$/],
    ['no JSON', p256.toString().replace(PEM, '$1\nAAAA\n$3'), 'hello', message],
    ['nothing in it', p256.toString().replace(PEM, '$1\n$3'), 'hello', message],
    [
      'another end',
      p256.toString().replace('END ENCRYPTED SIGSTORE', 'END ENCRYPTED COSIGN'),
      'hello',
      message,
    ],
    ['another function', changed((it) => (it.kdf.name = 'argon2')), 'hello', message],
    ['another cipher', changed((it) => (it.cipher.name = 'aes')), 'hello', message],
    ['a short salt', changed((it) => (it.kdf.salt = 'AAAA')), 'hello', message],
    ['a short nonce', changed((it) => (it.cipher.nonce = 'AAAA')), 'hello', message],
    ['an unknown field', changed((it) => (it.more = 1)), 'hello', message],
    ['an unknown parameter', changed((it) => (it.kdf.params.more = 1)), 'hello', message],
    [
      'a changed byte',
      changed((it) => (it.ciphertext = it.ciphertext.replace(/^./, (c: string) => (c === 'A' ? 'B' : 'A')))),
      'hello',
      message,
    ],
  ];
  for (const [name, key, password, said] of cases)
    t.throws(() => signed(key, password), { name: 'SteelyardError', code: 'USAGE', message: said }, name);
  t.end();
});

test("cosign's signatures verify, new and old", (t) => {
  for (const [bundle, key] of [
    ['document.p256.sigstore.json', 'p256.pub'],
    ['document.p384.sigstore.json', 'p384.pub'],
    ['document.bundle.json', 'p256.pub'],
    ['document.sig', 'p256.pub'],
  ] as const) {
    t.match(verifyDocument(DOCUMENT, read(bundle), trusting(key)), { verified: true }, bundle);
    t.match(verifyDocument(Buffer.from('x'), read(bundle), trusting(key)), {
      verified: false,
      refusals: [{ code: 'BAD_SIGNATURE' }],
    });
  }
  const other = verifyDocument(DOCUMENT, read('document.p384.sigstore.json'), trusting('p256.pub'));
  t.match(other, { refusals: [{ code: 'WRONG_KEY' }] });
  t.end();
});
