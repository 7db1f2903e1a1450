// So few elements that each can be named.
import { compared, concluded, type Grounds, named } from '../grounds.ts';
import type { Conclusion, Difference } from '../report/diff-report.ts';

/** Of a tensor; more is no longer few. */
const SHARE = 1 / 16;
/** So many that all moved by a last digit or two come from another rounding: a table computed by another libm. */
const ROUNDED = 8;
const LAST_DIGITS = 2n;
/** Among so many other changed tensors, training in 16 bits leaves some with a few changes: most updates round to nothing. */
const TRAINED = 8;

export function elementFamily({ left, tensors }: Grounds): Conclusion[] {
  if (tensors.length > TRAINED) return [];
  const changes = compared(left).filter(({ difference }) => isFew(difference));
  if (changes.length === 0) return [];
  const count = changes.reduce((sum, { difference }) => sum + difference.changed, 0);
  const elements = changes.flatMap(({ difference }) => difference.elements!);
  const [first] = elements;
  const where =
    elements.length === 1 ? `: at [${first!.index.join(', ')}], ${first!.good} became ${first!.suspect}` : '';
  return [
    concluded(
      'single-elements',
      `${count} element${count === 1 ? '' : 's'} of ${named(changes)} changed${where}`,
      changes,
      [
        { name: 'elements changed', value: count },
        {
          name: 'bits changed',
          value: elements.reduce((sum, element) => sum + bitsBetween(element), 0),
        },
      ],
      'a fault of memory or disk flips single bits as well: compare with a third copy',
    ),
  ];
}

function isFew({ elements, changed, count }: Difference): boolean {
  if (elements === null || changed === 0 || changed > Math.max(1, SHARE * count)) return false;
  return changed < ROUNDED || !elements.every(isLastDigit);
}

type Element = NonNullable<Difference['elements']>[number];

const codes = ({ goodBits, suspectBits }: Element): readonly [bigint, bigint] => [
  BigInt(`0x${goodBits}`),
  BigInt(`0x${suspectBits}`),
];

function isLastDigit(element: Element): boolean {
  const [before, after] = codes(element);
  const apart = before > after ? before - after : after - before;
  return apart <= LAST_DIGITS;
}

function bitsBetween(element: Element): number {
  const [before, after] = codes(element);
  return (before ^ after).toString(2).replaceAll('0', '').length;
}
