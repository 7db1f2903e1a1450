// Sources where a command takes paths: each is fetched for as long as the command runs.
import { isSourceUri } from '../../document/text/source-word.ts';
import type { Followed } from '../../scan/measure/options.ts';
import type { Wanted } from '../../scan/measure/plan.ts';
import type { Run } from '../run.ts';

/**
 * Calls `action` with a folder for each source among the paths. Of a single one it is known what was measured while it came; if that is
 * all that is `wanted`, its weights are not kept.
 */
export async function withSources<T>(
  paths: readonly string[],
  { signal, onProgress }: Run,
  action: (paths: readonly string[], followed: ReadonlyMap<string, Followed> | undefined) => Promise<T>,
  wanted?: Wanted,
): Promise<T> {
  if (!paths.some(isSourceUri)) return action(paths, undefined);
  const { borrow } = await import('../../pull/borrowed.ts');
  const passing = wanted === undefined || paths.length > 1 ? {} : { wanted };
  const borrowed: Awaited<ReturnType<typeof borrow>>[] = [];
  try {
    const found: string[] = [];
    for (const path of paths) {
      if (!isSourceUri(path)) found.push(path);
      else {
        const model = await borrow(path, { env: process.env, signal, onProgress, ...passing });
        borrowed.push(model);
        found.push(model.folder);
      }
    }
    return await action(found, paths.length === 1 ? borrowed[0]!.followed : undefined);
  } finally {
    for (const model of borrowed) model.end();
  }
}

/** What a model is called that has no folder of its own: the last word of its source, without what pins it. */
export const nameOfSource = (uri: string): string =>
  uri.replace(/\?.*$/s, '').replace(/\/$/, '').split('/').at(-1)!.split(/[@:]/)[0]!;
