// Stores that name what they keep by its content: the caches of the Hub and of Ollama, and layouts of OCI.
import { basename, dirname } from 'node:path';
import type { FileEntry } from '../file.ts';
import type { Algorithm, Claim } from './claimed.ts';

/** The digest in the name of a file, or of what a link leads to; null: it is in no such store. */
export function storeClaim({ absolute, real }: FileEntry): Claim | null {
  const path = real ?? absolute;
  const name = basename(path);
  const folder = basename(dirname(path));
  const claim = (algorithm: Algorithm, digest: string, store: string): Claim => ({
    algorithm,
    digest,
    by: `its name in ${store}`,
    store: true,
  });
  const [, ollama] = /^sha256[-:]([0-9a-f]{64})$/.exec(name) ?? [];
  if (ollama !== undefined) return claim('sha256', ollama, 'a store of blobs');
  // A copied blob without its folder is a file that somebody called so.
  const stored = real !== undefined || folder === 'blobs';
  if (folder === 'sha256' && /^[0-9a-f]{64}$/.test(name)) return claim('sha256', name, 'a store of blobs');
  if (stored && /^[0-9a-f]{64}$/.test(name)) return claim('sha256', name, 'the cache of the Hub');
  // What is no LFS file has the name that git gives it.
  if (stored && /^[0-9a-f]{40}$/.test(name)) return claim('git-sha1', name, 'the cache of the Hub');
  return null;
}
