// The files of a model with their digests, and the one digest that stands for all of them.
import { createHash } from 'node:crypto';
import { SteelyardError } from '../../../rules/error.ts';
import type { FileProfile } from '../../../scan/profile/profile.ts';
import { exclusion } from '../files/exclusion.ts';
import { byBytes, isPlainPath } from './path.ts';

/** What signing and verifying need of a file: `Report.files` and `Profile.files` have it. No file is read again. */
export type SignableFile = Pick<FileProfile, 'path' | 'sha256' | 'size' | 'format'>;

export interface Resource {
  readonly name: string;
  /** 64 lower-case hex digits, without a prefix. */
  readonly sha256: string;
}

export interface Manifest {
  /** In the order that the root digest was taken in. */
  readonly resources: readonly Resource[];
  /** 64 lower-case hex digits. */
  readonly root: string;
}

/**
 * Resources sorted by the bytes of their names: the specification's order and the only one that the Go implementation
 * accepts; the Python one takes any.
 *
 * @throws SteelyardError NOT_FOUND: nothing left to sign; USAGE: a name that other systems read as another path.
 */
export function toManifest(files: readonly SignableFile[], ignored: readonly string[]): Manifest {
  const isIgnored = exclusion(ignored);
  const resources = files
    .filter(({ path }) => !isIgnored(path))
    .map(({ path, sha256 }) => ({ name: path, sha256: hexOf(sha256) }))
    .sort((a, b) => byBytes(a.name, b.name));
  if (resources.length === 0) throw new SteelyardError('NOT_FOUND', 'the model holds no file that is signed');
  const odd = resources.find(({ name }) => !isPlainPath(name));
  if (odd !== undefined) {
    throw new SteelyardError(
      'USAGE',
      'a file with a backslash or NUL in its name cannot be signed; rename it',
      {
        file: odd.name,
      },
    );
  }
  return { resources, root: rootDigest(resources) };
}

/** SHA-256 over the files' raw digests in the order listed (model_signing spec v1.0). Names are not in it. */
export function rootDigest(resources: readonly Resource[]): string {
  const hash = createHash('sha256');
  for (const { sha256 } of resources) hash.update(Buffer.from(sha256, 'hex'));
  return hash.digest('hex');
}

/** `sha256:…` as reports have it, or the bare hex. */
export const hexOf = (digest: string): string => digest.slice(-64);
