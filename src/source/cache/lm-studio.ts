// LM Studio's folder of models: publisher, repo, files. Nothing in it says what a file has to be.
import { readdirSync, realpathSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import type { SourceOptions } from '../store.ts';
import type { SourceUri } from '../uri.ts';
import type { CachedModel } from './cached.ts';

export function listLmStudio(
  { name }: SourceUri & { scheme: 'cache' },
  env: SourceOptions['env'],
): CachedModel {
  const folder = realpathSync(join(env.HOME ?? homedir(), '.lmstudio', 'models', name));
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true });
  return {
    folders: [folder],
    pin: { kind: 'none', value: '' },
    files: entries
      .filter((entry) => !entry.isDirectory())
      .map((entry) => {
        const absolute = join(entry.parentPath, entry.name);
        return { path: absolute.slice(folder.length + 1), absolute, expected: null };
      }),
  };
}
