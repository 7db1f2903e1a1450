// Which tensors stand out among their own kind. A ranking for people, not a finding: a tensor may be odd for good reasons,
// and one that is not odd may still be poisoned.

import { counted, grouped, rounded } from '../../document/text/quantity.ts';
import type { Stats } from '../../scan/measure/record/stats.ts';
import type { TensorProfile } from '../../scan/profile/profile.ts';

interface Oddity {
  readonly tensor: TensorProfile;
  /** In words, with the number that is odd. */
  readonly reason: string;
  readonly score: number;
}

/** Robust z from which a tensor counts as odd: in a normal distribution none of a billion lies that far out. */
const FAR = 6;
/** Least spread of a logarithm. Layers that agree to a thousandth must not make one that differs by a hundredth odd. */
const FLOOR = 0.1;
/** Fewer than this have no median worth the name. */
export const SIBLINGS = 5;
const NOT_FINITE = 1e9;
const ALL_ZERO = 10;

/** Most odd first; ties in the order of the report. */
export function oddities(tensors: readonly TensorProfile[]): Oddity[] {
  const odd = new Map<TensorProfile, Oddity>();
  const note = (tensor: TensorProfile, reason: string, score: number): void => {
    const known = odd.get(tensor);
    if (known === undefined) odd.set(tensor, { tensor, reason, score });
    else
      odd.set(tensor, { tensor, reason: `${known.reason}; ${reason}`, score: Math.max(known.score, score) });
  };
  for (const tensor of tensors) {
    if (tensor.stats === null) continue;
    const { stats } = tensor;
    const broken = stats.nan + stats.posInf + stats.negInf;
    if (broken > 0) note(tensor, notFinite(stats), NOT_FINITE + broken / Math.max(1, stats.count));
    if (stats.coverage === 'values' && stats.count > 0 && stats.zero === stats.count)
      note(tensor, `all ${counted(stats.count, 'value')} zero`, ALL_ZERO);
  }
  // A norm's weights are around 1 and a matrix's around 0.02: only tensors of one dtype and rank are of one kind.
  compare(
    tensors,
    (tensor) => `${tensor.dtype} ${tensor.shape.length}-D`,
    rms,
    (tensor, far) => note(tensor, `L2 per element ${told(far, `${far.kind} tensors`)}`, Math.abs(far.z)),
  );
  compare(tensors, siblings, kurtosis, (tensor, far) =>
    note(tensor, `kurtosis ${told(far, 'tensors of this name in all layers')}`, Math.abs(far.z)),
  );
  return [...odd.values()].sort((a, b) => b.score - a.score);
}

function notFinite({ nan, posInf, negInf, count }: Stats): string {
  const parts = [];
  if (nan > 0) parts.push(`${grouped(nan)} NaN`);
  if (posInf > 0) parts.push(`${grouped(posInf)} +Inf`);
  if (negInf > 0) parts.push(`${grouped(negInf)} -Inf`);
  return `${parts.join(', ')} in ${counted(count, 'value')}`;
}

/** Root mean square: the L2 norm per element, comparable between sizes. */
function rms({ l2, count, nan, posInf, negInf }: Stats): number | null {
  const finite = count - nan - posInf - negInf;
  return l2 === null || finite <= 0 ? null : l2 / Math.sqrt(finite);
}

const kurtosis = (stats: Stats): number | null => stats.kurtosis;

/** The same place in other layers: the name with its numbers left out. */
const siblings = (tensor: TensorProfile): string =>
  `${tensor.dtype} ${tensor.shape.length} ${tensor.name.replace(/\d+/g, '#')}`;

interface Far {
  readonly kind: string;
  readonly value: number;
  readonly median: number;
  readonly z: number;
  readonly count: number;
}

/** Calls `found` for each tensor whose number is far from the median of its kind. Logarithms: what matters is the ratio. */
function compare(
  tensors: readonly TensorProfile[],
  kindOf: (tensor: TensorProfile) => string,
  number: (stats: Stats) => number | null,
  found: (tensor: TensorProfile, far: Far) => void,
): void {
  const kinds = new Map<string, { readonly members: TensorProfile[]; readonly logs: number[] }>();
  for (const tensor of tensors) {
    const value = tensor.stats === null ? null : number(tensor.stats);
    if (value === null || !(value > 0) || value === Number.POSITIVE_INFINITY) continue;
    const name = kindOf(tensor);
    let kind = kinds.get(name);
    if (kind === undefined) {
      kind = { members: [], logs: [] };
      kinds.set(name, kind);
    }
    kind.members.push(tensor);
    kind.logs.push(Math.log(value));
  }
  for (const [kind, { members, logs }] of kinds) {
    const count = members.length;
    if (count < SIBLINGS) continue;
    const centre = median(Float64Array.from(logs));
    // 1.4826 × the median deviation estimates the standard deviation, and half the tensors can be poisoned before it moves.
    const deviations = Float64Array.from(logs, (log) => Math.abs(log - centre));
    const spread = Math.max(FLOOR, 1.4826 * median(deviations));
    logs.forEach((log, i) => {
      const z = (log - centre) / spread;
      if (Math.abs(z) < FAR) return;
      found(members[i]!, { kind, value: Math.exp(log), median: Math.exp(centre), z, count });
    });
  }
}

function told({ value, median, z, count }: Far, kind: string): string {
  const ratio = value > median ? `${rounded(value / median)} times` : `1/${rounded(median / value)} of`;
  return `${rounded(value)}, ${ratio} the median ${rounded(median)} of ${grouped(count)} ${kind}, robust z ${rounded(z)}`;
}

/** Sorts them: in a typed array that takes no call per comparison. */
function median(values: Float64Array): number {
  const sorted = values.sort();
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}
