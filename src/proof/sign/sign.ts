// Files with digests → a signed statement about them. The model itself is not read: one scan has measured all of it.
import { SteelyardError } from '../../rules/error.ts';
import { withDefaults } from './files/exclusion.ts';
import { type AnyKey, type Signed, sealed, then } from './sealing.ts';
import { type SignableFile, toManifest } from './statement/manifest.ts';
import { SINGLE, writeModelStatement } from './statement/model-statement.ts';

export type { AnyKey, KeylessSigner, RemoteKey, Signed, SigningKey } from './sealing.ts';

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
export function signModel<Key extends AnyKey>(
  files: readonly SignableFile[],
  key: Key,
  options: SignOptions,
): Signed<Key, SignedBundle> {
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
  const told = { rootDigest: `sha256:${manifest.root}`, fileCount: resources.length };
  return then(signStatement(writeModelStatement(model), key), (bundle: string) => ({ bundle, ...told }));
}

/** A bundle with a DSSE envelope around an in-toto statement. */
export function signStatement<Key extends AnyKey>(statement: Buffer, key: Key): Signed<Key, string> {
  return sealed({ kind: 'statement', bytes: statement }, key);
}

/**
 * Signs the exact bytes of one document, an MBOM, so that `cosign verify-blob` can check it too.
 *
 * @throws SteelyardError USAGE: the key cannot be used.
 */
export function signDocument<Key extends AnyKey>(document: Uint8Array, key: Key): Signed<Key, string> {
  return sealed({ kind: 'document', bytes: document }, key);
}
