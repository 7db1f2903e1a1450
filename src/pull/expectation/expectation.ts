// What each file is expected to be, and who says so. The first who says something decides; every other has to agree.
import type { Expected, SourceFile } from '../../source/source.ts';

/** From the strongest to the weakest: an argument or a lock that people have reviewed, a signed MBOM, the store itself. */
type By = 'argument' | 'lock' | 'mbom' | 'source';

export interface Expectation extends Expected {
  readonly by: By;
}

/** Digests by path that somebody declared: who it was, and what they list. */
export interface Declaration {
  readonly by: Exclude<By, 'source'>;
  readonly digests: ReadonlyMap<string, Expected>;
}

/** The first decides. Empty: nobody says anything of the file. */
export function expectationsOf(file: SourceFile, declared: readonly Declaration[]): Expectation[] {
  const said = declared.flatMap(({ by, digests }) => {
    const expected = digests.get(file.path);
    return expected === undefined ? [] : [{ by, ...expected }];
  });
  return file.expected === null ? said : [...said, { by: 'source', ...file.expected }];
}

/** Two who contradict each other before a byte is read. null: all agree, as far as they can be compared. */
export function contradiction(expectations: readonly Expectation[]): [Expectation, Expectation] | null {
  for (const one of expectations)
    for (const other of expectations)
      if (one.algorithm === other.algorithm && one.value !== other.value) return [one, other];
  return null;
}

export const WHO: Readonly<Record<By, string>> = {
  argument: '--sha256',
  lock: 'the lock',
  mbom: 'the MBOM',
  source: 'the source',
};
