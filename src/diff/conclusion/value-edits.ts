// One rule for all values: a common factor, or zeros.
import { roundingError } from '../../baseline/compare/conversion.ts';
import { type Compared, compared, concluded, type Grounds, largest, least, named } from '../grounds.ts';
import type { Conclusion } from '../report/diff-report.ts';

export function valueFamily(grounds: Grounds): Conclusion[] {
  const changes = compared(grounds.left);
  return [...prunedOf(changes, grounds), ...rescaledOf(changes)];
}

/** A percent of the values; a few zeros are told one by one, or as rows. */
const PRUNED = 0.01;

function prunedOf(all: readonly Compared[], grounds: Grounds): Conclusion[] {
  const changes = all.filter((change) => isPruned(change, grounds));
  if (changes.length === 0) return [];
  const shares = changes.map(({ difference }) => difference.changed / difference.count);
  return [
    concluded(
      'pruned',
      `values of ${named(changes)} were set to zero, all others are the same`,
      changes,
      [
        { name: 'largest share set to zero', value: largest(shares), limit: `at least ${PRUNED}` },
        { name: 'least share set to zero', value: least(shares) },
      ],
      'what was cut out was chosen by somebody: zeros can take a safety behaviour away as well as weight',
    ),
  ];
}

/** Where B is A or 0, ‖A − B‖² = ‖A‖² − ‖B‖²; and so many zeros are new as values changed. */
function isPruned(change: Compared, grounds: Grounds): boolean {
  const { count, changed, norm, goodNorm, suspectNorm } = change.difference;
  if (changed < PRUNED * count || norm === 0) return false;
  const lost = goodNorm ** 2 - suspectNorm ** 2;
  if (Math.abs(lost - norm ** 2) > 1e-9 * goodNorm ** 2) return false;
  const [before, after] = [grounds.goodOf(change)?.stats?.zero, grounds.suspectOf(change)?.stats?.zero];
  return before === undefined || after === undefined || after - before === changed;
}

function rescaledOf(all: readonly Compared[]): Conclusion[] {
  const changes = all.filter(isRescaled);
  if (changes.length === 0) return [];
  const factors = changes.map(factorOf);
  const [low, high] = [least(factors), largest(factors)];
  const by = high - low < 1e-3 * high ? `by ${Number(low.toPrecision(4))}` : 'each by a factor of its own';
  return [
    concluded(
      'uniform-rescale',
      `${named(changes)} ${changes.length === 1 ? 'was' : 'were'} multiplied ${by}: all values of a tensor by one factor`,
      changes,
      [
        { name: 'least factor', value: low },
        { name: 'largest factor', value: high },
        {
          name: 'largest rest beside the factor',
          value: largest(changes.map(({ difference }) => residual(difference))),
          limit: 'within the rounding of the dtype',
        },
      ],
      'a factor on one tensor can switch it off or drown the others; merges and weight folding scale tensors too',
    ),
  ];
}

const factorOf = ({ difference }: Compared): number =>
  ((difference.cosine ?? 0) * difference.suspectNorm) / difference.goodNorm;

/** ‖B − cA‖ / ‖B‖ for the best c. */
const residual = ({ cosine }: Compared['difference']): number =>
  Math.sqrt(Math.max(0, 1 - (cosine ?? 0) ** 2));

/** Of few values, most changes are near to a factor: the bias of two classes is [x, -x], and every step multiplies it. */
const LEAST_COUNT = 16;

function isRescaled(change: Compared): boolean {
  const { difference, suspect, good } = change;
  const room = Math.max(roundingError(suspect.dtype) ?? 0, roundingError(good.dtype) ?? 0);
  // Below this, cosines are rounding themselves.
  const rest = Math.max(residual(difference), 1e-7);
  const factor = factorOf(change);
  return (
    difference.count >= LEAST_COUNT &&
    factor > 0 &&
    rest <= Math.max(room, 1e-6) &&
    Math.abs(factor - 1) > 2 * rest
  );
}
