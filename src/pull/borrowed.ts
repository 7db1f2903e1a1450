// A model for as long as somebody looks at it: fetched into a private folder, held against what its source says, and gone afterwards.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { digestModel } from '../proof/sign/files/model-digest.ts';
import { SteelyardError } from '../rules/error.ts';
import type { Followed, MeasureOptions } from '../scan/measure/options.ts';
import { openSource, type SourceOptions } from '../source/source.ts';
import { expectationsOf } from './expectation/expectation.ts';
import { mismatches } from './expectation/verification.ts';
import { fetchInto } from './quarantine/fetching.ts';
import { Quarantine } from './quarantine/quarantine.ts';

export interface Borrowed {
  /** The model's files, under their own names. */
  readonly folder: string;
  /** The pinned source. */
  readonly source: string;
  /** What was measured while it came: for `scan(folder, { followed })`. */
  readonly followed: ReadonlyMap<string, Followed>;
  /** Removes the folder. */
  end(): void;
}

/**
 * Fetches a model to look at it. Nothing is judged but that the bytes are those that the source states.
 *
 * @throws SteelyardError DIGEST_MISMATCH, and what sources and disks throw.
 */
export async function borrow(
  uri: string,
  options: SourceOptions & Pick<MeasureOptions, 'onProgress'>,
): Promise<Borrowed> {
  const home = mkdtempSync(join(tmpdir(), 'steelyard-'));
  const end = (): void => rmSync(home, { recursive: true, force: true });
  try {
    const source = await openSource(uri, options);
    try {
      const quarantine = Quarantine.open(join(home, 'model'));
      // A broken header is what the scan is for: nothing is refused before it.
      const fetching = { ...options, output: quarantine.output, failOn: 'none' } as const;
      const followed = await fetchInto(quarantine, source, fetching);
      const expected = new Map(source.files.map((file) => [file.path, expectationsOf(file, [])] as const));
      const { files } = await digestModel(quarantine.model, { followed });
      const [wrong] = mismatches(files, { source: source.uri, expected }, quarantine.model);
      if (wrong !== undefined)
        throw new SteelyardError('DIGEST_MISMATCH', wrong.message, { file: wrong.file });
      return { folder: quarantine.model, source: source.uri, followed, end };
    } finally {
      await source.close();
    }
  } catch (error) {
    end();
    throw error;
  }
}
