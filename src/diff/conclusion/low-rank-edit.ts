// Changes of low rank: a fact written into one matrix, or an adapter merged into many.
import { roundingError } from '../../baseline/compare/conversion.ts';
import { type Compared, compared, concluded, type Grounds, largest, named } from '../grounds.ts';
import type { Conclusion, Spectrum } from '../report/diff-report.ts';

/** ROME writes into one matrix, MEMIT into some five, next to each other. */
const EDITED = 8;
/** Ranks that are told: a leading value more is needed to see what follows them. */
const MOST_RANK = 15;
/** Of a smaller side so many times the rank, low rank is no coincidence: the change of a head of two classes is always of rank one. */
const TIMES = 4;
const SMALL = 16;
/** What is left of the norm behind the last direction, where the dtype rounds nothing away. */
const LEFT = 1e-3;
/**
 * Where it does, what is left must look as rounding does: the next value within some of what a random matrix of that norm has for
 * its largest (3.4 times seen, because small steps round to nothing in rows of large values), and far below the last of the rank:
 * 0.11 seen for an edit of a thousandth of the norm, while training that leads in one direction had 0.23 and more.
 */
const FLAT = 5;
const ABOVE = 0.15;

export function spectrumFamily({ left, tensors }: Grounds): Conclusion[] {
  const changes = compared(left).filter(hasSpectrum);
  const rankOne = changes.filter((change) => rankOf(change) === 1);
  const edited = tensors.length <= EDITED ? rankOne : [];
  const merged = changes.filter((change) => !edited.includes(change) && rankOf(change) !== null);
  return [...edits(edited), ...merges(merged)];
}

const spectrumOf = ({ difference }: Compared): Spectrum => difference.spectrum!;

const hasSpectrum = ({ difference, suspect }: Compared): boolean =>
  difference.spectrum !== null && Math.min(...suspect.shape) > SMALL;

/** After how many directions nothing but rounding is left; null: there is more, or it cannot be told from rounding. */
function rankOf(change: Compared): number | null {
  const { values } = spectrumOf(change);
  const { norm } = change.difference;
  const most = Math.min(MOST_RANK, Math.floor(Math.min(...change.suspect.shape) / TIMES));
  let rest = norm ** 2;
  for (let rank = 1; rank <= Math.min(most, values.length); rank++) {
    rest -= values[rank - 1]! ** 2;
    if (isRounding(change, rank, Math.sqrt(Math.max(0, rest)))) return rank;
  }
  return null;
}

function isRounding(change: Compared, rank: number, rest: number): boolean {
  const { norm, goodNorm, suspectNorm } = change.difference;
  if (rest <= LEFT * norm) return true;
  const room = Math.max(roundingError(change.good.dtype) ?? 0, roundingError(change.suspect.dtype) ?? 0);
  if (rest > room * Math.max(goodNorm, suspectNorm)) return false;
  const { values } = spectrumOf(change);
  const [rows, columns] = change.suspect.shape as [number, number];
  // The largest singular value of a random matrix of this norm (Marchenko and Pastur; Geman 1980).
  const edge = rest * (1 / Math.sqrt(rows) + 1 / Math.sqrt(columns));
  const next = values[rank] ?? 0;
  return next <= FLAT * edge && next <= ABOVE * values[rank - 1]!;
}

/** What is left of the norm behind the first direction. */
const restOf = (change: Compared): number =>
  Math.sqrt(Math.max(0, 1 - (spectrumOf(change).values[0]! / change.difference.norm) ** 2));

function edits(changes: readonly Compared[]): Conclusion[] {
  if (changes.length === 0) return [];
  return [
    concluded(
      'rank-one-edit',
      `${named(changes)} ${changes.length === 1 ? 'was' : 'were'} edited by rank one, as ROME and MEMIT write a fact into a model`,
      changes,
      [
        {
          name: 'largest share of the norm behind the first direction',
          value: largest(changes.map(restOf)),
          limit: `at most ${LEFT}, or the rounding of the dtype`,
        },
        { name: 'tensors changed', value: changes.length, limit: `at most ${EDITED}` },
        {
          name: 'largest relative change',
          value: largest(changes.map(({ difference }) => difference.relativeNorm ?? 0)),
        },
      ],
      'a merged adapter of rank 1 on few modules, and abliteration of one direction, are of rank one too',
    ),
  ];
}

function merges(changes: readonly Compared[]): Conclusion[] {
  if (changes.length === 0) return [];
  const ranks = changes.map((change) => rankOf(change)!);
  return [
    concluded(
      'low-rank-merge',
      `the change of ${named(changes)} is of rank ${largest(ranks)}, as of a merged adapter`,
      changes,
      [
        { name: 'largest rank', value: largest(ranks), limit: `at most ${MOST_RANK}` },
        {
          name: 'largest relative change',
          value: largest(changes.map(({ difference }) => difference.relativeNorm ?? 0)),
        },
      ],
      'which adapter it was is not known; one of rank 16 and more is told as a fine-tune',
    ),
  ];
}
