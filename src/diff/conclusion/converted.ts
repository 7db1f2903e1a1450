// Another dtype, or another run of the quantiser: how far rounding alone moves values.
import { roundingError, strayed } from '../../baseline/compare/conversion.ts';
import { loosened } from '../../baseline/compare/explanation.ts';
import { dtypeByName } from '../../scan/dtype.ts';
import { type Compared, compared, concluded, type Grounds, isRetyped, largest, named } from '../grounds.ts';
import type { Conclusion, TensorChange } from '../report/diff-report.ts';

export function conversionFamily(grounds: Grounds): Conclusion[] {
  const { left } = grounds;
  const converted = left.filter((change) => isConverted(change, grounds));
  const requantised = converted.filter(({ good }) => isQuantised(good.dtype));
  return [
    ...told('requantised', requantised),
    ...told(
      'converted',
      converted.filter(({ good }) => !isQuantised(good.dtype)),
    ),
  ];
}

/** Blocks, and floats of 8 bits and less: rounding to them is what quantisers do. */
const isQuantised = (dtype: string): boolean =>
  (dtypeByName(dtype)?.blockCount ?? 1) > 2 || /^F[48]/.test(dtype);

function isConverted(change: TensorChange, grounds: Grounds): boolean {
  const [good, suspect] = [grounds.goodOf(change), grounds.suspectOf(change)];
  if (good === undefined || suspect === undefined) return false;
  if (good.stats !== null && suspect.stats !== null && loosened(good, suspect) !== null) return false;
  if (!isRetyped(change)) return isRounded(change, grounds) || isRequantised(change);
  const { difference } = change;
  if (difference === null) return strayed(good, suspect) === null;
  const room = conversionRoom(change);
  if (room === null || difference.notFinite > 0) return false;
  if ((difference.relativeNorm ?? 0) <= room) return !hasOutlier(change as Compared, room);
  // Converters to GGUF permute the rows of attention matrices: then only order-free statistics agree.
  return good.name !== suspect.name && strayed(good, suspect) === null;
}

/** What rounding to the new dtype, and if it was one already from the old one, may do; 0: the new one holds all of the old. */
export function conversionRoom({ good, suspect }: TensorChange): number | null {
  if (WIDER.get(good.dtype)?.includes(suspect.dtype)) return 0;
  return roundingError(suspect.dtype);
}

const WIDER: ReadonlyMap<string, readonly string[]> = new Map([
  ['BF16', ['F32', 'F64']],
  ['F16', ['F32', 'F64']],
  ['F32', ['F64']],
  ['F8_E4M3', ['BF16', 'F16', 'F32', 'F64']],
  ['F8_E5M2', ['BF16', 'F16', 'F32', 'F64']],
]);

/** Rounding spreads evenly over rows; one that it moved ten times as far was edited. */
const OUTLIER = 10;

export const outliers = ({ difference }: Compared, room: number): number =>
  difference.rows?.largest.filter(({ norm, goodNorm }) => norm > OUTLIER * room * goodNorm).length ?? 0;

const hasOutlier = (change: Compared, room: number): boolean => room > 0 && outliers(change, room) > 0;

/** The same dtype through a narrower one and back: all values end in the zero bits of that. */
function isRounded(change: TensorChange, grounds: Grounds): boolean {
  const [before, after] = [grounds.goodOf(change)?.stats, grounds.suspectOf(change)?.stats];
  const zeros = after?.trailingZeros;
  if (!zeros || !before?.trailingZeros || change.difference === null) return false;
  for (const [bits, dtype] of NARROWER.get(change.suspect.dtype) ?? []) {
    const set = zeros.slice(0, bits).reduce((sum, count) => sum + count, 0);
    const had = before.trailingZeros.slice(0, bits).reduce((sum, count) => sum + count, 0);
    if (set === 0 && had > 0) return (change.difference.relativeNorm ?? 1) <= 2 * roundingError(dtype)!;
  }
  return false;
}

const NARROWER: ReadonlyMap<string, readonly (readonly [number, string])[]> = new Map([
  [
    'F32',
    [
      [16, 'BF16'],
      [13, 'F16'],
    ],
  ],
]);

/** The same block dtype again: twice the error of one rounding, in all blocks and not in a few. */
function isRequantised(change: TensorChange): boolean {
  const { difference, good } = change;
  const room = roundingError(good.dtype);
  if (difference === null || room === null || !isQuantised(good.dtype)) return false;
  return (
    difference.changed > MOST * difference.count &&
    (difference.relativeNorm ?? 1) <= 2 * room &&
    !hasOutlier(change as Compared, room)
  );
}

const MOST = 0.02;

function told(kind: 'converted' | 'requantised', changes: readonly TensorChange[]): Conclusion[] {
  const [first] = changes;
  if (first === undefined) return [];
  const from = [...new Set(changes.map(({ good }) => good.dtype))].join(', ');
  const to = [...new Set(changes.map(({ suspect }) => suspect.dtype))].join(', ');
  const how = from === to ? `in ${to} again` : `from ${from} to ${to}`;
  const verb = kind === 'converted' ? 'converted' : 'quantised';
  const moved = compared(changes).map(({ difference }) => difference.relativeNorm ?? 0);
  const rooms = compared(changes).map((change) => conversionRoom(change) ?? 0);
  return [
    concluded(
      kind,
      `${named(changes)} ${changes.length === 1 ? 'was' : 'were'} ${verb} ${how}`,
      changes,
      [
        { name: 'tensors', value: changes.length },
        {
          name: 'largest relative change',
          value: largest(moved),
          limit: `at most ${largest(rooms).toPrecision(3)} of rounding`,
        },
      ],
      'an edit that is smaller than the rounding, or spread as it is, cannot be distinguished from it',
    ),
  ];
}
