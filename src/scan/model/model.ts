// Paths → the list of files that belong to the model, weight files or not: a stray script beside the weights is part of
// what is promoted. Of all files only a shard index that was named is opened here.
import { type Dirent, lstatSync, statSync } from 'node:fs';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { isSourceUri } from '../../document/text/source-word.ts';
import { errnoOf, SteelyardError } from '../../rules/error.ts';
import { assertNamed, entriesOf, realPath } from '../../runtime/folder.ts';
import { type Check, unhurried } from '../../runtime/turn.ts';
import { isShardIndex, MAX_INDEX, readShardIndex } from '../format/safetensors/shard-index.ts';
import { withClaims } from './claim/collect.ts';
import { unfinishedTransfers } from './claim/unfinished.ts';
import { type FileEntry, ModelFile } from './file.ts';
import { Exclusion, isNeeded, type LeftOut, notToBeLeftOut } from './left-out.ts';
import { type FollowSymlinks, hubRepo, Links } from './links.ts';
import { otherSplits } from './split.ts';

interface Model {
  /** Sorted by path. */
  readonly files: readonly FileEntry[];
  /** Entries that are there but cannot be scanned; they make the scan incomplete. */
  readonly unscannable: readonly SteelyardError[];
  /** What is no part of the model, or was left out by the user. */
  readonly leftOut: readonly LeftOut[];
  /** The user's, where there is something to look into: their content must be as harmless as their names. */
  readonly excluded: readonly FileEntry[];
  /** Transfers that were begun and not ended, by what they left; relative to the model's root. */
  readonly unfinished: readonly string[];
}

interface ListingOptions {
  readonly follow?: FollowSymlinks | undefined;
  /** Globs of paths that are left out. */
  readonly exclude?: readonly string[] | undefined;
  /** Also what Git and the Hub's client keep in the folder. */
  readonly everything?: boolean | undefined;
  readonly check?: Check;
}

/** Throws USAGE, NOT_FOUND or IO when a named path cannot be listed, and USAGE where weights or code would be left out. */
export function listModel(
  paths: readonly string[],
  { follow, exclude = [], everything = false, check = unhurried }: ListingOptions = {},
): Model {
  if (paths.length === 0) throw new SteelyardError('USAGE', 'no path was given');
  const named = paths.map(namedPath);
  const folders = named.map(({ absolute, isDirectory }) => (isDirectory ? absolute : dirname(absolute)));
  // What lies in a folder that was named has to stay in it; a file that was named vouches for no folder.
  const roots = folders.filter((_, i) => named[i]!.isDirectory || isShardIndex(named[i]!.absolute));
  const listing: Listing = {
    root: commonFolder(folders),
    links: new Links(follow, roots),
    files: new Map(),
    unscannable: [],
    exclusion: new Exclusion(exclude, everything),
    excluded: [],
    kept: [],
    check,
  };
  for (const { absolute, isDirectory } of named) {
    if (isDirectory) addFolder(absolute, absolute, listing);
    else {
      const entry = addFile(absolute, listing, { named: true });
      if (isShardIndex(absolute)) addShards(entry, listing);
      for (const other of otherSplits(absolute)) add(other, lstatSync(other), listing);
    }
  }
  const sorted = [...listing.files.values()].sort((a, b) => (a.path < b.path ? -1 : 1));
  const notes = listing.kept.filter((path) => path.endsWith('.metadata'));
  const files = withClaims(sorted, notes);
  const repos = roots.flatMap((root) => hubRepo(realPath(root)));
  if (files.length === 0 && listing.unscannable.length === 0) {
    throw new SteelyardError('NOT_FOUND', `nothing to scan: ${paths.join(', ')} holds no file`);
  }
  return {
    files,
    unscannable: listing.unscannable,
    leftOut: listing.exclusion.list(),
    excluded: listing.excluded,
    unfinished: unfinishedTransfers(repos, listing.kept).map((path) => nameOf(path, listing)),
  };
}

interface Listing {
  readonly root: string;
  readonly links: Links;
  readonly files: Map<string, FileEntry>;
  readonly unscannable: SteelyardError[];
  readonly exclusion: Exclusion;
  readonly excluded: FileEntry[];
  /** What the Hub's client keeps in the folder. */
  readonly kept: string[];
  readonly check: Check;
}

function namedPath(path: string): { absolute: string; isDirectory: boolean } {
  assertNamed(resolve(path)); // also of the folder that we work in
  try {
    return { absolute: resolve(path), isDirectory: statSync(path).isDirectory() };
  } catch (cause) {
    const errno = errnoOf(cause) ?? 'unknown';
    const missing = isSourceUri(path)
      ? 'a source is no path; pull it first, or in a program use scanSource or borrow of steelyard/pull'
      : 'there is no such file or folder';
    const what = errno === 'ENOENT' ? missing : `cannot be looked at: ${errno}`;
    throw new SteelyardError(errno === 'ENOENT' ? 'NOT_FOUND' : 'IO', `${path}: ${what}`, {
      file: path,
      errno,
      cause,
    });
  }
}

const slashed = (path: string): string => path.split(sep).join('/');

const nameOf = (absolute: string, { root }: Listing): string => slashed(relative(root, absolute)) || '.';

type Found = Pick<FileEntry, 'real' | 'named'>;

function addFile(absolute: string, listing: Listing, found: Found = {}): FileEntry {
  const entry = { path: nameOf(absolute, listing), absolute, ...found };
  listing.files.set(absolute, entry);
  return entry;
}

/** `top`: the folder that was named. */
function addFolder(folder: string, top: string, listing: Listing): void {
  for (const { name, what } of readFolder(folder, listing)) {
    listing.check();
    const absolute = join(folder, name);
    if (what.isDirectory()) addFolder(absolute, top, listing);
    else if (listing.exclusion.isKeptByTools(slashed(relative(top, absolute)))) listing.kept.push(absolute);
    else if (!isExcluded(absolute, what, listing)) add(absolute, what, listing);
  }
}

/** A link that is left out is not followed, so that its name is all that is known of it. */
function isExcluded(absolute: string, what: Pick<Dirent, 'isFile'>, listing: Listing): boolean {
  const path = nameOf(absolute, listing);
  const glob = listing.exclusion.globOf(path);
  if (glob === undefined) return false;
  if (isNeeded(path)) throw notToBeLeftOut(path);
  listing.exclusion.leaveOut(glob, path);
  if (what.isFile()) listing.excluded.push({ path, absolute });
  return true;
}

/** Adds what a folder or an index names, unless it is no file or a link that is not followed. */
function add(absolute: string, what: Pick<Dirent, 'isFile' | 'isSymbolicLink'>, listing: Listing): void {
  if (listing.files.has(absolute)) return;
  const file = nameOf(absolute, listing);
  try {
    if (what.isSymbolicLink()) addFile(absolute, listing, { real: listing.links.follow(absolute, file) });
    else if (what.isFile()) addFile(absolute, listing);
    else {
      const message = 'not a regular file; remove it from the model, or name the files to scan';
      throw new SteelyardError('NOT_REGULAR', message, { file });
    }
  } catch (error) {
    listing.unscannable.push(asUnscannable(error, file));
  }
}

function asUnscannable(error: unknown, file: string): SteelyardError {
  if (error instanceof SteelyardError) return error;
  const errno = errnoOf(error) ?? 'unknown';
  return new SteelyardError('IO', `cannot be looked at: ${errno}`, { file, errno, cause: error });
}

function readFolder(folder: string, listing: Listing): ReturnType<typeof entriesOf> {
  try {
    return entriesOf(folder, (error) => {
      const file = nameOf(error.file!, listing);
      listing.unscannable.push(new SteelyardError(error.code, error.message, { file }));
    });
  } catch (cause) {
    const errno = errnoOf(cause) ?? 'unknown';
    const file = nameOf(folder, listing);
    listing.unscannable.push(
      new SteelyardError('IO', `cannot list the folder: ${errno}`, { file, errno, cause }),
    );
    return [];
  }
}

/** The shards of an index that was named, as far as they are there: what is missing is found when the index is inspected. */
function addShards(entry: FileEntry, listing: Listing): void {
  for (const shard of shardsOf(entry, listing)) {
    const absolute = join(dirname(entry.absolute), shard);
    try {
      add(absolute, lstatSync(absolute), listing);
    } catch (error) {
      const errno = errnoOf(error);
      // A name that is too long for the file system is missing too.
      if (errno === 'ENOENT' || errno === 'ENAMETOOLONG') continue;
      listing.unscannable.push(asUnscannable(error, nameOf(absolute, listing)));
    }
  }
}

function shardsOf(entry: FileEntry, { files, unscannable }: Listing): readonly string[] {
  let file: ModelFile | undefined;
  try {
    file = ModelFile.open(entry);
    return file.size > MAX_INDEX ? [] : readShardIndex(file.read(0, file.size)).shards;
  } catch (error) {
    if (!(error instanceof SteelyardError)) throw error;
    files.delete(entry.absolute); // the error is told once
    unscannable.push(error);
    return [];
  } finally {
    file?.close();
  }
}

function commonFolder(folders: readonly string[]): string {
  return folders.reduce((common, folder) => {
    let root = common;
    while (folder !== root && !folder.startsWith(root === sep ? sep : root + sep)) root = dirname(root);
    return root;
  });
}
