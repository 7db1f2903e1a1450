// Training of all weights or some, or of an adapter beside them, by Adam or by plain descent.
import { normal } from '../../mutations/weights.ts';
import { learn, type Size, shapesOf, type Weights } from './network.ts';
import type { Task } from './task.ts';

export interface Recipe {
  readonly steps: number;
  readonly rate: number;
  readonly optimizer: 'adam' | 'sgd';
  readonly batch?: number;
  readonly decay?: number;
  /** Weights that are trained; all, if it is left out. */
  readonly trains?: (name: string) => boolean;
  readonly adapter?: AdapterRecipe;
  /** Steps after which the weights are kept; the last always is. */
  readonly saves?: readonly number[];
  readonly seed: number;
}

export interface AdapterRecipe {
  readonly kind: 'lora' | 'dora' | 'ia3';
  readonly rank: number;
  readonly scale: number;
  readonly targets: (name: string) => boolean;
}

/** What is trained of one weight: of an adapter its factors, or the weight. */
export interface Trained {
  readonly kind: 'full' | AdapterRecipe['kind'];
  readonly parts: Readonly<Record<string, Float32Array>>;
  readonly scale: number;
  readonly rank: number;
}

export interface Checkpoint {
  /** With the adapter merged. */
  readonly weights: Weights;
  readonly trained: ReadonlyMap<string, Trained>;
  readonly loss: number;
}

export function train(base: Weights, size: Size, task: Task, recipe: Recipe): Checkpoint[] {
  const shapes = shapesOf(size);
  const trained = begun(base, shapes, recipe);
  const moments = new Map<Float32Array, readonly [Float32Array, Float32Array]>();
  const saved: Checkpoint[] = [];
  for (let step = 1; step <= recipe.steps; step++) {
    const weights = merged(base, shapes, trained);
    const { loss, gradients } = learn(weights, size, task.batch(recipe.batch ?? 4));
    for (const [name, one] of trained) {
      const slopes = slopesOf(one, base.get(name)!, gradients.get(name)!, shapes.get(name)!);
      for (const [part, values] of Object.entries(one.parts))
        move(values, slopes[part]!, recipe, step, moments);
    }
    if (step === recipe.steps || recipe.saves?.includes(step))
      saved.push({ weights: merged(base, shapes, trained), trained: copied(trained), loss });
  }
  return saved;
}

function begun(
  base: Weights,
  shapes: ReadonlyMap<string, readonly number[]>,
  recipe: Recipe,
): Map<string, Trained> {
  const { adapter, trains = () => true, seed } = recipe;
  const draw = normal(seed * 31 + 7);
  for (let i = 0; i < 20; i++) draw();
  const trained = new Map<string, Trained>();
  for (const [name, values] of base) {
    if (adapter === undefined) {
      if (trains(name)) trained.set(name, { kind: 'full', parts: { w: values.slice() }, scale: 1, rank: 0 });
      continue;
    }
    if (!adapter.targets(name)) continue;
    const [out, inner] = shapes.get(name) as [number, number];
    const { kind, rank, scale } = adapter;
    const a = Float32Array.from({ length: rank * inner }, () => draw() / Math.sqrt(3 * inner));
    const low = { a, b: new Float32Array(out * rank) };
    const parts =
      kind === 'ia3'
        ? { l: new Float32Array(inner).fill(1) }
        : kind === 'dora'
          ? { ...low, m: rowNorms(values, inner) }
          : low;
    trained.set(name, { kind, parts, scale, rank });
  }
  return trained;
}

const copied = (trained: ReadonlyMap<string, Trained>): Map<string, Trained> =>
  new Map(
    [...trained].map(([name, one]) => [
      name,
      { ...one, parts: Object.fromEntries(Object.entries(one.parts).map(([part, v]) => [part, v.slice()])) },
    ]),
  );

export const rowNorms = (values: Float32Array, inner: number): Float32Array =>
  Float32Array.from({ length: values.length / inner }, (_, o) =>
    Math.hypot(...values.subarray(o * inner, (o + 1) * inner)),
  );

/** The base's weights with what was trained in their place. */
function merged(
  base: Weights,
  shapes: ReadonlyMap<string, readonly number[]>,
  trained: ReadonlyMap<string, Trained>,
): Weights {
  return new Map(
    [...base].map(([name, values]) => {
      const one = trained.get(name);
      return [name, one === undefined ? values : weightOf(one, values, shapes.get(name)!.at(-1)!)];
    }),
  );
}

export function weightOf(
  { kind, parts, scale, rank }: Trained,
  base: Float32Array,
  inner: number,
): Float32Array {
  const { w, a, b, l, m } = parts;
  if (kind === 'full') return w!.slice();
  if (kind === 'ia3') return base.map((x, i) => x * l![i % inner]!);
  const sum = base.slice();
  for (let o = 0; o < base.length / inner; o++)
    for (let r = 0; r < rank; r++) {
      const factor = scale * b![o * rank + r]!;
      for (let i = 0; i < inner; i++) sum[o * inner + i]! += factor * a![r * inner + i]!;
    }
  if (kind === 'lora') return sum;
  const norms = rowNorms(sum, inner);
  return sum.map((x, i) => (x * m![Math.floor(i / inner)]!) / norms[Math.floor(i / inner)]!);
}

/** The gradient of each part, from that of the whole weight. DoRA's norm counts as a constant, as in PEFT. */
function slopesOf(
  { kind, parts, scale, rank }: Trained,
  base: Float32Array,
  slope: Float32Array,
  shape: readonly number[],
): Record<string, Float32Array> {
  const inner = shape.at(-1)!;
  if (kind === 'full') return { w: slope };
  if (kind === 'ia3') {
    const l = new Float32Array(inner);
    for (let i = 0; i < slope.length; i++) l[i % inner]! += slope[i]! * base[i]!;
    return { l };
  }
  let own = slope;
  const found: Record<string, Float32Array> = {};
  if (kind === 'dora') {
    const sum = weightOf({ kind: 'lora', parts, scale, rank }, base, inner);
    const norms = rowNorms(sum, inner);
    const row = (i: number): number => Math.floor(i / inner);
    found.m = new Float32Array(norms.length);
    for (let i = 0; i < slope.length; i++) found.m[row(i)]! += (slope[i]! * sum[i]!) / norms[row(i)]!;
    own = slope.map((x, i) => (x * parts.m![row(i)]!) / norms[row(i)]!);
  }
  const [a, b] = [new Float32Array(rank * inner), new Float32Array((slope.length / inner) * rank)];
  for (let o = 0; o < slope.length / inner; o++)
    for (let r = 0; r < rank; r++) {
      const factor = scale * parts.b![o * rank + r]!;
      let sum = 0;
      for (let i = 0; i < inner; i++) {
        const one = own[o * inner + i]!;
        sum += one * parts.a![r * inner + i]!;
        a[r * inner + i]! += factor * one;
      }
      b[o * rank + r] = scale * sum;
    }
  return { ...found, a, b };
}

const [FIRST, SECOND] = [0.9, 0.99];

function move(
  values: Float32Array,
  slopes: Float32Array,
  { optimizer, rate, decay = 0 }: Recipe,
  step: number,
  moments: Map<Float32Array, readonly [Float32Array, Float32Array]>,
): void {
  const known = moments.get(values) ?? [new Float32Array(values.length), new Float32Array(values.length)];
  moments.set(values, known);
  const [mean, square] = known;
  for (let i = 0; i < values.length; i++) {
    const slope = slopes[i]!;
    mean[i] = FIRST * mean[i]! + (1 - FIRST) * slope;
    square[i] = SECOND * square[i]! + (1 - SECOND) * slope * slope;
    const along =
      optimizer === 'sgd'
        ? mean[i]!
        : mean[i]! / (1 - FIRST ** step) / (Math.sqrt(square[i]! / (1 - SECOND ** step)) + 1e-8);
    values[i]! -= rate * (along + decay * values[i]!);
  }
}
