// Releases below folders: every *.mbom.yaml, with what lies beside it and in evidence/.
import { basename, dirname, join } from 'node:path';
import { errnoOf, SteelyardError } from '../../rules/error.ts';
import { entriesOf } from '../../runtime/folder.ts';
import { readEvidenceFolder, readPlain } from '../input/folder.ts';
import { evidenceFile, type ReleaseFiles } from './find.ts';

/** Weights are no documents: only what may be read whole lies beside an MBOM. */
const DOCUMENT = /\.(json|jsonl|sig|yaml|yml)$/;
const MAX_DEPTH = 32;

/** Paths of MBOMs. Links are not followed: they could lead in a circle. */
export function* mbomsBelow(folder: string, depth = 0): Generator<string> {
  if (depth > MAX_DEPTH)
    throw new SteelyardError('LIMIT', `${folder}: folders are nested more than ${MAX_DEPTH} deep`, {
      file: folder,
    });
  const entries = listed(folder);
  for (const { name, what } of entries)
    if (what.isFile() && name.endsWith('.mbom.yaml')) yield join(folder, name);
  for (const { name, what } of entries)
    if (what.isDirectory() && name !== 'evidence') yield* mbomsBelow(join(folder, name), depth + 1);
}

function listed(folder: string) {
  try {
    return entriesOf(folder);
  } catch (cause) {
    if (cause instanceof SteelyardError) throw cause;
    const errno = errnoOf(cause);
    throw new SteelyardError('IO', `cannot list ${folder} (${errno})`, { file: folder, cause });
  }
}

export function readReleaseFiles(path: string): ReleaseFiles {
  const folder = dirname(path);
  const name = basename(path);
  const beside = listed(folder)
    .filter((entry) => entry.what.isFile() && entry.name !== name && DOCUMENT.test(entry.name))
    .map((entry) => evidenceFile(entry.name, readPlain(join(folder, entry.name))));
  return {
    path,
    mbom: evidenceFile(name, readPlain(path)),
    beside,
    evidence: readEvidenceFolder(join(folder, 'evidence'), 'evidence'),
  };
}
