// Paths that a store gives to files. A tree of the Hub once led out of the cache (huggingface_hub #4540): a listing with one bad
// name is refused as a whole.
import { quoted } from '../document/violations.ts';
import { SteelyardError } from '../rules/error.ts';
import type { SourceFile } from './store.ts';

/** Models have hundreds of files; a listing without end is an attack on memory. */
export const MAX_FILES = 100_000;
const MAX_PATH = 1024;

/** Sorted by path. Throws LIMIT, and SOURCE_NOT_ALLOWED for names that leave the folder, or that some file system takes for one. */
export function checkedListing(files: readonly SourceFile[], uri: string): readonly SourceFile[] {
  if (files.length === 0)
    throw new SteelyardError('NOT_FOUND', `${uri} holds no file; look at its spelling and its revision`);
  if (files.length > MAX_FILES)
    throw new SteelyardError('LIMIT', `${uri} lists more than ${MAX_FILES} files; name a part of it`);
  const seen = new Map<string, string>();
  for (const { path, size } of files) {
    if (!isSafePath(path)) throw refused(uri, path, 'is not a plain relative path');
    if (!Number.isSafeInteger(size) || size < 0) throw refused(uri, path, 'has no size that a file can have');
    const folded = path.normalize('NFC').toUpperCase().toLowerCase();
    if (seen.has(folded))
      throw refused(uri, path, `is, for some file systems, the same as ${quoted(seen.get(folded)!)}`);
    seen.set(folded, path);
  }
  for (const folded of seen.keys())
    for (let at = folded.indexOf('/'); at >= 0; at = folded.indexOf('/', at + 1))
      if (seen.has(folded.slice(0, at)))
        throw refused(uri, seen.get(folded)!, 'lies in a folder that is also the name of a file');
  return [...files].sort((a, b) => (a.path < b.path ? -1 : 1));
}

/** Segments that no system takes for another place, another name, or a command to the terminal. */
export function isSafePath(path: string): boolean {
  return (
    path.length > 0 &&
    path.length <= MAX_PATH &&
    !/[\\\p{Cc}\p{Cs}]/u.test(path) &&
    !/^[A-Za-z]:/.test(path) &&
    path.split('/').every((segment) => segment !== '' && segment !== '.' && segment !== '..')
  );
}

const refused = (uri: string, path: string, why: string): SteelyardError =>
  new SteelyardError('SOURCE_NOT_ALLOWED', `${uri} lists the file ${quoted(path)}, which ${why}`);
