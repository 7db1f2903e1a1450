// Releases below folders: every *.mbom.yaml, with what lies beside it and in evidence/.
import { readdirSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { errnoOf, SteelyardError } from '../../rules/error.ts';
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
  const entries = entriesOf(folder);
  for (const entry of entries)
    if (entry.isFile() && entry.name.endsWith('.mbom.yaml')) yield join(folder, entry.name);
  for (const entry of entries)
    if (entry.isDirectory() && entry.name !== 'evidence')
      yield* mbomsBelow(join(folder, entry.name), depth + 1);
}

function entriesOf(folder: string) {
  try {
    return readdirSync(folder, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1));
  } catch (cause) {
    const errno = errnoOf(cause);
    throw new SteelyardError('IO', `cannot list ${folder} (${errno})`, { file: folder, cause });
  }
}

export function readReleaseFiles(path: string): ReleaseFiles {
  const folder = dirname(path);
  const name = basename(path);
  const beside = entriesOf(folder)
    .filter((entry) => entry.isFile() && entry.name !== name && DOCUMENT.test(entry.name))
    .map((entry) => evidenceFile(entry.name, readPlain(join(folder, entry.name))));
  return {
    path,
    mbom: evidenceFile(name, readPlain(path)),
    beside,
    evidence: readEvidenceFolder(join(folder, 'evidence'), 'evidence'),
  };
}
