// Names of files as bytes. Node makes U+FFFD of what is not UTF-8, so that `model-\xff` and a file that is really called so become one
// name: whoever looks at it looks at the twin, and Python opens the other. So a name is taken as it lies on the disk, or not at all;
// whoever lists a folder or follows a link comes here.
import { isUtf8 } from 'node:buffer';
import { type Dirent, readdirSync, readlinkSync, realpathSync } from 'node:fs';
import { join } from 'node:path';
import { SteelyardError } from '../rules/error.ts';

interface Entry {
  readonly name: string;
  /** What it is itself: a link is a link. */
  readonly what: Pick<Dirent, 'isFile' | 'isDirectory' | 'isSymbolicLink'>;
}

/** In the order of their names. Throws what the system says, and IO for a name that is not UTF-8 unless `odd` takes it. */
export function entriesOf(folder: string, odd: (error: SteelyardError) => void = raise): Entry[] {
  const entries: Entry[] = [];
  for (const entry of readdirSync(folder, { withFileTypes: true, encoding: 'buffer' })) {
    if (isUtf8(entry.name)) entries.push({ name: entry.name.toString('utf8'), what: entry });
    else odd(notUtf8(join(folder, spelled(entry.name))));
  }
  return entries.sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** All that is no folder, below a folder: `a/b`. Links are not followed. */
export function filesBelow(
  folder: string,
  within = '',
): { readonly path: string; readonly what: Entry['what'] }[] {
  return entriesOf(folder).flatMap(({ name, what }) =>
    what.isDirectory()
      ? filesBelow(join(folder, name), `${within}${name}/`)
      : [{ path: within + name, what }],
  );
}

/** Where a path really leads. Throws what the system says, and IO. */
export const realPath = (path: string): string =>
  named(realpathSync.native(path, { encoding: 'buffer' }), path);

/** What a link says. */
export const linkTarget = (link: string): string => named(readlinkSync(link, { encoding: 'buffer' }), link);

/** Of a path that somebody gave: the bytes of an argument that is not UTF-8 are gone already. Throws USAGE. */
export function assertNamed(path: string): void {
  if (!path.includes('\uFFFD')) return;
  const message = 'the name is not UTF-8, or cannot be told from one that is not; rename it';
  throw new SteelyardError('USAGE', `${path}: ${message}`, { file: path });
}

function named(name: Buffer, file: string): string {
  if (isUtf8(name)) return name.toString('utf8');
  throw new SteelyardError('IO', `it leads to ${spelled(name)}, a name that is not UTF-8`, { file });
}

function notUtf8(file: string): SteelyardError {
  const message =
    'its name is not UTF-8, so that programs differ in which file they open; rename it, or remove it';
  return new SteelyardError('IO', message, { file });
}

const spelled = (name: Buffer): string =>
  name.toString('latin1').replace(/[\x80-\xff]/g, (c) => `\\x${c.charCodeAt(0).toString(16)}`);

function raise(error: SteelyardError): never {
  throw error;
}
