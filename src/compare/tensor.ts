// One tensor and its counterpart in the baseline → what is wrong with it.
import { quoted } from '../format/violations.ts';
import type { TensorProfile } from '../profile/profile.ts';
import { strayed } from './conversion.ts';
import type { Departure } from './departure.ts';
import { type Distance, distanceOf } from './distance.ts';
import { appeared, type Change, explained, loosened, rowsExplained } from './explanation.ts';
import type { Mode } from './mode.ts';
import type { Pair } from './pairing.ts';
import { changedRows, type RowChange } from './rows.ts';
import { changeOf, isRankOne, type SketchedChange, sketchOf, sketchOfChange } from './sketch.ts';

/** What a tensor is held against. */
export interface Scale {
  readonly mode: Mode;
  /** The tensor of the baseline with these bytes, if there is exactly one. */
  readonly ownerOf: (sha256: string) => TensorProfile | undefined;
  /** Whether the two come from files of different formats: converters reorder rows on that way. */
  readonly isTranslated: (pair: Pair) => boolean;
  /** So few tensors changed that an editor may have done it: training moves every matrix that is not frozen. */
  readonly fewChanged: boolean;
}

/** Adds to `found` what is to be said about the pair. */
export function compareTensors(pair: Pair, scale: Scale, found: Departure[]): void {
  const { base, now, how } = pair;
  const { file, name: tensor } = now;
  if (how === 'renamed') {
    const message = `these are the bytes of ${quoted(base.name)} of the baseline`;
    found.push({ rule: 'compare/tensor-renamed', file, tensor, message, expected: base.name });
  }
  if (how === 'moved' && scale.mode !== 'converted')
    found.push({ rule: 'compare/tensor-moved', file, tensor, message: `it was in ${quoted(base.file)}` });
  if (base.dtype === now.dtype && isSame(base, now) && sameShape(base, now)) return;

  const rows = changedRows(base.stats?.rows ?? null, now.stats?.rows ?? null);
  const distance = base.stats === null || now.stats === null ? null : distanceOf(base.stats, now.stats);
  const weight =
    distance === null ? 0 : Math.abs(Math.log(distance.normRatio || 1)) + (distance.divergence ?? 0);
  const change: Change = { distance, rows, sketched: sketchedChange(base, now) };
  const said = statement(pair, scale, change);
  if (said !== null) found.push({ file, tensor, weight, ...said });
  for (const sign of signs(pair, scale, distance)) found.push({ file, tensor, weight, ...sign });
}

type Statement = Pick<Departure, 'rule' | 'message' | 'expected' | 'actual'>;

/** The one rule that says best what happened to the tensor. */
function statement(pair: Pair, scale: Scale, change: Change): Statement | null {
  const { base, now } = pair;
  const { rows, sketched } = change;
  const how = explained(pair, change);
  const digests = { expected: base.sha256 ?? 'not measured', actual: now.sha256 ?? 'not measured' };
  const owner = isSame(base, now) || now.sha256 === null ? undefined : scale.ownerOf(now.sha256);
  if (owner !== undefined && base.dtype === now.dtype)
    return {
      rule: 'compare/tensor-swapped',
      message: `it holds the bytes of ${quoted(owner.name)}`,
      ...digests,
    };
  if (!sameShape(base, now)) {
    const shapes = { expected: typed(base), actual: typed(now) };
    if (hasGrown(base, now))
      return { rule: 'compare/rows-appended', message: grown(base, now, rows), ...shapes };
    return { rule: 'compare/tensor-reshaped', message: reshaped(base, now), ...shapes };
  }
  if (scale.mode === 'converted' && (base.dtype !== now.dtype || scale.isTranslated(pair))) {
    const reason = strayed(base, now);
    return reason === null ? null : { rule: 'compare/tensor-strayed', message: reason, ...types(base, now) };
  }
  if (base.dtype !== now.dtype) return { rule: 'compare/tensor-retyped', message: how, ...types(base, now) };
  if (rows?.isEdit)
    return { rule: 'compare/rows-edited', message: `${rowsExplained(rows)}; ${how}`, ...digests };
  if (scale.fewChanged && sketched !== null && isRankOne(sketched))
    return { rule: 'compare/rank-one-edit', message: how, ...digests };
  return { rule: 'compare/tensor-changed', message: how, ...digests };
}

/** Signs of a payload or of damage, whatever else is to be said. */
function signs({ base, now, how }: Pair, { mode }: Scale, distance: Distance | null): Statement[] {
  const found: Statement[] = [];
  if (base.stats === null || now.stats === null) return found;
  const bits = loosened(base, now);
  if (bits !== null) found.push({ rule: 'compare/low-bits', message: bits });
  const nonFinite = appeared(base.stats, now.stats);
  if (nonFinite !== null) found.push({ rule: 'compare/not-finite', message: nonFinite });
  if (mode === 'derived' && distance !== null && sameShape(base, now)) {
    const further = moved({ base, now, how }, distance);
    if (further !== null) found.push(further);
  }
  return found;
}

// Bounds of a fine-tune: a few percent of the norm are usual, a factor of two is not.
function moved(pair: Pair, distance: Distance): Statement | null {
  const norm = Math.abs(Math.log(distance.normRatio ?? 1));
  const entropy = Math.abs(distance.exponentEntropy ?? 0);
  const [before, after] = [pair.base.stats!, pair.now.stats!];
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
function sketchedChange(base: TensorProfile, now: TensorProfile): SketchedChange | null {
  if (base.stats?.sketch === undefined || now.stats?.sketch === undefined) return null;
  if (base.name !== now.name || base.shape[1] !== now.shape[1]) return null;
  const before = sketchOf(base.stats.sketch, base.shape[0]!);
  const after = sketchOf(now.stats.sketch, now.shape[0]!);
  return before === null || after === null ? null : changeOf(sketchOfChange(before, after));
}

export const isSame = (base: TensorProfile, now: TensorProfile): boolean =>
  base.sha256 !== null && base.sha256 === now.sha256;

const sameShape = (base: TensorProfile, now: TensorProfile): boolean =>
  base.shape.length === now.shape.length && base.shape.every((size, axis) => size === now.shape[axis]);

const hasGrown = (base: TensorProfile, now: TensorProfile): boolean =>
  base.dtype === now.dtype &&
  base.shape.length === 2 &&
  now.shape.length === 2 &&
  base.shape[1] === now.shape[1] &&
  now.shape[0]! > base.shape[0]!;

function grown(base: TensorProfile, now: TensorProfile, rows: RowChange | null): string {
  const [before, after] = [base.shape[0]!, now.shape[0]!];
  const old =
    rows === null
      ? 'whether the old ones changed is not known without --rows'
      : rows.changed.length === 0
        ? 'the old ones are the same'
        : rowsExplained(rows);
  return `${after - before} rows were appended to ${before}; ${old}`;
}

const reshaped = (base: TensorProfile, now: TensorProfile): string =>
  isSame(base, now) ? 'the same bytes are read as another matrix' : 'another shape and other bytes';

const typed = ({ dtype, shape }: TensorProfile): string => `${dtype} [${shape.join(', ')}]`;
const types = (base: TensorProfile, now: TensorProfile) => ({ expected: base.dtype, actual: now.dtype });
