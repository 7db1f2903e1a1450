// A model for as long as somebody looks at it: fetched into a private folder, held against what its source says, and gone afterwards.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { digestModel } from '../proof/sign/files/model-digest.ts';
import { SteelyardError } from '../rules/error.ts';
import type { Followed, MeasureOptions } from '../scan/measure/options.ts';
import type { Wanted } from '../scan/measure/plan.ts';
import { openSource, type Source, type SourceOptions } from '../source/source.ts';
import { expectationsOf } from './expectation/expectation.ts';
import { mismatches } from './expectation/verification.ts';
import { fetchInto } from './quarantine/fetching.ts';
import { Quarantine } from './quarantine/quarantine.ts';
import { streamInto } from './quarantine/streaming.ts';

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

interface BorrowOptions extends SourceOptions, Pick<MeasureOptions, 'onProgress' | 'threads'> {
  /**
   * What is measured of it, and nothing else is asked of its weights: then they go through memory, and only headers and the like are
   * on the disk. Without it the model is there whole.
   */
  readonly wanted?: Wanted;
}

/** What was measured while it came, and what the files are. */
async function arrived(quarantine: Quarantine, source: Source, { wanted, ...options }: BorrowOptions) {
  if (wanted !== undefined) {
    const followed = await streamInto(quarantine, source, { ...options, wanted });
    const { files, errors } = await digestModel(quarantine.model, { followed, ...wanted });
    // Where a reader asks for weights after all, there is no way but to have them: a second look at long runs of zeros, or a tail that
    // could be that of an archive.
    if (!errors.some(({ file }) => followed.get(file)?.kept !== undefined)) return { files, followed };
    quarantine.clear();
  }
  // A broken header is what the scan is for: nothing is refused before it.
  const followed = await fetchInto(quarantine, source, {
    ...options,
    output: quarantine.output,
    failOn: 'none',
  });
  return { followed, ...(await digestModel(quarantine.model, { followed, ...wanted })) };
}

/**
 * Fetches a model to look at it. Nothing is judged but that the bytes are those that the source states.
 *
 * @throws SteelyardError DIGEST_MISMATCH, and what sources and disks throw.
 */
export async function borrow(uri: string, options: BorrowOptions): Promise<Borrowed> {
  const home = mkdtempSync(join(tmpdir(), 'steelyard-'));
  const end = (): void => rmSync(home, { recursive: true, force: true });
  try {
    const source = await openSource(uri, options);
    try {
      const quarantine = Quarantine.open(join(home, 'model'));
      const { files, followed } = await arrived(quarantine, source, options);
      const expected = new Map(source.files.map((file) => [file.path, expectationsOf(file, [])] as const));
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
