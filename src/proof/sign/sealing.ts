// A signature and what goes with it, around what is signed. A key in memory signs at once; any other one answers later, and so does
// everything that is made with it.
import { createHash, type KeyObject } from 'node:crypto';
import { SteelyardError } from '../../rules/error.ts';
import { writeBundle } from './bundle/bundle.ts';
import { encode, IN_TOTO } from './bundle/envelope.ts';
import { pemCertificates } from './signer/certificate.ts';
import {
  cosignHint,
  type Hash,
  hashOf,
  isSignature,
  modelHint,
  publicOf,
  readPrivateKey,
  signBytes,
} from './signer/key.ts';

/** What signs: a private key in PEM (P-256, P-384 or P-521), with its password if it is encrypted. */
export interface SigningKey {
  readonly privateKey: string | Buffer;
  readonly password?: string | Buffer;
  /** Certificates for the key in PEM, its own first: verifiers then need only the root. */
  readonly certificateChain?: string | Buffer;
}

/** A key that its holder does not give away: a token, a service, a program. */
export interface RemoteKey {
  readonly publicKey: KeyObject;
  /** ECDSA in DER over these bytes, with the hash of the key's curve. What comes back is verified before it is used. */
  readonly sign: (bytes: Uint8Array) => Promise<Buffer>;
  readonly certificateChain?: string | Buffer;
  /** A time stamp (RFC 3161, DER) over a signature. */
  readonly stamp?: (signature: Uint8Array) => Promise<Uint8Array>;
}

/** No key that lasts: a certificate for an identity, asked for when there is something to sign. */
export interface KeylessSigner {
  /** The text of a Sigstore bundle. */
  readonly seal: (artifact: Artifact) => Promise<string>;
}

export type AnyKey = SigningKey | RemoteKey | KeylessSigner;

/** What comes of signing: now with a key in memory, later with any other. */
export type Signed<Key extends AnyKey, Value> = Key extends SigningKey ? Value : Promise<Value>;

/** An in-toto statement, which goes into an envelope, or the bytes of one document. */
export interface Artifact {
  readonly kind: 'statement' | 'document';
  readonly bytes: Uint8Array;
}

/** A Sigstore bundle of one signature. */
export function sealed<Key extends AnyKey>(artifact: Artifact, key: Key): Signed<Key, string> {
  return bundleOf(artifact, key) as Signed<Key, string>;
}

/** What is made of a signature that may still be to come. */
export function then<Key extends AnyKey, From, To>(
  signed: Signed<Key, From>,
  make: (from: From) => To,
): Signed<Key, To> {
  const result = signed instanceof Promise ? signed.then(make) : make(signed as From);
  return result as Signed<Key, To>;
}

function bundleOf(artifact: Artifact, key: AnyKey): string | Promise<string> {
  if ('seal' in key) return key.seal(artifact);
  if ('sign' in key) return remotely(artifact, key);
  const own = readPrivateKey(key.privateKey, key.password);
  const signature = signBytes(own, toSign(artifact));
  return checked(artifact, signature, publicOf(own), key.certificateChain, {});
}

async function remotely(artifact: Artifact, key: RemoteKey): Promise<string> {
  const { publicKey, certificateChain, stamp } = key;
  const signature = await signedBy(key, toSign(artifact));
  const signedTimestamp = stamp && Buffer.from(await stamp(signature)).toString('base64');
  const times =
    signedTimestamp === undefined
      ? {}
      : { timestampVerificationData: { rfc3161Timestamps: [{ signedTimestamp }] } };
  return checked(artifact, signature, publicKey, certificateChain, times);
}

/** Whoever holds the key may err, or be somebody else: what it returns is held against its public key before anything is written. */
export async function signedBy({ publicKey, sign }: RemoteKey, bytes: Uint8Array): Promise<Buffer> {
  const signature = await sign(bytes);
  if (isSignature(publicKey, hashOf(publicKey)!, bytes, signature)) return signature;
  throw new SteelyardError(
    'INVALID_DOCUMENT',
    'what the holder of the key returned is no signature by the key that it named: nothing was written',
  );
}

const toSign = ({ kind, bytes }: Artifact): Uint8Array =>
  kind === 'statement' ? encode(IN_TOTO, bytes) : bytes;

/** Checked before it leaves: a signature that went wrong (a fault in memory) can give the key away. */
function checked(
  artifact: Artifact,
  signature: Buffer,
  key: KeyObject,
  certificateChain: string | Buffer | undefined,
  times: object,
): string {
  const hash = hashOf(key)!;
  if (!isSignature(key, hash, toSign(artifact), signature))
    throw new SteelyardError('INTERNAL', 'the signature that was made does not verify');
  // Each way of signing has its own name for a key: cosign's for documents, model-signing's for models.
  const hint = artifact.kind === 'statement' ? modelHint : cosignHint;
  const material =
    certificateChain === undefined
      ? { publicKey: { hint: hint(key) } }
      : { x509CertificateChain: { certificates: certificatesFor(key, certificateChain) } };
  return writeBundle({ ...material, ...times }, contentOf(artifact, hash, signature.toString('base64')));
}

function contentOf({ kind, bytes }: Artifact, hash: Hash, signature: string): object {
  if (kind === 'statement') {
    const payload = Buffer.from(bytes).toString('base64');
    return { dsseEnvelope: { payload, payloadType: IN_TOTO, signatures: [{ sig: signature, keyid: '' }] } };
  }
  const digest = createHash(hash).update(bytes).digest('base64');
  const algorithm = `SHA2_${hash.slice('sha'.length)}`;
  return { messageSignature: { messageDigest: { algorithm, digest }, signature } };
}

function certificatesFor(key: KeyObject, certificateChain: string | Buffer): object[] {
  const chain = pemCertificates(certificateChain);
  if (!chain[0]!.publicKey.equals(key))
    throw new SteelyardError('USAGE', 'the first certificate is not for the private key');
  return chain.map(({ raw }) => ({ rawBytes: raw.toString('base64') }));
}
