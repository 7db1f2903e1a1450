// Files with digests → an MBOM.
import { SteelyardError } from '../error.ts';
import { DEFAULT_IGNORED, exclusion } from '../sign/exclusion.ts';
import { fingerprint, readPublicKey } from '../sign/key.ts';
import { hexOf, type SignableFile } from '../sign/manifest.ts';
import { byBytes } from '../sign/path.ts';
import { readMbom, rootOf, writeMbom } from './document.ts';
import type { Part } from './mbom.ts';

export interface MbomOptions {
  /** What the model is called. */
  readonly name: string;
  readonly baseModel?: Part;
  readonly adapter?: Part;
  /** `name@sha256:…`; a tag alone is refused. */
  readonly runtimeImage?: string;
  /** The public key, in PEM, that will sign it: a hint for readers. */
  readonly signingKey?: string | Buffer;
  /** Paths that are no part of the model, besides Git's and those of evidence about it. No globs. */
  readonly ignore?: readonly string[];
}

/**
 * Writes the MBOM of a model. Its root digest is the one that `signModel` signs for the same files.
 *
 * @param files as a scan has read them: `Report.files`.
 * @returns the text of `model.mbom.yaml`.
 * @throws SteelyardError NOT_FOUND: no file; USAGE: something is not pinned by a digest, or a name cannot be written.
 */
export function createMbom(files: readonly SignableFile[], options: MbomOptions): string {
  const { name, ignore = [], signingKey, ...parts } = options;
  const isIgnored = exclusion([...ignore, ...DEFAULT_IGNORED]);
  const listed = files
    .filter(({ path }) => !isIgnored(path))
    .map(({ path, sha256, size }) => ({ path, sha256: hexOf(sha256), size }))
    .sort((a, b) => byBytes(a.path, b.path));
  if (listed.length === 0) throw new SteelyardError('NOT_FOUND', 'the model holds no file to list');
  const text = writeMbom({
    schema: 'steelyard/mbom/1',
    model: { name, digest: rootOf(listed) },
    ...parts,
    ...(signingKey === undefined ? {} : { signingKey: fingerprint(readPublicKey(signingKey)) }),
    files: listed,
  });
  try {
    readMbom(Buffer.from(text));
    return text;
  } catch (cause) {
    // What cannot be read back is wrong in the options: a tag in place of a digest, most of the time.
    if (!(cause instanceof SteelyardError) || cause.code !== 'INVALID_MBOM') throw cause;
    throw new SteelyardError('USAGE', cause.message, { cause });
  }
}
