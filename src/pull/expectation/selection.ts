// Which files of a listing are pulled, and what an argument says of them.

import { matchesGlob } from '../../document/text/glob.ts';
import { SteelyardError } from '../../rules/error.ts';
import type { Source, SourceFile } from '../../source/source.ts';
import type { Declaration } from './expectation.ts';

export interface Selection {
  /** Globs of paths; default: all. */
  readonly include?: readonly string[];
  readonly exclude?: readonly string[];
  /** 64 hex digits: what the one file has to be. */
  readonly sha256?: string;
}

/** Throws NOT_FOUND: nothing is left. */
export function selected(
  { uri, files }: Source,
  { include, exclude = [] }: Selection,
): readonly SourceFile[] {
  const isWanted = ({ path }: SourceFile): boolean =>
    (include?.some((glob) => matchesGlob(glob, path)) ?? true) &&
    !exclude.some((glob) => matchesGlob(glob, path));
  const wanted = files.filter(isWanted);
  if (wanted.length > 0) return wanted;
  throw new SteelyardError(
    'NOT_FOUND',
    `${uri} has no file that is asked for; look at --include and --exclude`,
  );
}

/** Throws USAGE: one digest is not for several files. */
export function argued(files: readonly SourceFile[], { sha256 }: Selection): Declaration[] {
  if (sha256 === undefined) return [];
  const [file, ...more] = files;
  if (file === undefined || more.length > 0)
    throw new SteelyardError(
      'USAGE',
      `--sha256 is for one file, and the source has ${files.length}; use a lock`,
    );
  return [{ by: 'argument', digests: new Map([[file.path, { algorithm: 'sha256', value: sha256 }]]) }];
}
