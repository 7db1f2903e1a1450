// Files with digests → an MBOM.
import { SteelyardError } from '../../rules/error.ts';
import type { ProfileDocument } from '../../scan/profile/document/document.ts';
import { exclusion, withDefaults } from '../sign/files/exclusion.ts';
import type { DeclarableTensor } from '../sign/files/model-digest.ts';
import { fingerprint, readPublicKey } from '../sign/signer/key.ts';
import { hexOf, type SignableFile } from '../sign/statement/manifest.ts';
import { byBytes } from '../sign/statement/path.ts';
import type { MbomFile, Part } from './mbom.ts';
import { readMbom, rootOf, writeMbom } from './mbom-document.ts';
import { tensorsDigest } from './tensors-digest.ts';

export interface MbomOptions {
  /** What the model is called. */
  readonly name: string;
  readonly baseModel?: Part;
  readonly adapter?: Part;
  /** `name@sha256:…`; a tag alone is refused. */
  readonly runtimeImage?: string;
  /** The model's profile: the MBOM names its digest. */
  readonly profile?: ProfileDocument;
  /** The model's tensors: the MBOM has one digest over all of them. */
  readonly tensors?: readonly DeclarableTensor[];
  /** The public key that will sign it, in PEM or as `sha256:…` over its DER: a hint for readers. */
  readonly signingKey?: string | Buffer;
  /** Serving files beside the model: configuration, prompts, egress rules, glue code. Paths are relative to the MBOM. */
  readonly config?: readonly Pick<SignableFile, 'path' | 'sha256' | 'size'>[];
  /** Paths that are no part of the model, besides Git's and those of evidence about it. No globs. */
  readonly ignore?: readonly string[];
}

/**
 * Writes the MBOM of a model. Its root digest is the one that `signModel` signs for the same files.
 *
 * @param files as a scan has read them: `Report.files`.
 * @returns the text of `model.mbom.yaml`.
 * @throws SteelyardError NOT_FOUND: no file; USAGE: something is not pinned by a digest, a name cannot be written, or
 * the profile is one of other files.
 */
export function createMbom(files: readonly SignableFile[], options: MbomOptions): string {
  const { name, ignore, signingKey, profile, tensors, config = [], ...parts } = options;
  const isIgnored = exclusion(withDefaults(ignore));
  const listed = listOf(files.filter(({ path }) => !isIgnored(path)));
  if (listed.length === 0) throw new SteelyardError('NOT_FOUND', 'the model holds no file to list');
  if (profile !== undefined) assertProfileOf(profile, files);
  const text = writeMbom({
    schema: 'steelyard/mbom/1',
    model: { name, digest: rootOf(listed) },
    ...parts,
    ...(profile === undefined ? {} : { profile: profile.digest }),
    ...(tensors === undefined ? {} : { tensors: tensorsDigest(tensors) }),
    ...(signingKey === undefined ? {} : { signingKey: fingerprintOf(signingKey) }),
    files: listed,
    ...(config.length === 0 ? {} : { config: listOf(config) }),
  });
  try {
    readMbom(Buffer.from(text));
    return text;
  } catch (cause) {
    // What cannot be read back is wrong in the options: a tag in place of a digest, most of the time.
    if (!(cause instanceof SteelyardError)) throw cause;
    throw new SteelyardError('USAGE', cause.message, { cause });
  }
}

const listOf = (files: readonly Pick<SignableFile, 'path' | 'sha256' | 'size'>[]): MbomFile[] =>
  files
    .map(({ path, sha256, size }) => ({ path, sha256: hexOf(sha256), size }))
    .sort((a, b) => byBytes(a.path, b.path));

const fingerprintOf = (key: string | Buffer): string =>
  String(key).startsWith('sha256:') ? String(key) : fingerprint(readPublicKey(key));

function assertProfileOf(profile: ProfileDocument, files: readonly SignableFile[]): void {
  const digests = new Map(files.map(({ path, sha256 }) => [path, hexOf(sha256)]));
  for (const { path, format, sha256 } of profile.files) {
    // Of files that hold no weights, evidence may have been added since.
    if (format === null || digests.get(path) === hexOf(sha256)) continue;
    throw new SteelyardError('USAGE', 'the profile is of another model: the digest of a file differs', {
      file: path,
    });
  }
}
