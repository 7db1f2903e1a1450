// Changes of low rank: a fact written into one matrix, or an adapter merged into many.
import { type Compared, compared, concluded, type Grounds, largest, named } from '../grounds.ts';
import type { Conclusion, Spectrum } from '../report/diff-report.ts';

/** Second over first singular value: rank-one edits have at most 0.21, even where BF16 rounds most of them away; noise 0.98. */
const RANK_ONE = 0.25;
/** ROME writes into one matrix, MEMIT into some five, next to each other. */
const EDITED = 8;
/** A step in the singular values, as at the end of a low-rank update; those of trained changes decline gently. */
const STEP = 0.2;
/** Rank, beyond which a sketch of 16 columns sees no step. */
const SKETCHED = 15;
/** Matrices of no more rows or columns have no high rank to begin with. */
const SMALL = 16;

export function spectrumFamily({ left, tensors }: Grounds): Conclusion[] {
  const changes = compared(left).filter(hasSpectrum);
  const rankOne = changes.filter((change) => second(change) < RANK_ONE);
  const edited = tensors.length <= EDITED ? rankOne : [];
  const merged = changes.filter((change) => !edited.includes(change) && rankOf(change) !== null);
  return [...edits(edited), ...merges(merged)];
}

const spectrumOf = ({ difference }: Compared): Spectrum => difference.spectrum!;

const hasSpectrum = ({ difference, suspect }: Compared): boolean =>
  difference.spectrum !== null && Math.min(...suspect.shape) > SMALL;

const second = (change: Compared): number => {
  const { values } = spectrumOf(change);
  return (values[1] ?? 0) / values[0]!;
};

function edits(changes: readonly Compared[]): Conclusion[] {
  if (changes.length === 0) return [];
  return [
    concluded(
      'rank-one-edit',
      `${named(changes)} ${changes.length === 1 ? 'was' : 'were'} edited by rank one, as ROME and MEMIT write a fact into a model`,
      changes,
      [
        {
          name: 'largest ratio of the second to the first singular value',
          value: largest(changes.map(second)),
          limit: `below ${RANK_ONE}`,
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

/** The rank at which the singular values end or fall; null: they do not, as far as can be seen. */
function rankOf(change: Compared): number | null {
  const { method, values } = spectrumOf(change);
  if (method === 'exact') return values.length <= SKETCHED ? values.length : null;
  const step = values.findIndex((value, k) => k > 0 && value < STEP * values[k - 1]!);
  return step < 0 ? null : step;
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
        { name: 'largest rank', value: largest(ranks), limit: `at most ${SKETCHED}` },
        {
          name: 'largest relative change',
          value: largest(changes.map(({ difference }) => difference.relativeNorm ?? 0)),
        },
      ],
      'which adapter it was is not known; one of rank 16 and more is told as a fine-tune',
    ),
  ];
}
