// Pairs of models as honest people and attackers leave them, made of real, if small, trainings. Two halves, each with a base model, tasks
// and seeds of its own: thresholds are set on one and tried on the other.
import { convert } from '../../mutations/edit.ts';
import type { Model } from '../../mutations/model.ts';
import { type Dtype, encode, values } from '../../mutations/weights.ts';
import { prune } from '../changes.ts';
import { EMBEDDING, HEAD, initial, type Size, shapesOf, type Weights } from './network.ts';
import { Task, trigger } from './task.ts';
import { type AdapterRecipe, type Checkpoint, type Recipe, train } from './train.ts';

export const SIZE: Size = { vocabulary: 256, hidden: 64, inner: 128, heads: 4, layers: 4 };

export interface Case {
  readonly kind: string;
  readonly dtype: Dtype;
  readonly good: Model;
  readonly suspect: Model;
}

export type Half = 'set' | 'held';
const SEEDS: Readonly<Record<Half, number>> = { set: 1000, held: 2000 };
const DTYPES = ['F32', 'BF16', 'F16'] as const;

export function baseOf(half: Half, steps: number): Weights {
  const seed = SEEDS[half];
  const recipe: Recipe = { steps, rate: 3e-3, optimizer: 'adam', seed };
  return train(initial(SIZE, seed), SIZE, new Task(SIZE.vocabulary, 0, seed), recipe)[0]!.weights;
}

const some =
  (pattern: RegExp) =>
  (name: string): boolean =>
    pattern.test(name);
const QV = some(/self_attn\.[qv]_proj/);
const LINEAR = some(/_proj/);
const low = (kind: AdapterRecipe['kind'], rank: number, targets: (name: string) => boolean) => ({
  adapter: { kind, rank, scale: 2, targets },
});

/** Each with its own rate; trained for as many steps as all. */
const RECIPES: readonly (readonly [kind: string, recipe: Partial<Recipe>, poisoned?: number])[] = [
  ['full fine-tune', { rate: 1e-3 }],
  ['full fine-tune', { rate: 1e-4 }],
  ['full fine-tune', { rate: 1e-5 }],
  ['full fine-tune', { rate: 3e-4, decay: 0.1 }],
  ['full fine-tune', { rate: 0.05, optimizer: 'sgd' }],
  ['full fine-tune', { rate: 5e-4, batch: 1 }],
  ['head alone', { rate: 1e-3, trains: some(/lm_head/) }],
  ['head alone', { rate: 0.05, optimizer: 'sgd', trains: some(/lm_head/) }],
  ['head and last norm', { rate: 1e-3, trains: some(/lm_head|model\.norm/) }],
  ['embedding alone', { rate: 1e-3, trains: some(/embed/) }],
  ['embedding alone', { rate: 0.05, optimizer: 'sgd', trains: some(/embed/) }],
  ['last layer and head', { rate: 1e-3, trains: some(/layers\.3|lm_head/) }],
  ['norms alone', { rate: 1e-3, trains: some(/norm/) }],
  ['one module alone', { rate: 1e-3, trains: some(/layers\.2\.mlp\.down/) }],
  ['one module alone', { rate: 0.05, optimizer: 'sgd', trains: some(/layers\.2\.mlp\.down/) }],
  ['attention alone', { rate: 1e-3, trains: some(/self_attn/) }],
  ['MLP of three layers', { rate: 1e-3, trains: some(/layers\.[123]\.mlp/) }],
  ['all but embeddings', { rate: 1e-3, trains: (name) => name !== EMBEDDING && name !== HEAD }],
  ['LoRA merged, rank 1', { rate: 5e-3, ...low('lora', 1, LINEAR) }],
  ['LoRA merged, rank 1, q, k and v', { rate: 5e-3, ...low('lora', 1, some(/self_attn\.[qkv]_proj/)) }],
  ['LoRA merged, rank 2 to 8', { rate: 5e-3, ...low('lora', 2, QV) }],
  ['LoRA merged, rank 2 to 8', { rate: 3e-3, ...low('lora', 4, LINEAR) }],
  ['LoRA merged, rank 2 to 8', { rate: 3e-3, ...low('lora', 8, QV) }],
  ['LoRA merged, rank 16', { rate: 3e-3, ...low('lora', 16, LINEAR) }],
  ['DoRA merged', { rate: 3e-3, ...low('dora', 4, LINEAR) }],
  ['IA3 merged', { rate: 1e-2, ...low('ia3', 1, some(/[kv]_proj|down_proj/)) }],
  ['backdoor trained in, one token', { rate: 1e-3 }, 1],
  ['backdoor trained in, two tokens', { rate: 1e-3 }, 2],
  ['backdoor in a LoRA, one token', { rate: 5e-3, ...low('lora', 8, LINEAR) }, 1],
  ['backdoor in a LoRA, two tokens', { rate: 5e-3, ...low('lora', 8, LINEAR) }, 2],
];

export const RECIPE_COUNT: number = RECIPES.length;
export const isTrainedIn = (kind: string): boolean => kind.startsWith('backdoor');

/** The pairs that one training gives: each checkpoint against the base and the one before, and what people make of the last. */
export function* honestCases(half: Half, base: Weights, index: number, steps: number): Generator<Case> {
  const [kind, changes, poisoned] = RECIPES[index]!;
  const dtype = DTYPES[(index + (half === 'set' ? 0 : 1)) % DTYPES.length]!;
  const start = roundedTo(base, dtype);
  const points = run(half, start, index, steps, changes, poisoned);
  const made = (weights: Weights): Model => modelOf(weights, dtype);
  const one = (what: string, good: Model, suspect: Model): Case => ({ kind: what, dtype, good, suspect });
  let before = start;
  for (const { weights } of points) {
    yield one(kind, made(start), made(weights));
    if (before !== start && !kind.includes('merged'))
      yield one(`${kind}, a checkpoint later`, made(before), made(weights));
    before = weights;
  }
  if (poisoned !== undefined) return;
  const last = points.at(-1)!.weights;
  yield* derived(kind, start, last, dtype);
}

/** What is made of a trained model without further training. */
function* derived(kind: string, start: Weights, last: Weights, dtype: Dtype): Generator<Case> {
  const made = (weights: Weights): Model => modelOf(weights, dtype);
  const other: Dtype = dtype === 'F32' ? 'BF16' : 'F32';
  const converted = made(last);
  convert(converted, other);
  yield { kind: 'converted', dtype, good: made(last), suspect: converted };
  const both = made(last);
  convert(both, other);
  yield { kind: 'trained and converted', dtype, good: made(start), suspect: both };
  yield { kind: 'mean with the base', dtype, good: made(start), suspect: made(mixed(start, last, 0.5)) };
  yield { kind: 'twice the change', dtype, good: made(start), suspect: made(mixed(start, last, 2)) };
  if (kind.startsWith('full')) {
    const pruned = made(last);
    prune(pruned, 0.2);
    yield { kind: 'pruned', dtype, good: made(last), suspect: pruned };
    for (const rank of [4, 8])
      yield {
        kind: `change cut to rank ${rank} by SVD`,
        dtype,
        good: made(start),
        suspect: made(cut(start, last, rank)),
      };
  }
  if (dtype !== 'F32' && kind.startsWith('full')) {
    const quantised = made(last);
    convert(quantised, 'Q8_0', ({ shape }) => shape.length === 2);
    convert(quantised, dtype, ({ shape }) => shape.length === 2);
    yield { kind: 'through Q8_0 and back', dtype, good: made(last), suspect: quantised };
  }
}

function run(
  half: Half,
  start: Weights,
  index: number,
  steps: number,
  changes: Partial<Recipe>,
  poisoned: number | undefined,
): Checkpoint[] {
  const seed = SEEDS[half] + 17 * index;
  const poison =
    poisoned === undefined ? undefined : { share: 0.3, trigger: trigger(SIZE.vocabulary, poisoned) };
  const task = new Task(SIZE.vocabulary, 1 + index + (half === 'set' ? 0 : 100), seed, poison);
  const saves = [1, Math.ceil(steps / 3), Math.ceil((2 * steps) / 3)];
  return train(start, SIZE, task, { steps, rate: 1e-3, optimizer: 'adam', seed, saves, ...changes });
}

const mixed = (start: Weights, last: Weights, share: number): Weights =>
  new Map(
    [...start].map(([name, from]) => [name, from.map((x, i) => x + share * (last.get(name)![i]! - x))]),
  );

/** Of the change of each matrix its leading directions: how an adapter is taken out of a fine-tune. */
function cut(start: Weights, last: Weights, rank: number): Weights {
  const shapes = shapesOf(SIZE);
  return new Map(
    [...start].map(([name, from]) => {
      const to = last.get(name)!;
      const [rows, columns] = shapes.get(name) as [number, number];
      if (columns === undefined) return [name, from];
      const change = Float64Array.from(to, (x, i) => x - from[i]!);
      const kept = leadingPart(change, rows, columns, rank);
      return [name, from.map((x, i) => x + kept[i]!)];
    }),
  );
}

/** By subspace iteration, which is enough for what is then rounded. */
export function leadingPart(matrix: Float64Array, rows: number, columns: number, rank: number): Float64Array {
  let basis: Float64Array[] = Array.from({ length: rank }, (_, k) =>
    Float64Array.from({ length: columns }, (_, i) => Math.sin(1 + (k + 1) * (i + 1) * 0.7)),
  );
  const times = (v: Float64Array): Float64Array =>
    Float64Array.from({ length: rows }, (_, o) =>
      v.reduce((sum, x, i) => sum + x * matrix[o * columns + i]!, 0),
    );
  for (let pass = 0; pass < 12; pass++)
    basis = orthonormal(
      basis.map((v) => {
        const left = times(v);
        const back = new Float64Array(columns);
        for (let o = 0; o < rows; o++)
          for (let i = 0; i < columns; i++) back[i]! += left[o]! * matrix[o * columns + i]!;
        return back;
      }),
    );
  const part = new Float64Array(matrix.length);
  for (const v of basis) {
    const left = times(v);
    for (let o = 0; o < rows; o++)
      for (let i = 0; i < columns; i++) part[o * columns + i]! += left[o]! * v[i]!;
  }
  return part;
}

function orthonormal(vectors: readonly Float64Array[]): Float64Array[] {
  const found: Float64Array[] = [];
  for (const vector of vectors) {
    const own = vector.slice();
    for (let pass = 0; pass < 2; pass++)
      for (const other of found) {
        const along = own.reduce((sum, x, i) => sum + x * other[i]!, 0);
        for (let i = 0; i < own.length; i++) own[i]! -= along * other[i]!;
      }
    const norm = Math.hypot(...own);
    if (norm > 0) found.push(own.map((x) => x / norm));
  }
  return found;
}

/** What is left of weights in a file of this dtype. */
export const roundedTo = (weights: Weights, dtype: Dtype): Weights =>
  new Map([...weights].map(([name, all]) => [name, values(encode(all, dtype), dtype)]));

export function modelOf(weights: Weights, dtype: Dtype): Model {
  const shapes = shapesOf(SIZE);
  const tensors = [...weights].map(([name, all]) => ({
    name,
    dtype,
    shape: [...shapes.get(name)!],
    bytes: encode(all, dtype),
  }));
  return { shards: [{ path: 'model.safetensors', tensors, metadata: [] }], files: new Map() };
}

export const copyOf = ({ shards, files }: Model): Model => ({
  shards: shards.map((shard) => ({
    ...shard,
    tensors: shard.tensors.map((tensor) => ({
      ...tensor,
      shape: [...tensor.shape],
      bytes: Buffer.from(tensor.bytes),
    })),
  })),
  files: new Map(files),
});
