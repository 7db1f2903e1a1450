// Ollama's store: a manifest by host, namespace, name and tag, blobs by their digest. Ollama verifies none of them once they are there.
import { createHash } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { SteelyardError } from '../../rules/error.ts';
import { realPath } from '../../runtime/folder.ts';
import { readManifest } from '../oci/manifest.ts';
import type { SourceOptions } from '../store.ts';
import { parseSourceUri, type SourceUri } from '../uri.ts';
import type { CachedModel } from './cached.ts';

const MAX_MANIFEST = 4 * 2 ** 20;

export function listOllamaCache(
  { name }: SourceUri & { scheme: 'cache' },
  env: SourceOptions['env'],
): CachedModel {
  const models = realPath(env.OLLAMA_MODELS || join(env.HOME ?? homedir(), '.ollama', 'models'));
  const uri = parseSourceUri(`ollama://${name}`) as SourceUri & { scheme: 'ollama' };
  const path = join(models, 'manifests', uri.host, uri.repository, uri.tag!);
  if (statSync(path).size > MAX_MANIFEST)
    throw new SteelyardError('LIMIT', 'the manifest in the cache is too large for one');
  const bytes = readFileSync(path);
  return {
    folders: [realPath(join(models, 'blobs'))],
    pin: { kind: 'manifest', value: `sha256:${createHash('sha256').update(bytes).digest('hex')}` },
    files: readManifest(bytes).layers.map((layer) => ({
      path: layer.path,
      absolute: join(models, 'blobs', layer.digest.replace(':', '-')),
      expected: { algorithm: 'sha256', value: layer.digest.slice('sha256:'.length) },
    })),
  };
}
