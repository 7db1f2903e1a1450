// A URI → a model that is listed and pinned. The door of this room: what is not named here is not used outside it.

import { openCache } from './cache/cache.ts';
import { openWeb } from './https.ts';
import { openHub } from './hub/hub.ts';
import { openOci } from './oci/oci.ts';
import { openS3 } from './s3/s3.ts';
import type { Source, SourceOptions } from './store.ts';
import { parseSourceUri, type SourceUri } from './uri.ts';

export type { Expected, Pin, Source, SourceFile, SourceNote, SourceOptions } from './store.ts';
export { assertAllowed, type Zone } from './zone.ts';

/**
 * Lists a model at its source and pins it: whatever is read afterwards is of this version or an error.
 *
 * @throws SteelyardError USAGE, NETWORK, UNAUTHORIZED, NOT_FOUND, SOURCE_NOT_ALLOWED, SOURCE_REDIRECT, LIMIT, ABORTED.
 */
export function openSource(uri: string | SourceUri, options: SourceOptions): Promise<Source> {
  const parsed = typeof uri === 'string' ? parseSourceUri(uri) : uri;
  switch (parsed.scheme) {
    case 'hf':
      return openHub(parsed, options);
    case 's3':
    case 'gs':
      return openS3(parsed, options);
    case 'oci':
    case 'ollama':
      return openOci(parsed, options);
    case 'https':
      return openWeb(parsed, options);
    case 'cache':
      return openCache(parsed, options);
  }
}
