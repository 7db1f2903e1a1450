// Low bits of mantissas: where steganography hides, because the model does not mind.
import { loosened } from '../../baseline/compare/explanation.ts';
import { type Compared, compared, concluded, type Grounds, largest, named } from '../grounds.ts';
import type { Conclusion, TensorChange } from '../report/diff-report.ts';

/** Of a code, so many low bits can carry a payload and leave the model as it is (EvilModel: three bytes of F32 at most). */
const LOW_BITS: ReadonlyMap<string, number> = new Map([
  ['BF16', 5],
  ['F16', 8],
  ['F32', 20],
  ['F64', 48],
  ['I8', 4],
  ['U8', 4],
  ['F8_E4M3', 2],
  ['F8_E5M2', 1],
]);

/** Adding carries: a changed sum flips each next bit half as often. Replaced bits are even: the highest flips as often as others. */
const EVEN = 0.2;
/** Fewer are told one by one. */
const MANY = 65;

export function bitFamily(grounds: Grounds): Conclusion[] {
  const { left } = grounds;
  const changes = left.filter((change) => isRewritten(change) || hasForbiddenBits(change, grounds));
  const payloads = changes.filter((change) => grounds.payloadOf(change) !== undefined);
  return [
    ...told('payload-in-low-bits', payloads, grounds),
    ...told(
      'low-bits-rewritten',
      changes.filter((change) => !payloads.includes(change)),
      grounds,
    ),
  ];
}

/** The highest bit that differs anywhere; null: none, or codes were not compared. */
export function highestBit({ difference }: TensorChange): number | null {
  const top = difference?.bits?.findLastIndex((count) => count > 0) ?? -1;
  return top < 0 ? null : top;
}

/** Only low bits differ, and the highest of them as often as replaced ones do. */
export function isRewritten(change: TensorChange): change is Compared {
  const { difference, suspect } = change;
  const top = highestBit(change);
  const limit = LOW_BITS.get(suspect.dtype) ?? 0;
  if (difference === null || top === null || top >= limit || difference.changed < MANY) return false;
  return difference.bits![top]! >= EVEN * difference.changed;
}

/** Values that were widened end in zero bits; here they do not any more. Nothing honest fills them in, and nothing else changed. */
function hasForbiddenBits(change: TensorChange, grounds: Grounds): boolean {
  const [good, suspect] = [grounds.goodOf(change), grounds.suspectOf(change)];
  if (good === undefined || suspect === undefined || !good.stats || !suspect.stats) return false;
  const moved = change.difference?.relativeNorm ?? Infinity;
  return moved < FORBIDDEN_NORM && loosened(good, suspect) !== null;
}

/** Low bits move a value by less than rounding to BF16 would. */
const FORBIDDEN_NORM = 5e-3;

function told(
  kind: 'payload-in-low-bits' | 'low-bits-rewritten',
  changes: readonly TensorChange[],
  { payloadOf }: Grounds,
): Conclusion[] {
  if (changes.length === 0) return [];
  const bits = largest(changes.map((change) => (highestBit(change) ?? -1) + 1));
  const share = largest(compared(changes).map(({ difference }) => difference.changed / difference.count));
  const which = bits === 0 ? 'low bits' : bits === 1 ? 'the lowest bit' : `the lowest ${bits} bits`;
  const what =
    kind === 'payload-in-low-bits'
      ? `${payloadOf(changes[0]!)} stands in ${which} of ${named(changes)}`
      : `only ${which} of the values of ${named(changes)} changed, as a payload changes them`;
  return [
    concluded(
      kind,
      what,
      changes,
      [
        { name: 'highest bit that changed', value: bits - 1, limit: 'of the mantissa, and none above it' },
        { name: 'largest share of elements', value: share },
        {
          name: 'share of changes in that bit',
          value: largest(
            compared(changes).map(
              ({ difference }) => (difference.bits?.[bits - 1] ?? 0) / difference.changed,
            ),
          ),
          limit: `at least ${EVEN}; sums carry and give less`,
        },
      ],
      kind === 'payload-in-low-bits'
        ? 'the beginning and the header of the payload were verified, its content was not looked at'
        : 'what the bits say is not known: an encrypted payload looks like noise. Watermarks are made like this too',
    ),
  ];
}
