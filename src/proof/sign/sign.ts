// Files with digests → a signed statement about them. The model itself is not read: one scan has measured all of it.
import { createHash, type KeyObject } from 'node:crypto';
import { SteelyardError } from '../../rules/error.ts';
import { writeBundle } from './bundle/bundle.ts';
import { encode, IN_TOTO } from './bundle/envelope.ts';
import { withDefaults } from './files/exclusion.ts';
import { pemCertificates } from './signer/certificate.ts';
import {
  cosignHint,
  hashOf,
  isSignature,
  modelHint,
  publicOf,
  readPrivateKey,
  signBytes,
} from './signer/key.ts';
import { type SignableFile, toManifest } from './statement/manifest.ts';
import { SINGLE, writeModelStatement } from './statement/model-statement.ts';

/** What signs: a private key in PEM (P-256, P-384 or P-521), with its password if it is encrypted. */
export interface SigningKey {
  readonly privateKey: string | Buffer;
  readonly password?: string | Buffer;
  /** Certificates for the key in PEM, its own first: verifiers then need only the root. */
  readonly certificateChain?: string | Buffer;
}

export interface SignOptions {
  /** What the model is called: the name of its folder. For people. */
  readonly name: string;
  /** Paths that are no part of the model, relative to its root, besides Git's and those of evidence about it. No globs. */
  readonly ignore?: readonly string[];
  /** The model is one file, whatever it is called: it may be renamed. */
  readonly single?: boolean;
}

/** A signature file, and the digest that names what it signs. */
export interface SignedBundle {
  /** The text of the signature file. */
  readonly bundle: string;
  /** `sha256:…` */
  readonly rootDigest: string;
  readonly fileCount: number;
}

/**
 * Signs a model as OpenSSF Model Signing v1.0 describes: a Sigstore bundle with the names and digests of all files.
 *
 * @param files as a scan has read them: `Report.files`. The caller decides whether a failed scan is signed.
 * @throws SteelyardError USAGE: the key or a name cannot be used; NOT_FOUND: no file to sign.
 */
export function signModel(
  files: readonly SignableFile[],
  key: SigningKey,
  options: SignOptions,
): SignedBundle {
  const ignored = options.single ? [] : withDefaults(options.ignore);
  const manifest = toManifest(files, ignored);
  const resources = options.single
    ? manifest.resources.map((one) => ({ ...one, name: SINGLE }))
    : manifest.resources;
  if (options.single && resources.length !== 1) {
    throw new SteelyardError(
      'USAGE',
      `a model of one file was to be signed, and there are ${resources.length}`,
    );
  }
  const model = {
    name: options.name,
    resources,
    root: manifest.root,
    ignored,
  };
  return {
    bundle: signStatement(writeModelStatement(model), key),
    rootDigest: `sha256:${manifest.root}`,
    fileCount: resources.length,
  };
}

/** A bundle with a DSSE envelope around an in-toto statement. */
export function signStatement(statement: Buffer, signingKey: SigningKey): string {
  const key = readPrivateKey(signingKey.privateKey, signingKey.password);
  return writeBundle(materialOf(key, signingKey, modelHint), {
    dsseEnvelope: {
      payload: statement.toString('base64'),
      payloadType: IN_TOTO,
      signatures: [{ sig: signed(key, encode(IN_TOTO, statement)).toString('base64'), keyid: '' }],
    },
  });
}

/**
 * Signs the exact bytes of one document, an MBOM, so that `cosign verify-blob` can check it too.
 *
 * @throws SteelyardError USAGE: the key cannot be used.
 */
export function signDocument(document: Uint8Array, signingKey: SigningKey): string {
  const key = readPrivateKey(signingKey.privateKey, signingKey.password);
  const hash = hashOf(key)!;
  return writeBundle(materialOf(key, signingKey, cosignHint), {
    messageSignature: {
      messageDigest: {
        algorithm: `SHA2_${hash.slice('sha'.length)}`,
        digest: createHash(hash).update(document).digest('base64'),
      },
      signature: signed(key, document).toString('base64'),
    },
  });
}

/** Checked before it leaves: a signature that went wrong (a fault in memory) can give the key away. */
function signed(key: KeyObject, bytes: Uint8Array): Buffer {
  const signature = signBytes(key, bytes);
  if (isSignature(publicOf(key), hashOf(key)!, bytes, signature)) return signature;
  throw new SteelyardError('INTERNAL', 'the signature that was made does not verify');
}

function materialOf(
  key: KeyObject,
  { certificateChain }: SigningKey,
  hint: (key: KeyObject) => string,
): object {
  if (certificateChain === undefined) return { publicKey: { hint: hint(publicOf(key)) } };
  const chain = pemCertificates(certificateChain);
  if (!chain[0]!.checkPrivateKey(key)) {
    throw new SteelyardError('USAGE', 'the first certificate is not for the private key');
  }
  const certificates = chain.map(({ raw }) => ({ rawBytes: raw.toString('base64') }));
  return { x509CertificateChain: { certificates } };
}
