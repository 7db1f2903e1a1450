// What transfers of the Hub's client left unfinished, outside of the folder that is scanned or in what it keeps for itself.
import { existsSync, readFileSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import { entriesOf } from '../../../runtime/folder.ts';

/**
 * Absolute paths. `repos`: of a cache of the Hub; `kept`: files in .cache/huggingface/download, where what was begun before the file
 * arrived after all says nothing.
 */
export function unfinishedTransfers(repos: readonly string[], kept: readonly string[]): string[] {
  const notes = kept
    .filter((path) => path.endsWith('.metadata'))
    .flatMap((path) => noteText(path).split(/[\s"]+/));
  const arrived = new Set(notes);
  return [
    ...repos.flatMap((repo) => begunBlobs(join(repo, 'blobs'))),
    ...kept.filter((path) => {
      if (!path.endsWith(INCOMPLETE)) return false;
      const etag = basename(path).split('.').at(-2) ?? '';
      return etag === '' || !arrived.has(etag);
    }),
  ];
}

const INCOMPLETE = '.incomplete';
const NOTE_MAX = 4096;

function begunBlobs(folder: string): string[] {
  try {
    return entriesOf(folder, () => undefined)
      .map(({ name }) => name)
      .filter((name) => name.endsWith(INCOMPLETE) && !existsSync(join(folder, name.split('.')[0]!)))
      .map((name) => join(folder, name));
  } catch {
    return []; // a cache without blobs: the links of the snapshot say so
  }
}

function noteText(path: string): string {
  try {
    return statSync(path).size > NOTE_MAX ? '' : readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
