// A release as it lies on disk. Strict about what it opens: no link leads out of the folder, no pipe waits, nothing endless is read.
import { closeSync, constants, fstatSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { errnoOf, SteelyardError } from '../../rules/error.ts';
import { entriesOf } from '../../runtime/folder.ts';
import { readAll } from '../../runtime/read-all.ts';
import { digestOf, type EvidenceFile } from '../claim/piece.ts';

const MAX_FILE = 64 * 2 ** 20;
const MAX_TOTAL = 512 * 2 ** 20;
const MAX_FILES = 1000;
const MAX_DEPTH = 16;

/**
 * Every file below a folder, in the order of their paths. An absent folder holds none.
 *
 * @param prefix of the paths that are given: `evidence`.
 * @throws SteelyardError NOT_REGULAR: a link, pipe or device; LIMIT: too many, too deep or too large; IO.
 */
export function readEvidenceFolder(folder: string, prefix: string): EvidenceFile[] {
  const files: EvidenceFile[] = [];
  let total = 0;
  const visit = (path: string, name: string, depth: number): void => {
    if (depth > MAX_DEPTH) throw limit(name, `folders are nested more than ${MAX_DEPTH} deep`);
    for (const entry of listed(path)) {
      const inside = `${name}/${entry.name}`;
      if (entry.what.isDirectory()) visit(join(path, entry.name), inside, depth + 1);
      else {
        if (files.length === MAX_FILES)
          throw limit(name, `there are more than ${MAX_FILES} files of evidence`);
        const bytes = readPlain(join(path, entry.name), inside);
        total += bytes.length;
        if (total > MAX_TOTAL) throw limit(inside, `the evidence is larger than ${MAX_TOTAL} bytes`);
        files.push({ path: inside, bytes, digest: digestOf(bytes) });
      }
    }
  };
  visit(folder, prefix, 0);
  return files;
}

function listed(path: string) {
  try {
    return entriesOf(path);
  } catch (cause) {
    if (cause instanceof SteelyardError) throw cause;
    const errno = errnoOf(cause);
    if (errno === 'ENOENT') return [];
    throw new SteelyardError('IO', `cannot list ${path} (${errno})`, { file: path, cause });
  }
}

const limit = (file: string, message: string): SteelyardError =>
  new SteelyardError('LIMIT', message, { file });

/** One file that must be a plain one. Never follows a link in the last place, never waits for a pipe. */
export function readPlain(path: string, name: string = path): Buffer {
  let descriptor: number | undefined;
  try {
    descriptor = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    const stat = fstatSync(descriptor);
    if (!stat.isFile()) throw new SteelyardError('NOT_REGULAR', `${name} is no plain file`, { file: name });
    if (stat.size > MAX_FILE) throw limit(name, `${name} is larger than ${MAX_FILE} bytes`);
    return readAll(descriptor, stat.size);
  } catch (cause) {
    if (cause instanceof SteelyardError) throw cause;
    const errno = errnoOf(cause);
    if (errno === undefined) throw cause;
    if (errno === 'ELOOP')
      throw new SteelyardError('NOT_REGULAR', `${name} is a link; evidence must be plain files`, {
        file: name,
        errno,
      });
    const code = errno === 'ENOENT' ? 'NOT_FOUND' : 'IO';
    throw new SteelyardError(code, `cannot read ${name} (${errno})`, { file: name, errno, cause });
  } finally {
    if (descriptor !== undefined) closeSync(descriptor);
  }
}

/** null: there is no such file. */
export function readMaybe(path: string): Buffer | null {
  try {
    return readPlain(path);
  } catch (error) {
    if (error instanceof SteelyardError && error.code === 'NOT_FOUND') return null;
    throw error;
  }
}

/** The one MBOM of a folder. */
export function mbomIn(folder: string): string {
  const found = listed(folder).filter((entry) => entry.name.endsWith('.mbom.yaml'));
  if (found.length === 1) return join(folder, found[0]!.name);
  const message =
    found.length === 0 ? 'there is no *.mbom.yaml in it' : 'there is more than one MBOM in it; name one';
  throw new SteelyardError(found.length === 0 ? 'NOT_FOUND' : 'USAGE', `${folder}: ${message}`, {
    file: folder,
  });
}
