// cosign's own encryption of private keys (`cosign generate-key-pair`): PEM around JSON, scrypt for the password, NaCl's
// secretbox for the key (github.com/secure-systems-lab/go-securesystemslib, encrypted/encrypted.go).
import { scryptSync } from 'node:crypto';
import { secretbox } from '@noble/ciphers/salsa.js';
import * as z from 'zod';

/** cosign 1 wrote COSIGN, later ones write SIGSTORE. */
const PEM =
  /-----BEGIN ENCRYPTED (SIGSTORE|COSIGN) PRIVATE KEY-----([A-Za-z0-9+/=\s]+)-----END ENCRYPTED \1 PRIVATE KEY-----/;

export const isCosignKey = (pem: string): boolean => PEM.test(pem);

const base64 = z.string().transform((text) => Buffer.from(text, 'base64'));

const schema = z.strictObject({
  kdf: z.strictObject({
    name: z.literal('scrypt'),
    // cosign takes these three and no others: a file that asks for more would be given all the memory there is.
    params: z.strictObject({ N: z.literal([32_768, 65_536, 131_072]), r: z.literal(8), p: z.literal(1) }),
    salt: base64,
  }),
  cipher: z.strictObject({ name: z.literal('nacl/secretbox'), nonce: base64 }),
  ciphertext: base64,
});

/**
 * The DER (PKCS#8) of a key that cosign encrypted.
 *
 * @throws Error of any kind: not such a file, or another password.
 */
export function decryptCosignKey(pem: string, password: string | Buffer): Buffer {
  const body = Buffer.from(PEM.exec(pem)![2]!, 'base64').toString('utf8');
  const { kdf, cipher, ciphertext } = schema.parse(JSON.parse(body));
  const { N, r, p } = kdf.params;
  // scrypt needs 128·N·r bytes and a little more; Node's default limit is half of that.
  const key = scryptSync(password, kdf.salt, 32, { N, r, p, maxmem: 256 * N * r });
  return Buffer.from(secretbox(key, cipher.nonce).open(ciphertext));
}
