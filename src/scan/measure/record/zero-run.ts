// Where a tensor that has values is zero for long: as a file that was made at full length and never filled. A second look at those
// tensors alone that hold enough zeros; it touches eight bytes at every step, between which no run of two steps can hide.
import type { Pieces } from '../../../runtime/turn.ts';
import { dtypeByName } from '../../dtype.ts';
import type { ByteSource, TensorLayout } from '../../format/layout.ts';
import type { RangeMeasurement } from './record.ts';

/** Zero bytes in a row, relative to the tensor's first byte. */
export interface ZeroRun {
  readonly tensor: number;
  readonly start: number;
  readonly size: number;
}

/** What clients fetch at once is larger. */
const ZERO_RUN = 65_536;
const PROBE = 8;

/** Half of the shortest run that is sure to be found: a 64th of the tensor, from 64 KiB to 2 MiB. */
const stepOf = (size: number): number => Math.min(Math.max(ZERO_RUN / 2, Math.floor(size / 128)), 2 ** 20);

/** The longest of each tensor that is not all zeros, from ZERO_RUN on. */
export function* findZeroRuns(
  source: ByteSource,
  layouts: readonly TensorLayout[],
  measured: readonly (RangeMeasurement | null)[],
): Pieces<ZeroRun[]> {
  const found: ZeroRun[] = [];
  for (const [tensor, layout] of layouts.entries()) {
    if (!mayHoldRun(layout, measured[tensor] ?? null)) continue;
    const run = yield* longestRun(source, layout);
    if (run !== null && run.size >= ZERO_RUN && run.size < layout.end - layout.start)
      found.push({ tensor, ...run });
  }
  return found;
}

/** Bytes that are zero are values that are zero, in every dtype. */
function mayHoldRun({ dtype, start, end }: TensorLayout, measured: RangeMeasurement | null): boolean {
  const info = dtypeByName(dtype);
  if (info === undefined || end - start <= ZERO_RUN || !measured?.stats) return false;
  if (info.coverage !== 'values') return true;
  const { zero, count } = measured.stats;
  const least = Math.max(ZERO_RUN - 2 * info.blockSize, 2 * stepOf(end - start) - ZERO_RUN);
  return zero < count && (zero / info.blockCount) * info.blockSize > least;
}

function* longestRun(
  source: ByteSource,
  { start, end }: TensorLayout,
): Pieces<Omit<ZeroRun, 'tensor'> | null> {
  let best: { start: number; size: number } | null = null;
  const step = stepOf(end - start);
  for (let at = start + step; at + PROBE <= end; ) {
    yield;
    if (!isZero(source.read(at, PROBE))) {
      at += step;
      continue;
    }
    const from = backwards(source, Math.max(start, at - step), at);
    const to = yield* forwards(source, at, end);
    if (best === null || to - from > best.size) best = { start: from - start, size: to - from };
    at = to + step;
  }
  return best;
}

const isZero = (bytes: Uint8Array): boolean => bytes.every((byte) => byte === 0);

/** `from`: the place of the probe before, which was not all zeros. */
function backwards(source: ByteSource, from: number, at: number): number {
  const bytes = source.read(from, at - from);
  let last = bytes.length;
  while (last > 0 && bytes[last - 1] === 0) last--;
  return from + last;
}

const PIECE = 2 ** 20;
const ZEROS = Buffer.alloc(PIECE);

function* forwards(source: ByteSource, at: number, end: number): Pieces<number> {
  for (let from = at; from < end; from += PIECE) {
    const bytes = source.read(from, Math.min(PIECE, end - from));
    if (ZEROS.compare(bytes, 0, bytes.length, 0, bytes.length) !== 0)
      return from + bytes.findIndex((byte) => byte !== 0);
    yield;
  }
  return end;
}
