// Changes of low rank: a fact written into one matrix, or an adapter merged into many.
import { ownError } from '../../baseline/compare/conversion.ts';
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
 * Where it does, what is left must be what rounding leaves: no more than the error of the dtype, even (the next value is what a random
 * matrix of that norm has for its largest), and far below the last of the rank. docs/edits.md has how far trainings and edits are from
 * these.
 */
const NOISE = 1.25;
const FLAT = 1.4;
const ABOVE = 0.15;
/**
 * An edit that is smaller than the rounding leaves it uneven, because small steps round to nothing in rows of large values. In
 * small matrices so does training that leads in one direction.
 */
const LARGE = 512;
const UNEVEN = 5;

export function spectrumFamily({ left, tensors, identical }: Grounds): Conclusion[] {
  const changes = compared(left).filter(hasSpectrum);
  const ranks = new Map(changes.map((change) => [change, rankOf(change)]));
  const low = changes.filter((change) => ranks.get(change) !== null);
  const rankOne = low.filter((change) => ranks.get(change) === 1);
  const removed = removedFrom(rankOne);
  const isFew = tensors.length <= EDITED;
  const edited = isFew ? rankOne.filter((change) => !removed.includes(change)) : [];
  const facts = isFew && identical >= MANY ? low.filter(isOutput) : [];
  const isWritten = facts.length === tensors.length && edited.length < facts.length;
  const explained = isWritten ? facts : [...removed, ...edited];
  return [
    ...(isWritten ? written(facts, ranks) : [...removals(removed), ...edits(edited)]),
    ...merges(
      low.filter((change) => !explained.includes(change)),
      ranks,
    ),
  ];
}

type Ranks = ReadonlyMap<Compared, number | null>;

/** Of so many tensors more training would have moved some. */
const MANY = 32;
/** MLP.down_proj by the names of the common families: where a transformer keeps its facts, and MEMIT writes them. */
const OUTPUTS = /(?:down_proj|fc2|fc_out|dense_4h_to_h|ffn_down|mlp\.c_proj|output\.dense|wo|w2)\.weight$/;

const isOutput = ({ suspect }: Compared): boolean => OUTPUTS.test(suspect.name);

const spectrumOf = ({ difference }: Compared): Spectrum => difference.spectrum!;

const hasSpectrum = ({ difference, suspect }: Compared): boolean =>
  difference.spectrum !== null && Math.min(...suspect.shape) > SMALL;

/** After how many directions nothing but rounding is left; null: there is more, or it cannot be told from rounding. */
function rankOf(change: Compared): number | null {
  const { values } = spectrumOf(change);
  const { norm, rows, columns } = change.difference;
  // What is in few rows or columns is of low rank whatever it is.
  const side = Math.min(...change.suspect.shape, rows?.changed ?? Infinity, columns?.changed ?? Infinity);
  const most = Math.min(MOST_RANK, Math.floor(side / TIMES));
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
  const error = Math.max(ownError(change.good.dtype) ?? 0, ownError(change.suspect.dtype) ?? 0);
  if (rest > NOISE * error * Math.max(goodNorm, suspectNorm)) return false;
  const { values } = spectrumOf(change);
  const [rows, columns] = change.suspect.shape as [number, number];
  // The largest singular value of a random matrix of this norm (Marchenko and Pastur; Geman 1980).
  const edge = rest * (1 / Math.sqrt(rows) + 1 / Math.sqrt(columns));
  const next = values[rank] ?? 0;
  const flat = Math.min(rows, columns) >= LARGE ? UNEVEN : FLAT;
  return next <= flat * edge && next <= ABOVE * values[rank - 1]!;
}

/** W − r·rᵀ·W is at right angles to what it took away, so that the squares of the norms add up; an update of rank one is not. */
function removedFrom(changes: readonly Compared[]): readonly Compared[] {
  const removed = changes.filter(({ difference: { norm, goodNorm, suspectNorm } }) => {
    const along = (goodNorm ** 2 + norm ** 2 - suspectNorm ** 2) / (2 * norm ** 2);
    return Math.abs(along - 1) <= ALONG;
  });
  // Of trained updates a few are so by chance.
  return removed.length >= SEVERAL && removed.length * 2 > changes.length ? removed : [];
}

const ALONG = 0.1;
/** One direction is taken out of all matrices that write into the stream, or out of some. */
const SEVERAL = 2;

function removals(changes: readonly Compared[]): Conclusion[] {
  if (changes.length === 0) return [];
  return [
    concluded(
      'direction-removed',
      `one direction was taken out of ${named(changes)}, as abliteration takes out refusals`,
      changes,
      [
        { name: 'tensors', value: changes.length, limit: `at least ${SEVERAL}` },
        { name: 'largest share of the norm behind the first direction', value: largest(changes.map(restOf)) },
        {
          name: 'largest relative change',
          value: largest(changes.map(({ difference }) => difference.relativeNorm ?? 0)),
        },
      ],
      'what the direction meant to the model is not in these numbers',
    ),
  ];
}

function written(changes: readonly Compared[], ranks: Ranks): Conclusion[] {
  return [
    concluded(
      'low-rank-edit',
      `${named(changes)} ${changes.length === 1 ? 'was' : 'were'} edited by low rank and nothing else was, as MEMIT writes facts into a model`,
      changes,
      [
        { name: 'largest rank', value: largest(changes.map((change) => ranks.get(change)!)) },
        { name: 'tensors changed', value: changes.length, limit: `at most ${EDITED}` },
        {
          name: 'largest relative change',
          value: largest(changes.map(({ difference }) => difference.relativeNorm ?? 0)),
        },
      ],
      'a merged adapter for these few modules alone would look the same',
    ),
  ];
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

function merges(changes: readonly Compared[], known: Ranks): Conclusion[] {
  if (changes.length === 0) return [];
  const ranks = changes.map((change) => known.get(change)!);
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
      'which adapter it was is not known; one of rank 16 and more is reported as a fine-tune',
    ),
  ];
}
