// Pins and digests of a source in a file for review: what a person has read in git decides over what a store says later.

import type { z } from 'zod';
import { jsonText } from '../../document/json/chunks.ts';
import { SteelyardError } from '../../rules/error.ts';
import { openSource, type SourceOptions } from '../../source/source.ts';
import type { Declaration } from '../expectation/expectation.ts';
import { type Selection, selected } from '../expectation/selection.ts';
import { LockSchema } from './receipt-schema.ts';

export type Lock = z.infer<typeof LockSchema>;

/** Lists and pins a source. Nothing of its files is read: the digests are those that the store states. */
export async function lock(uri: string, options: SourceOptions & Selection): Promise<Lock> {
  const source = await openSource(uri, options);
  try {
    const files = selected(source, options).map(({ path, size, expected }) => ({ path, size, expected }));
    return { schema: 'steelyard/lock/1', source: source.uri, pin: source.pin, files };
  } finally {
    await source.close();
  }
}

export const writeLock = (locked: Lock): string => jsonText(locked);

/** Throws USAGE: no lock, or one that contradicts itself. */
export function readLock(bytes: Uint8Array): Lock {
  const invalid = (why: string): SteelyardError =>
    new SteelyardError('USAGE', `the lock cannot be used: ${why}; write it again with steelyard lock`);
  let json: unknown;
  try {
    json = JSON.parse(Buffer.from(bytes).toString('utf8'));
  } catch {
    throw invalid('it is no JSON');
  }
  const parsed = LockSchema.safeParse(json);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw invalid(`${issue!.path.join('.')}: ${issue!.message}`);
  }
  const { files } = parsed.data;
  if (new Set(files.map(({ path }) => path)).size < files.length) throw invalid('it lists a file twice');
  return parsed.data;
}

/** What a lock says of the files of its source. */
export const lockedBy = ({ files }: Lock): Declaration => ({
  by: 'lock',
  digests: new Map(
    files.flatMap(({ path, expected }) => (expected === null ? [] : [[path, expected] as const])),
  ),
});

/**
 * What a source lists that a lock or an MBOM does not, or the other way round: then that was not made of this. Throws SOURCE_CHANGED.
 */
export function assertLocked(
  files: readonly { readonly path: string; readonly size: number }[],
  locked: readonly { readonly path: string; readonly size: number }[],
  who: string,
): void {
  const sizes = new Map(locked.map(({ path, size }) => [path, size]));
  for (const { path, size } of files) {
    const wanted = sizes.get(path);
    sizes.delete(path);
    if (wanted === size) continue;
    const how =
      wanted === undefined ? `${who} does not have it` : `it has ${size} bytes, and ${wanted} in ${who}`;
    throw new SteelyardError('SOURCE_CHANGED', `the source is not the one that was declared: ${how}`, {
      file: path,
    });
  }
  const [gone] = sizes.keys();
  if (gone === undefined) return;
  throw new SteelyardError(
    'SOURCE_CHANGED',
    `the source is not the one that was declared: ${who} has the file, the source does not`,
    { file: gone },
  );
}
