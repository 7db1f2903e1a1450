// The digests that the scan took of the quarantined files, held against what was expected of them. A scan hashes every byte, so
// nothing is read again; only Git's SHA-1 of small files is not among what it takes.
import { createHash } from 'node:crypto';
import { closeSync, openSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { type Finding, toFinding } from '../../rules/finding.ts';
import type { Expectation } from './expectation.ts';
import { WHO } from './expectation.ts';

/** A file as it lies in the quarantine, with the digest that the scan took. */
interface Arrived {
  readonly path: string;
  readonly size: number;
  /** `sha256:…` */
  readonly sha256: string;
}

/** Every expectation that does not hold, of every file. Throws IO. */
export function mismatches(
  files: readonly Arrived[],
  {
    source,
    expected,
  }: { readonly source: string; readonly expected: ReadonlyMap<string, readonly Expectation[]> },
  folder: string,
): Finding[] {
  return files.flatMap((file) =>
    (expected.get(file.path) ?? []).flatMap((one) =>
      mismatch(file, one, folder, source.startsWith('cache:')),
    ),
  );
}

function mismatch(
  file: Arrived,
  { by, algorithm, value }: Expectation,
  folder: string,
  isCache: boolean,
): Finding[] {
  const actual = algorithm === 'sha256' ? file.sha256.slice('sha256:'.length) : gitDigest(file, folder);
  if (actual === value) return [];
  const message = `the file is not the one that ${WHO[by]} names: its bytes were changed, or damaged, on the way`;
  return [
    toFinding({
      rule: isCache && by === 'source' ? 'source/cache-digest' : 'source/digest',
      file: file.path,
      message,
      expected: `${algorithm}:${value}`,
      actual: `${algorithm}:${actual}`,
    }),
  ];
}

const CHUNK = 2 ** 20;

/** `git hash-object`. Empty if the file is not the one that was scanned: it equals nothing then. */
function gitDigest({ path, size, sha256 }: Arrived, folder: string): string {
  const git = createHash('sha1').update(`blob ${size}\0`);
  const again = createHash('sha256');
  const descriptor = openSync(join(folder, path), 'r');
  try {
    const chunk = Buffer.allocUnsafeSlow(CHUNK);
    for (let got = 1; got > 0; ) {
      got = readSync(descriptor, chunk, 0, CHUNK, null);
      git.update(chunk.subarray(0, got));
      again.update(chunk.subarray(0, got));
    }
  } finally {
    closeSync(descriptor);
  }
  return `sha256:${again.digest('hex')}` === sha256 ? git.digest('hex') : '';
}
