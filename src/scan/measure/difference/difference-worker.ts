// What runs in a worker thread: one pair of tensors. A plain object goes back, because errors lose their fields on the way
// between threads.
import { DTYPES } from '../../dtype.ts';
import { type Io, type NativeDifference, native } from '../native.ts';
import { basisOf, projectedValues, sketchedValues } from '../spectrum.ts';
import { type Difference, readDifference, type Spectrum } from './difference.ts';

export interface DifferenceJob {
  readonly plan: Float64Array;
  readonly shape: readonly number[];
  readonly seed: bigint;
  /** false: the spectrum of D says nothing. */
  readonly spectrum: boolean;
  /** Word 0: abort flag; word 1: bytes read by all jobs. */
  readonly control: BigInt64Array;
  readonly io: Io;
}

export interface DifferenceReply extends Pick<NativeDifference, 'outcome' | 'side' | 'offset' | 'errno'> {
  /** null: the outcome is not 'done'. */
  readonly difference: Difference | null;
}

const PROGRESS = 1;

export default function measureDifference(job: DifferenceJob): DifferenceReply {
  const { plan, shape, seed, control, io } = job;
  const first = native().difference(plan, seed, control, PROGRESS, io);
  if (first.outcome !== 'done') return replyOf(first, null);
  const dtypes = [DTYPES[plan[3]!]!, DTYPES[plan[7]!]!] as const;
  const { difference, sketch } = readDifference(first.record, shape, dtypes);
  const { elements, ...before } = difference;
  const whole = (spectrum: Spectrum | null): Difference => ({ ...before, spectrum, elements });
  if (!job.spectrum || sketch.length === 0 || difference.norm === 0) return replyOf(first, whole(null));

  const squares = difference.norm ** 2;
  const basis = basisOf(sketch, Math.min(...shape));
  const second = basis === null ? null : native().difference(plan, basis.values, control, PROGRESS, io);
  if (second !== null && second.outcome !== 'done') return replyOf(second, null);
  const exact =
    second === null ? null : projectedValues(new Float64Array(second.record), basis!.columns, squares);
  const values = exact ?? sketchedValues(sketch);
  // A sketch may take the largest value for too large; none has a stable rank below 1.
  const stableRank = Math.max(1, squares / values[0]! ** 2);
  return replyOf(first, whole({ method: exact === null ? 'sketch' : 'exact', values, stableRank }));
}

const replyOf = (
  { outcome, side, offset, errno }: NativeDifference,
  difference: Difference | null,
): DifferenceReply => ({ outcome, side, offset, errno, difference });
