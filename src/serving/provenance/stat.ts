// What the file system says of a file, compared later instead of hashing it again. A tripwire and no proof: a store through a
// writable mapping may move no time stamp, so the model's volume is mounted read-only for everybody but the verifier.
import { stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Stat } from './provenance-document.ts';

/** null: it is not there, or cannot be looked at. */
export async function statOf(path: string): Promise<Stat | null> {
  try {
    const { dev, ino, size, mtimeNs, ctimeNs } = await stat(path, { bigint: true });
    return [dev, ino, size, mtimeNs, ctimeNs].map(String) as Stat;
  } catch {
    return null;
  }
}

export const sameStat = (one: Stat | null, other: Stat | null): boolean =>
  one !== null && other !== null && one.every((value, index) => value === other[index]);

/** The folders of these files and all above them, up to the root itself (`.`). */
export function foldersOf(paths: readonly string[]): string[] {
  const folders = new Set(['.']);
  for (const path of paths) for (let one = dirname(path); one !== '.'; one = dirname(one)) folders.add(one);
  return [...folders].sort();
}

/** The stat of each path under the root, in their order. */
export const statsOf = (root: string, paths: readonly string[]): Promise<(Stat | null)[]> =>
  Promise.all(paths.map((path) => statOf(join(root, path))));
