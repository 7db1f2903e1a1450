// Caches of other programs on this machine, read in place and never written. What a cache calls a file is what it has to hash to: the
// programs that filled it trust the name alone.
import { closeSync, constants, fstatSync, openSync, read } from 'node:fs';
import { sep } from 'node:path';
import { promisify } from 'node:util';
import { errnoOf, SteelyardError } from '../../rules/error.ts';
import { realPath } from '../../runtime/folder.ts';
import { checkedListing } from '../path.ts';
import type { Source, SourceFile, SourceOptions } from '../store.ts';
import { canonicalUri, type SourceUri } from '../uri.ts';
import type { Cached } from './cached.ts';
import { listHubCache } from './hub-cache.ts';
import { listLmStudio } from './lm-studio.ts';
import { listOllamaCache } from './ollama-cache.ts';

type Uri = SourceUri & { scheme: 'cache' };

const LISTERS = { hub: listHubCache, ollama: listOllamaCache, lmstudio: listLmStudio } as const;

export async function openCache(uri: Uri, options: SourceOptions): Promise<Source> {
  const model = attempt(uri, () => LISTERS[uri.store](uri, options.env));
  const name = canonicalUri(uri, model.pin.kind === 'commit' ? model.pin.value : null);
  const located = model.files.map((file) => attempt(uri, () => locate(file, model.folders)));
  const byPath = new Map(located.map((one) => [one.file.path, one]));
  const files = checkedListing(
    located.map(({ file }) => file),
    name,
  );
  return {
    uri: name,
    endpoint: 'file://',
    pin: model.pin,
    files,
    notes: [],
    read: ({ path }, start, end) => readFile(byPath.get(path)!, start, end),
    seekable: async () => true,
    close: async () => undefined,
  };
}

interface Located {
  readonly file: SourceFile;
  readonly real: string;
}

/** Where a file really is: links of a cache lead to its blobs and nowhere else. */
function locate({ path, absolute, expected }: Cached, folders: readonly string[]): Located {
  const real = realPath(absolute);
  if (!folders.some((folder) => real.startsWith(folder + sep)))
    throw new SteelyardError('SOURCE_NOT_ALLOWED', `a link that leads out of the cache, to ${real}`, {
      file: path,
    });
  const descriptor = openRegular(real, path);
  try {
    const { size, ino, mtimeMs } = fstatSync(descriptor);
    return { file: { path, size, pin: `${ino} ${mtimeMs}`, expected }, real };
  } finally {
    closeSync(descriptor);
  }
}

function openRegular(real: string, file: string): number {
  const descriptor = openSync(real, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  if (fstatSync(descriptor).isFile()) return descriptor;
  closeSync(descriptor);
  throw new SteelyardError('NOT_REGULAR', 'the cache holds something that is no file', { file });
}

const CHUNK = 2 ** 20;
const readAt = promisify(read);

async function* readFile({ file, real }: Located, start: number, end: number): AsyncGenerator<Uint8Array> {
  const changed = (how: string): SteelyardError =>
    new SteelyardError('SOURCE_CHANGED', `the file of the cache was ${how}`, { file: file.path });
  const descriptor = openRegular(real, file.path);
  try {
    const { ino, mtimeMs } = fstatSync(descriptor);
    if (`${ino} ${mtimeMs}` !== file.pin) throw changed('replaced');
    for (let at = start; at < end; ) {
      const chunk = Buffer.allocUnsafe(Math.min(CHUNK, end - at));
      const { bytesRead } = await readAt(descriptor, chunk, 0, chunk.length, at);
      if (bytesRead === 0) throw changed('cut');
      at += bytesRead;
      yield chunk.subarray(0, bytesRead);
    }
  } finally {
    closeSync(descriptor);
  }
}

function attempt<T>(uri: Uri, action: () => T): T {
  try {
    return action();
  } catch (cause) {
    const errno = errnoOf(cause);
    if (errno === undefined) throw cause;
    const code = errno === 'ENOENT' || errno === 'ENOTDIR' ? 'NOT_FOUND' : 'IO';
    throw new SteelyardError(code, `${canonicalUri(uri, null)} cannot be read in its cache (${errno})`, {
      errno,
    });
  }
}
