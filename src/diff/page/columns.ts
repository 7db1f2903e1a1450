// The changed tensors as columns, and the closer look at those that matter.
import { inert } from '../../document/text/inert.ts';
import type { DiffReport, TensorChange, TensorPlace } from '../report/diff-report.ts';
import type { PageDetail, TensorColumns } from './contract.ts';
import { coded, sentence, short } from './cut.ts';
import { detailOf } from './detail.ts';
import { spotOf } from './place.ts';

/** Tensors on the page, and those of them with spectrum, bits, rows and elements: some 5 kB each. */
export const TENSORS = 100_000;
export const DETAILS = 400;

/** Keeps the order of the report, however many are left out. */
export function chosen(report: DiffReport): readonly TensorChange[] {
  return report.tensors.length <= TENSORS ? report.tensors : foremost(report, report.tensors, TENSORS);
}

export function detailsOf(
  report: DiffReport,
  tensors: readonly TensorChange[],
): Readonly<Record<number, PageDetail>> {
  // Those that could not be compared have nothing to show, and must not take the room of those that could.
  const comparable = tensors.filter(({ difference }) => difference !== null);
  const kept = new Set(foremost(report, comparable, DETAILS));
  const details: Record<number, PageDetail> = {};
  tensors.forEach((tensor, index) => {
    if (kept.has(tensor) && tensor.difference !== null) details[index] = detailOf(tensor, tensor.difference);
  });
  return details;
}

/** What a conclusion rests on comes first, then what changed most. Recipes are left aside: they name every tensor there is. */
function foremost(report: DiffReport, tensors: readonly TensorChange[], limit: number): TensorChange[] {
  const grave = report.conclusions.filter(({ concern }) => concern !== 'recipe');
  const named = new Set(grave.flatMap((conclusion) => conclusion.tensors));
  const weight = (tensor: TensorChange): number =>
    named.has(tensor.suspect.name)
      ? Number.POSITIVE_INFINITY
      : (tensor.difference?.relativeNorm ?? Number.MAX_VALUE);
  const weights = new Map(tensors.map((tensor) => [tensor, weight(tensor)]));
  const heaviest = [...tensors].sort((a, b) => {
    const [first, second] = [weights.get(a)!, weights.get(b)!];
    return first === second ? 0 : second - first;
  });
  const kept = new Set(heaviest.slice(0, limit));
  return tensors.filter((tensor) => kept.has(tensor));
}

export function columnsOf(tensors: readonly TensorChange[]): TensorColumns {
  const spots = tensors.map(({ suspect }) => spotOf(suspect.name));
  const reason: Record<number, string> = {};
  tensors.forEach((tensor, index) => {
    if (tensor.reason !== null) reason[index] = sentence(tensor.reason);
  });
  const figure = (of: (difference: NonNullable<TensorChange['difference']>) => number | null, digits = 4) =>
    tensors.map(({ difference }) => (difference === null ? null : short(of(difference), digits)));
  return {
    name: tensors.map(({ suspect }) => inert(suspect.name)),
    file: coded(tensors.map(({ suspect }) => inert(suspect.file))),
    type: coded(tensors.map(({ good, suspect }) => typeOf(good, suspect))),
    module: coded(spots.map(({ module }) => inert(module))),
    layer: spots.map(({ layer }) => layer),
    count: figure(({ count }) => count, EXACT),
    changed: figure(({ changed }) => changed, EXACT),
    notFinite: figure(({ notFinite }) => notFinite, EXACT),
    relative: figure(({ relativeNorm }) => relativeNorm),
    cosine: figure(({ cosine }) => cosine, 8), // what matters is how little is missing from 1
    maxAbs: figure(({ maxAbs }) => maxAbs),
    reason,
  };
}

/** Digits that no count of elements exceeds. */
const EXACT = 16;

function typeOf(good: TensorPlace, suspect: TensorPlace): string {
  const [before, after] = [typed(good), typed(suspect)];
  return before === after ? after : `${before} → ${after}`;
}

export const typed = ({ dtype, shape }: TensorPlace): string => `${inert(dtype)} [${shape.join(', ')}]`;
