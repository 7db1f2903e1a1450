// A GGUF in several files: who loads the first loads them all, so who names the first has named them all.
import { basename, dirname, join } from 'node:path';
import { entriesOf } from '../../runtime/folder.ts';

const NUMBERED = /^(.+)-0*(\d{1,9})-of-(\d{1,9})\.gguf$/i;

/** The other files of a split whose first one this is, as far as they are there. Absolute. */
export function otherSplits(absolute: string): string[] {
  const [, base, number, count] = NUMBERED.exec(basename(absolute)) ?? [];
  if (number !== '1') return [];
  const folder = dirname(absolute);
  // A loader opens the others by their numbers, never by a name that is no text.
  return entriesOf(folder, () => undefined).flatMap(({ name }) => {
    const other = NUMBERED.exec(name);
    return other?.[1] === base && other?.[2] !== '1' && other?.[3] === count ? [join(folder, name)] : [];
  });
}
