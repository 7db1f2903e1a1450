// LM Studio's folder of models: publisher, repo, files. Nothing in it says what a file has to be.
import { homedir } from 'node:os';
import { join } from 'node:path';
import { filesBelow, realPath } from '../../runtime/folder.ts';
import type { SourceOptions } from '../store.ts';
import type { SourceUri } from '../uri.ts';
import type { CachedModel } from './cached.ts';

export function listLmStudio(
  { name }: SourceUri & { scheme: 'cache' },
  env: SourceOptions['env'],
): CachedModel {
  const folder = realPath(join(env.HOME ?? homedir(), '.lmstudio', 'models', name));
  return {
    folders: [folder],
    pin: { kind: 'none', value: '' },
    files: filesBelow(folder).map(({ path }) => ({ path, absolute: join(folder, path), expected: null })),
  };
}
