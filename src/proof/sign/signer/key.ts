// Keys: ECDSA on the curves of the Model Signing specification, each with the hash of its strength.
import { createHash, createPrivateKey, createPublicKey, type KeyObject, sign, verify } from 'node:crypto';
import { SteelyardError } from '../../../rules/error.ts';
import { decryptCosignKey, isCosignKey } from './cosign-key.ts';

/** Hash of a curve's strength. A longer curve with SHA-256 is what version 0.2 of the reference made. */
const HASHES = new Map([
  ['prime256v1', 'sha256'],
  ['secp384r1', 'sha384'],
  ['secp521r1', 'sha512'],
] as const);

export type Hash = 'sha256' | 'sha384' | 'sha512';

/** undefined: not a key that models are signed with. */
export function hashOf(key: KeyObject): Hash | undefined {
  return HASHES.get(key.asymmetricKeyDetails!.namedCurve as 'prime256v1');
}

/**
 * A private key from its PEM: PKCS#8 or SEC 1, encrypted or not, or as cosign encrypts keys.
 *
 * @throws SteelyardError USAGE: not such a key, or not with this password. The message never holds key or password.
 */
export function readPrivateKey(pem: string | Buffer, password?: string | Buffer): KeyObject {
  let key: KeyObject;
  try {
    key = decrypted(pem, password);
  } catch {
    // OpenSSL's reasons (bad decrypt, wrong tag) say the same less plainly.
    const advice =
      password === undefined ? 'if it is encrypted, give its password' : 'or the password is another';
    throw new SteelyardError('USAGE', `the private key cannot be read: it is no PEM key; ${advice}`);
  }
  if (hashOf(key) !== undefined) return key;
  throw new SteelyardError('USAGE', 'the private key is not on one of the curves P-256, P-384 and P-521');
}

function decrypted(pem: string | Buffer, password: string | Buffer | undefined): KeyObject {
  const text = pem.toString();
  if (!isCosignKey(text)) {
    return createPrivateKey({ key: pem, passphrase: password });
  }
  if (password === undefined) throw new Error('encrypted');
  return createPrivateKey({ key: decryptCosignKey(text, password), format: 'der', type: 'pkcs8' });
}

/** The keys that were read last, by their text: a gate asks for the same few for every signature, and OpenSSL takes 0.3 ms for each. */
const READ = new Map<string, KeyObject>();
const MAX_READ = 64;

/** @throws SteelyardError USAGE: not a public key on one of our curves. */
export function readPublicKey(pem: string | Buffer): KeyObject {
  const text = pem.toString('latin1');
  const known = READ.get(text);
  if (known !== undefined) return known;
  const key = parsedPublicKey(pem, text);
  if (READ.size === MAX_READ) READ.clear();
  READ.set(text, key);
  return key;
}

function parsedPublicKey(pem: string | Buffer, text: string): KeyObject {
  let key: KeyObject;
  try {
    // createPublicKey would derive it from a private key too: nobody should carry that to a verifier.
    if (/PRIVATE KEY-----/.test(text)) throw new Error('private');
    key = createPublicKey(pem);
  } catch {
    throw new SteelyardError(
      'USAGE',
      'the public key cannot be read: a PEM file with a PUBLIC KEY is needed',
    );
  }
  if (hashOf(key) !== undefined) return key;
  throw new SteelyardError('USAGE', 'the public key is not on one of the curves P-256, P-384 and P-521');
}

const digest = (bytes: string | Buffer) => createHash('sha256').update(bytes);

/** A key as DER (SubjectPublicKeyInfo) and as PEM, which is made once: OpenSSL takes longer for it than for a signature. */
interface Spelling {
  readonly der: Buffer;
  readonly pem: string;
}

const SPELLINGS = new WeakMap<KeyObject, Spelling>();

export function spelling(key: KeyObject): Spelling {
  const known = SPELLINGS.get(key);
  if (known !== undefined) return known;
  const spelled = {
    der: key.export({ type: 'spki', format: 'der' }),
    pem: key.export({ type: 'spki', format: 'pem' }).toString(),
  };
  SPELLINGS.set(key, spelled);
  return spelled;
}

/** `sha256:…` over the key's DER, as `openssl pkey -pubin -outform DER | sha256sum` gives. */
export const fingerprint = (key: KeyObject): string => `sha256:${digest(spelling(key).der).digest('hex')}`;

/** How the Model Signing implementations name a key: over its PEM text. */
export const modelHint = (key: KeyObject): string => digest(spelling(key).pem).digest('hex');

/** How cosign names it: over its DER. */
export const cosignHint = (key: KeyObject): string => digest(spelling(key).der).digest('base64');

export const publicOf = (key: KeyObject): KeyObject => createPublicKey(key);

/** DER-encoded ECDSA. */
export const signBytes = (key: KeyObject, bytes: Uint8Array): Buffer => sign(hashOf(key)!, bytes, key);

export function isSignature(key: KeyObject, hash: Hash, bytes: Uint8Array, signature: Uint8Array): boolean {
  return verify(hash, bytes, key, signature);
}
