// Names that documents give to files. A name like `../secret` makes a verifier read outside the model and say that all is
// well (sigstore/model-transparency pull request 647); `a` and `./a` are two names for one file.

import { refuse } from '../refusal.ts';

/** A plain relative POSIX path: segments, none of them empty, `.` or `..`; nothing that another system takes for a separator. */
export function isPlainPath(path: string): boolean {
  return (
    path.length <= MAX_PATH &&
    !/[\\\0\p{Cs}]/u.test(path) &&
    !/^[A-Za-z]:/.test(path) &&
    path.split('/').every((segment) => segment !== '' && segment !== '.' && segment !== '..')
  );
}

const MAX_PATH = 4096;

/** Refuses names that leave the model, and names that stand twice: readers differ in which of the two they take. */
export function assertDistinct(paths: readonly string[]): void {
  const seen = new Set<string>();
  for (const path of paths) {
    if (!isPlainPath(path))
      refuse('PATH_ESCAPE', 'a name in the document is no plain relative path', { file: path });
    if (seen.has(path)) refuse('DUPLICATE_NAME', 'the document lists the file twice', { file: path });
    seen.add(path);
  }
}

/** Order of UTF-8 bytes, as the specification sorts. Array.sort orders UTF-16 units: emoji before U+FFFD. */
export function byBytes(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}
