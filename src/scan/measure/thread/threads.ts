// Files measured in worker threads of this process: open, read the header, measure, look again whether the file held still.
import { type Check, inTurns, turns } from '../../../runtime/turn.ts';
import { detectFormat, readLayout } from '../../format/format.ts';
import { contentOf } from '../../identify/content.ts';
import type { Kind } from '../../identify/kind.ts';
import { otherDigests } from '../../model/claim/other-digests.ts';
import { documentViolations, readDocument } from '../../model/companion.ts';
import { changed, type FileEntry, ModelFile, notKept } from '../../model/file.ts';
import type { Lanes, MeasuredFile } from '../measured.ts';
import type { FileMeasurement, Followed, MeasureOptions } from '../options.ts';
import { PARSED_RANGE, type Plan, planRanges, wantedOf } from '../plan.ts';
import { readRecord } from '../record/record.ts';
import { findZeroRuns } from '../record/zero-run.ts';
import type { MeasurePool } from './pool.ts';
import { readError } from './read-error.ts';

export class MeasureThreads implements Lanes {
  /** One file more than there are workers is open, so that its header is read while they are busy. */
  readonly width: number;
  bytesTotal = 0;
  readonly #pool: MeasurePool;
  readonly #options: MeasureOptions;
  readonly #check: Check;

  constructor(pool: MeasurePool, options: MeasureOptions, check: Check) {
    this.width = pool.threads + 1;
    this.#pool = pool;
    this.#options = options;
    this.#check = check;
  }

  get bytesDone(): number {
    return this.#pool.bytesDone;
  }

  measure(entry: FileEntry, index: number, last: boolean): Promise<MeasuredFile> {
    const opened = (size: number): void => {
      this.bytesTotal += size;
    };
    return measureFile(entry, index, last, this.#pool, this.#options, this.#check, opened);
  }

  close(): Promise<void> {
    return this.#pool.close();
  }
}

async function measureFile(
  entry: FileEntry,
  index: number,
  last: boolean,
  pool: MeasurePool,
  options: MeasureOptions,
  check: Check,
  opened: (size: number) => void,
): Promise<MeasuredFile> {
  pool.assertGoing();
  const followed = options.followed?.get(entry.path);
  const file = ModelFile.open(entry, followed?.kept);
  const turn = turns(check);
  try {
    opened(file.size);
    const format = detectFormat(entry.path, file.head(4));
    const header = format === null ? null : await inTurns(readLayout(format, file), check);
    const layout = header === null || header.headerSize === null ? null : header;
    const document = format === null ? readDocument(file) : null;
    const content = format === null ? await contentOf(entry.path, file.looked, check) : null;
    const parsed = file.takePrefix(layout?.headerSize ?? document?.length ?? 0);

    await turn();
    const plan = planRanges(layout, parsed.size, wantedOf(options));
    await turn();
    const begun = performance.now();
    const native =
      known(entry, followed, file.size, plan) ??
      (await pool.measure(index, file.fd, file.size, plan.ranges, options.io ?? 'auto', last));
    const seconds = (performance.now() - begun) / 1000;
    const unread = readError(entry, native);
    if (unread !== null) throw unread;
    const { sha256, ranges } = await inTurns(readRecord(native.records, plan.dtypes), check);
    if (ranges[PARSED_RANGE]!.sha256 !== parsed.sha256) throw changed(entry, 'its header was rewritten');
    const tensors = Array.from(plan.tensors, (range) => (range < 0 ? null : ranges[range]!));
    const zeroRuns =
      layout === null ? [] : await inTurns(findZeroRuns(file.looked, layout.tensors, tensors), check);
    const claims = entry.claims ?? [];
    const digests = claims.length === 0 ? {} : await inTurns(otherDigests(file.looked, claims), check);
    file.assertUnchanged();

    return {
      entry,
      identity: file.identity,
      format,
      size: file.size,
      sha256,
      layout,
      violations: header?.violations ?? [...documentViolations(file), ...content!.violations],
      ...stateOf(layout !== null || document !== null, layout?.format ?? content?.kind ?? 'unknown'),
      ...(content?.quantised === undefined ? {} : { quantised: content.quantised }),
      ...(claims.length === 0 ? {} : { digests }),
      ...(zeroRuns.length === 0 ? {} : { zeroRuns }),
      document,
      tensors,
      kernel: native.kernel,
      seconds,
    };
  } finally {
    file.close();
  }
}

const stateOf = (examined: boolean, kind: Kind): Pick<MeasuredFile, 'kind' | 'state'> => ({
  kind,
  state: examined ? 'examined' : kind === 'unknown' ? 'hashed' : 'identified',
});

/** What was measured while the file arrived, if the readers plan the same over the whole of it, number by number. */
function known(
  entry: FileEntry,
  followed: Followed | undefined,
  size: number,
  { ranges }: Plan,
): FileMeasurement | undefined {
  const isSame =
    followed !== undefined &&
    followed.size === size &&
    followed.ranges.length === ranges.length &&
    ranges.every((value, i) => value === followed.ranges[i]);
  if (!isSame && followed?.kept !== undefined) throw notKept(entry, 0);
  return isSame ? followed.native : undefined;
}
