// One tensor and its counterpart in the baseline → what is wrong with it.
import { quoted } from '../../document/violations.ts';
import type { TensorProfile } from '../../scan/profile/profile.ts';
import { roundingError, strayed } from './conversion.ts';
import type { Departure } from './departure.ts';
import { type Distance, distanceOf, LEAST_COUNT } from './distance.ts';
import { appeared, type Change, explained, loosened, rowsExplained } from './explanation.ts';
import type { Mode } from './mode.ts';
import type { Pair } from './pairing.ts';
import { changedRows, type RowChange } from './rows.ts';
import { changeOf, isRankOne, type SketchedChange, sketchOf, sketchOfChange } from './sketch.ts';

/** What a tensor is held against. */
export interface Context {
  readonly mode: Mode;
  /** The tensor of the baseline with these bytes, if there is exactly one. */
  readonly ownerOf: (sha256: string) => TensorProfile | undefined;
  /** Whether the two come from files of different formats: converters reorder rows on that way. */
  readonly isTranslated: (pair: Pair) => boolean;
  /** So few tensors changed that an editor may have done it: training moves every matrix that is not frozen. */
  readonly fewChanged: boolean;
}

/** Adds to `found` what is to be said about the pair. */
export function compareTensors(pair: Pair, context: Context, found: Departure[]): void {
  const { good, suspect, how } = pair;
  const { file, name: tensor } = suspect;
  if (how === 'renamed') {
    const message = `these are the bytes of ${quoted(good.name)} of the baseline`;
    found.push({ rule: 'compare/tensor-renamed', file, tensor, message, expected: good.name });
  }
  if (how === 'moved' && context.mode !== 'converted')
    found.push({ rule: 'compare/tensor-moved', file, tensor, message: `it was in ${quoted(good.file)}` });
  if (good.dtype === suspect.dtype && isSame(good, suspect) && sameShape(good, suspect)) return;

  const rows = changedRows(good.stats?.rows ?? null, suspect.stats?.rows ?? null);
  const distance =
    good.stats === null || suspect.stats === null ? null : distanceOf(good.stats, suspect.stats);
  const weight =
    distance === null ? 0 : Math.abs(Math.log(distance.normRatio || 1)) + (distance.divergence ?? 0);
  const change: Change = { distance, rows, sketched: sketchedChange(good, suspect) };
  const said = statement(pair, context, change);
  if (said !== null) found.push({ file, tensor, weight, ...said });
  for (const sign of signs(pair, context, distance)) found.push({ file, tensor, weight, ...sign });
}

type Statement = Pick<Departure, 'rule' | 'message' | 'expected' | 'actual'>;

/** The one rule that says best what happened to the tensor. */
function statement(pair: Pair, context: Context, change: Change): Statement | null {
  const { good, suspect } = pair;
  const { rows, sketched } = change;
  const how = explained(pair, change);
  const digests = { expected: good.sha256 ?? 'not measured', actual: suspect.sha256 ?? 'not measured' };
  const owner =
    isSame(good, suspect) || suspect.sha256 === null ? undefined : context.ownerOf(suspect.sha256);
  if (owner !== undefined && good.dtype === suspect.dtype)
    return {
      rule: 'compare/tensor-swapped',
      message: `it holds the bytes of ${quoted(owner.name)}`,
      ...digests,
    };
  if (!sameShape(good, suspect)) {
    const shapes = { expected: typed(good), actual: typed(suspect) };
    if (hasGrown(good, suspect))
      return { rule: 'compare/rows-appended', message: grown(good, suspect, rows), ...shapes };
    return { rule: 'compare/tensor-reshaped', message: reshaped(good, suspect), ...shapes };
  }
  if (context.mode === 'converted' && (good.dtype !== suspect.dtype || context.isTranslated(pair))) {
    const reason = strayed(good, suspect);
    return reason === null
      ? null
      : { rule: 'compare/tensor-strayed', message: reason, ...types(good, suspect) };
  }
  if (good.dtype !== suspect.dtype)
    return { rule: 'compare/tensor-retyped', message: how, ...types(good, suspect) };
  if (rows?.isEdit)
    return { rule: 'compare/rows-edited', message: `${rowsExplained(rows)}; ${how}`, ...digests };
  if (context.fewChanged && sketched !== null && isRankOne(sketched, roomOf(pair)))
    return { rule: 'compare/rank-one-edit', message: how, ...digests };
  return { rule: 'compare/tensor-changed', message: how, ...digests };
}

/** What rounding to the dtype may add to a change. */
const roomOf = ({ suspect: { dtype, stats } }: Pair): number =>
  (roundingError(dtype) ?? 0) * (stats?.l2 ?? 0);

/** Signs of a payload or of damage, whatever else is to be said. */
function signs({ good, suspect, how }: Pair, { mode }: Context, distance: Distance | null): Statement[] {
  const found: Statement[] = [];
  if (good.stats === null || suspect.stats === null) return found;
  const bits = loosened(good, suspect);
  if (bits !== null) found.push({ rule: 'compare/low-bits', message: bits });
  const nonFinite = appeared(good.stats, suspect.stats);
  if (nonFinite !== null) found.push({ rule: 'compare/not-finite', message: nonFinite });
  // The two values of a bias may double its norm in one step.
  const isMany = good.stats.count >= LEAST_COUNT;
  if (mode === 'derived' && isMany && distance !== null && sameShape(good, suspect)) {
    const further = moved({ good, suspect, how }, distance);
    if (further !== null) found.push(further);
  }
  return found;
}

// Bounds of a fine-tune: a few percent of the norm are usual, a factor of two is not.
function moved(pair: Pair, distance: Distance): Statement | null {
  const norm = Math.abs(Math.log(distance.normRatio ?? 1));
  const entropy = Math.abs(distance.exponentEntropy ?? 0);
  const [before, after] = [pair.good.stats!, pair.suspect.stats!];
  const heavier = (after.kurtosis ?? 0) > 10 * (before.kurtosis ?? Number.POSITIVE_INFINITY);
  const larger = Number(after.absMax) > 4 * Number(before.absMax);
  const message = explained(pair, { distance, rows: null, sketched: null });
  if (norm > Math.LN2 || entropy > 0.5 || (heavier && larger))
    return { rule: 'compare/tensor-damaged', message };
  if (norm > 0.1 || entropy > 0.15 || distance.zeroShare > 0.01)
    return { rule: 'compare/tensor-shifted', message };
  return null;
}

/** null: one of the two has no sketch, or they do not belong together: the signs depend on name and columns. */
function sketchedChange(good: TensorProfile, suspect: TensorProfile): SketchedChange | null {
  if (good.stats?.sketch === undefined || suspect.stats?.sketch === undefined) return null;
  if (good.name !== suspect.name || good.shape[1] !== suspect.shape[1]) return null;
  const before = sketchOf(good.stats.sketch, good.shape[0]!);
  const after = sketchOf(suspect.stats.sketch, suspect.shape[0]!);
  return before === null || after === null ? null : changeOf(sketchOfChange(before, after));
}

export const isSame = (good: TensorProfile, suspect: TensorProfile): boolean =>
  good.sha256 !== null && good.sha256 === suspect.sha256;

const sameShape = (good: TensorProfile, suspect: TensorProfile): boolean =>
  good.shape.length === suspect.shape.length &&
  good.shape.every((size, axis) => size === suspect.shape[axis]);

const hasGrown = (good: TensorProfile, suspect: TensorProfile): boolean =>
  good.dtype === suspect.dtype &&
  good.shape.length === 2 &&
  suspect.shape.length === 2 &&
  good.shape[1] === suspect.shape[1] &&
  suspect.shape[0]! > good.shape[0]!;

function grown(good: TensorProfile, suspect: TensorProfile, rows: RowChange | null): string {
  const [before, after] = [good.shape[0]!, suspect.shape[0]!];
  const old =
    rows === null
      ? 'whether the old ones changed is not known without --rows'
      : rows.changed.length === 0
        ? 'the old ones are the same'
        : rowsExplained(rows);
  return `${after - before} rows were appended to ${before}; ${old}`;
}

const reshaped = (good: TensorProfile, suspect: TensorProfile): string =>
  isSame(good, suspect) ? 'the same bytes are read as another matrix' : 'another shape and other bytes';

const typed = ({ dtype, shape }: TensorProfile): string => `${dtype} [${shape.join(', ')}]`;
const types = (good: TensorProfile, suspect: TensorProfile) => ({
  expected: good.dtype,
  actual: suspect.dtype,
});
