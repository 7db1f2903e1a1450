// The cache of huggingface_hub: refs, snapshots of links, blobs by their ETag. Since 2.x blobs may be links themselves, into one
// store for all repos that is marked by a file.
import { existsSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { SteelyardError } from '../../rules/error.ts';
import { filesBelow, linkTarget, realPath } from '../../runtime/folder.ts';
import { hubHome } from '../hub/token.ts';
import type { Expected, SourceOptions } from '../store.ts';
import type { SourceUri } from '../uri.ts';
import type { CachedModel } from './cached.ts';

/** In the folder of the shared blobs. */
const MARKER = '.huggingface-shared-blobs';

export function listHubCache(uri: SourceUri & { scheme: 'cache' }, env: SourceOptions['env']): CachedModel {
  const cache = realPath(env.HF_HUB_CACHE ?? join(hubHome(env), 'hub'));
  const repo = realPath(join(cache, `models--${uri.name.replace('/', '--')}`));
  const revision = uri.revision ?? 'main';
  const isCommit = /^[0-9a-f]{40}$/.test(revision);
  const commit = isCommit ? revision : readFileSync(join(repo, 'refs', revision), 'utf8').trim();
  if (!/^[0-9a-f]{40}$/.test(commit))
    throw new SteelyardError('NOT_FOUND', 'the cache names no commit for the revision');
  const snapshot = join(repo, 'snapshots', commit);
  const shared = join(cache, 'blobs');
  return {
    folders: existsSync(join(shared, MARKER)) ? [repo, shared] : [repo],
    pin: { kind: 'commit', value: commit },
    files: filesBelow(snapshot).map(({ path, what }) => {
      const absolute = join(snapshot, path);
      const blob = what.isSymbolicLink() ? basename(linkTarget(absolute)) : '';
      return { path, absolute, expected: expectedOf(blob) };
    }),
  };
}

/** The first link names the blob by the ETag: SHA-256 of what is stored as LFS, else Git's SHA-1. */
function expectedOf(blob: string): Expected | null {
  if (/^[0-9a-f]{64}$/.test(blob)) return { algorithm: 'sha256', value: blob };
  return /^[0-9a-f]{40}$/.test(blob) ? { algorithm: 'git-sha1', value: blob } : null;
}
