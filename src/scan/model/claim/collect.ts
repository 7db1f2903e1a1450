// The claims about each file of a model: by its name in a store, by lists of digests, by what `hf download --local-dir` notes.
import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { quoted } from '../../../document/violations.ts';
import type { FileEntry } from '../file.ts';
import type { Claim } from './claimed.ts';
import { DIGEST_LIST_MAX, isDigestList, readDigestList, SIDECAR } from './digest-list.ts';
import { storeClaim } from './store-name.ts';

/** `notes`: absolute paths of files in .cache/huggingface/download. Reads them and the lists; what cannot be read says nothing. */
export function withClaims(files: readonly FileEntry[], notes: readonly string[]): FileEntry[] {
  const claims = new Map<string, Claim[]>();
  const byPath = new Map(files.map((file) => [file.absolute, file]));
  const put = (absolute: string, claim: Claim): void => {
    const known = claims.get(absolute);
    if (known === undefined) claims.set(absolute, [claim]);
    else if (known.length < MOST) known.push(claim);
  };
  for (const file of files) {
    const claim = storeClaim(file);
    if (claim !== null) put(file.absolute, claim);
    if (isDigestList(file.path)) listed(file, byPath, put);
  }
  for (const note of notes) noted(note, byPath, put);
  if (claims.size === 0) return [...files];
  return files.map((file) => {
    const own = claims.get(file.absolute);
    return own === undefined ? file : { ...file, claims: own };
  });
}

/** Of one file: several lists may speak of it. */
const MOST = 20;

type Put = (absolute: string, claim: Claim) => void;

function listed(list: FileEntry, files: ReadonlyMap<string, FileEntry>, put: Put): void {
  const text = textOf(list.real ?? list.absolute, DIGEST_LIST_MAX);
  if (text === null) return;
  const folder = dirname(list.absolute);
  const sidecar = SIDECAR.test(list.path) ? list.absolute.replace(SIDECAR, '') : null;
  const lines = readDigestList(text, list.path);
  const alone = lines.length === 1 && sidecar !== null && files.has(sidecar) ? sidecar : null;
  for (const { name, algorithm, digest } of lines) {
    const target = name === null ? alone : (placeOf(name, folder, files) ?? alone);
    if (target === null || target === list.absolute) continue;
    put(target, { algorithm, digest, by: quoted(basename(list.path)), store: false });
  }
}

/** Where a name of a list leads; lists are made in other folders too, where only the last part is the same. */
function placeOf(name: string, folder: string, files: ReadonlyMap<string, FileEntry>): string | null {
  const exact = join(folder, name);
  if (files.has(exact)) return exact;
  const beside = join(folder, basename(name));
  return files.has(beside) ? beside : null;
}

/** DIR/.cache/huggingface/download/PATH.metadata: a commit, an etag, a time. */
function noted(note: string, files: ReadonlyMap<string, FileEntry>, put: Put): void {
  const [root, path] = note.split(NOTES) as [string, string];
  const file = join(root, path.replace(/\.metadata$/, ''));
  if (!files.has(file)) return;
  const [commit, etag] = (textOf(note, NOTE_MAX) ?? '').split(/\r?\n/).map((line) => line.trim());
  if (commit === undefined || !/^[0-9a-f]{40}$/.test(commit) || etag === undefined) return;
  const digest = etag.replace(/^"|"$/g, '').toLowerCase();
  const algorithm = /^[0-9a-f]{64}$/.test(digest) ? 'sha256' : 'git-sha1';
  if (algorithm === 'sha256' || /^[0-9a-f]{40}$/.test(digest))
    put(file, { algorithm, digest, by: 'the note of hf download', store: false });
}

const NOTES = '/.cache/huggingface/download/';
const NOTE_MAX = 4096;

/** null: larger, no regular file, or not to be read. A list is measured like every file; its errors are told there. */
function textOf(path: string, most: number): string | null {
  let fd: number | undefined;
  try {
    fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW);
    const stat = fstatSync(fd);
    if (!stat.isFile() || stat.size > most) return null;
    const bytes = Buffer.alloc(stat.size);
    const size = readSync(fd, bytes, 0, bytes.length, 0);
    return bytes.toString('utf8', 0, size);
  } catch {
    return null;
  } finally {
    if (fd !== undefined) closeSync(fd);
  }
}
