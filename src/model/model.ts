// Paths → the list of files that belong to the model, weight files or not: a stray script beside the weights is part of
// what is promoted. Nothing is opened here.
import { type Dirent, readdirSync, readFileSync, statSync } from 'node:fs';
import { basename, dirname, join, relative, resolve, sep } from 'node:path';
import { errnoOf, SteelyardError } from '../error.ts';
import type { Violation } from '../format/layout.ts';
import { readShardIndex } from '../format/shard-index.ts';
import type { FileEntry } from './file.ts';

export interface Model {
  /** Sorted by path. */
  readonly files: readonly FileEntry[];
  /** Entries that are there but cannot be scanned; they make the scan incomplete. */
  readonly unscannable: readonly SteelyardError[];
  /** What is wrong with a shard index that was named. */
  readonly violations: readonly FileViolation[];
}

export interface FileViolation extends Violation {
  readonly file: string;
}

const INDEX_SUFFIX = '.index.json';

/** Throws USAGE, NOT_FOUND or IO when a named path cannot be listed. */
export function listModel(paths: readonly string[]): Model {
  if (paths.length === 0) throw new SteelyardError('USAGE', 'no path was given');
  const named = paths.map((path) => ({ path, absolute: resolve(path), isDirectory: isDirectory(path) }));
  const root = commonFolder(
    named.map(({ absolute, isDirectory }) => (isDirectory ? absolute : dirname(absolute))),
  );
  const listing: Listing = { root, files: new Map(), unscannable: [], violations: [] };
  for (const { absolute, isDirectory } of named) {
    if (isDirectory) addFolder(absolute, listing);
    else if (absolute.endsWith(INDEX_SUFFIX)) addIndex(absolute, listing);
    else addFile(absolute, listing);
  }
  const files = [...listing.files.values()].sort((a, b) => (a.path < b.path ? -1 : 1));
  if (files.length === 0 && listing.unscannable.length === 0) {
    throw new SteelyardError('NOT_FOUND', `nothing to scan: ${paths.join(', ')} holds no file`);
  }
  return { files, unscannable: listing.unscannable, violations: listing.violations };
}

interface Listing {
  readonly root: string;
  readonly files: Map<string, FileEntry>;
  readonly unscannable: SteelyardError[];
  readonly violations: FileViolation[];
}

function isDirectory(path: string): boolean {
  try {
    return statSync(path).isDirectory();
  } catch (cause) {
    const errno = errnoOf(cause) ?? 'unknown';
    const what = errno === 'ENOENT' ? 'there is no such file or folder' : `cannot be looked at: ${errno}`;
    throw new SteelyardError(errno === 'ENOENT' ? 'NOT_FOUND' : 'IO', `${path}: ${what}`, {
      file: path,
      errno,
      cause,
    });
  }
}

function addFile(absolute: string, { root, files }: Listing): void {
  const path = relative(root, absolute).split(sep).join('/');
  files.set(absolute, { path, absolute });
}

function addFolder(folder: string, listing: Listing): void {
  for (const entry of readFolder(folder, listing)) {
    const absolute = join(folder, entry.name);
    if (entry.isDirectory()) addFolder(absolute, listing);
    else if (entry.isFile()) addFile(absolute, listing);
    else if (entry.isSymbolicLink() && linksToFile(absolute)) addFile(absolute, listing);
    else {
      const file = relative(listing.root, absolute);
      const what = entry.isSymbolicLink() ? 'a link that leads to no file' : 'not a regular file';
      listing.unscannable.push(
        new SteelyardError('NOT_REGULAR', `${what}; remove it from the model, or name the files to scan`, {
          file,
        }),
      );
    }
  }
}

function readFolder(folder: string, { root, unscannable }: Listing): Dirent[] {
  try {
    return readdirSync(folder, { withFileTypes: true });
  } catch (cause) {
    const errno = errnoOf(cause) ?? 'unknown';
    const file = relative(root, folder) || '.';
    unscannable.push(new SteelyardError('IO', `cannot list the folder: ${errno}`, { file, errno, cause }));
    return [];
  }
}

// Hub caches are made of links to blobs. A link to a folder is not followed: it may lead out of the model, or in a circle.
function linksToFile(absolute: string): boolean {
  try {
    return statSync(absolute).isFile();
  } catch {
    return false;
  }
}

function addIndex(absolute: string, listing: Listing): void {
  addFile(absolute, listing);
  const index = readShardIndex(readFileSync(absolute));
  const file = relative(listing.root, absolute);
  listing.violations.push(...index.violations.map((violation) => ({ ...violation, file })));
  for (const shard of index.shards) {
    const path = join(dirname(absolute), shard);
    if (linksToFile(path)) addFile(path, listing);
    else {
      listing.violations.push({
        rule: 'shard/missing',
        file,
        message: `the index names ${basename(path)}, which is not there`,
      });
    }
  }
}

function commonFolder(folders: readonly string[]): string {
  return folders.reduce((common, folder) => {
    let root = common;
    while (folder !== root && !folder.startsWith(root === sep ? sep : root + sep)) root = dirname(root);
    return root;
  });
}
