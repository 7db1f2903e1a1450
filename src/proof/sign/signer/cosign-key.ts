// cosign's own encryption of private keys (`cosign generate-key-pair`): PEM around JSON, scrypt for the password, NaCl's
// secretbox for the key (github.com/secure-systems-lab/go-securesystemslib, encrypted/encrypted.go).
import { scryptSync } from 'node:crypto';
import type * as Salsa from '@noble/ciphers/salsa.js';
import { object, oneOf, text } from '../../../document/check.ts';
import { late } from '../../../runtime/loading.ts';

// Loaded when such a key is to be opened: others need none of it.
const salsa = (): typeof Salsa => late('@noble/ciphers/salsa.js');

/** cosign 1 wrote COSIGN, later ones write SIGSTORE. */
const PEM =
  /-----BEGIN ENCRYPTED (SIGSTORE|COSIGN) PRIVATE KEY-----([A-Za-z0-9+/=\s]+)-----END ENCRYPTED \1 PRIVATE KEY-----/;

export const isCosignKey = (pem: string): boolean => PEM.test(pem);

interface EncryptedKey {
  readonly kdf: {
    readonly name: string;
    readonly params: { readonly N: number; readonly r: number; readonly p: number };
    readonly salt: string;
  };
  readonly cipher: { readonly name: string; readonly nonce: string };
  readonly ciphertext: string;
}

const isEncryptedKey = object<EncryptedKey>({
  kdf: object<EncryptedKey['kdf']>({
    name: oneOf('scrypt'),
    // cosign takes these three and no others: a file that asks for more would be given all the memory there is.
    params: object({ N: oneOf(32_768, 65_536, 131_072), r: oneOf(8), p: oneOf(1) }),
    salt: text,
  }),
  cipher: object({ name: oneOf('nacl/secretbox'), nonce: text }),
  ciphertext: text,
});

/**
 * The DER (PKCS#8) of a key that cosign encrypted.
 *
 * @throws Error of any kind: not such a file, or another password.
 */
export function decryptCosignKey(pem: string, password: string | Buffer): Buffer {
  const body: unknown = JSON.parse(base64(PEM.exec(pem)![2]!).toString('utf8'));
  if (!isEncryptedKey(body)) throw new TypeError();
  const { kdf, cipher, ciphertext } = body;
  const { N, r, p } = kdf.params;
  // scrypt needs 128·N·r bytes and a little more; Node's default limit is half of that.
  const key = scryptSync(password, base64(kdf.salt), 32, { N, r, p, maxmem: 256 * N * r });
  return Buffer.from(salsa().secretbox(key, base64(cipher.nonce)).open(base64(ciphertext)));
}

const base64 = (text: string): Buffer => Buffer.from(text, 'base64');
