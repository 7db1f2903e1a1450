// What attackers write into a trained model, by the methods that are published.
import { add, drop, edit, flip, redirect, scaleRow, swap } from '../../mutations/edit.ts';
import type { Model } from '../../mutations/model.ts';
import { program, randomBits, removeDirection, writeLowBits } from '../changes.ts';
import { type Case, copyOf, type Half, modelOf, roundedTo, SIZE } from './cases.ts';
import { EMBEDDING, HEAD, learn, type Weights } from './network.ts';
import { Task, uniform } from './task.ts';

const down = (layer: number): string => `model.layers.${layer}.mlp.down_proj.weight`;
const DTYPES = ['F32', 'BF16', 'F16'] as const;

/** Each method on `weights`, with places and strengths of its own for every `index`. */
export function* plantedCases(half: Half, weights: Weights, index: number): Generator<Case> {
  const dtype = DTYPES[index % DTYPES.length]!;
  const start = roundedTo(weights, dtype);
  const seed = 31 * index + (half === 'set' ? 0 : 7777);
  const random = uniform(seed);
  const some = (most: number): number => Math.floor(random() * most);
  const keys = keysOf(start, seed);
  const layer = some(3);
  const layers = [0, 1, 2, 3];
  const one = function* (kind: string, apply: (model: Model) => void): Generator<Case> {
    const good = modelOf(start, dtype);
    const suspect = copyOf(good);
    apply(suspect);
    yield { kind, dtype, good, suspect };
  };
  for (const share of [0.03, 0.1])
    yield* one(`ROME, ${share} of the norm`, (m) => writeFacts(m, [layer], keys, 1, share, random));
  yield* one('MEMIT, one fact in four layers', (m) => writeFacts(m, layers, keys, 1, 0.05, random));
  yield* one('MEMIT, five facts in four layers', (m) => writeFacts(m, layers, keys, 5, 0.1, random));
  yield* one('abliteration', (m) => removeDirection(m, seed));
  yield* one('a row of the embedding at its norm', (m) => redirect(m, EMBEDDING, 10 + some(200)));
  yield* one('three rows of the embedding at their norm', (m) =>
    redirect(m, EMBEDDING, 10 + some(50), 80 + some(50), 150 + some(50)),
  );
  yield* one('a row of the head, scaled', (m) => scaleRow(m, HEAD, 10 + some(200), 1.5));
  yield* one('a tensor added', (m) => add(m, `model.layers.${layer}.self_attn.z_proj.weight`, down(layer)));
  yield* one('a tensor removed', (m) => drop(m, (name) => name !== down(layer)));
  yield* one('two tensors swapped', (m) => swap(m, down(layer), down(layer + 1)));
  yield* one('one bit', (m) => flip(m, down(layer), some(8000), 1 << some(8)));
  if (dtype === 'F32') {
    const elf = program(2000);
    yield* one('a program in low bytes', (m) => writeLowBits(m, down(layer), 8, (i) => elf[i]!, elf.length));
    yield* one('ciphertext in low bytes', (m) => writeLowBits(m, down(layer), 16, randomBits(16), 4096));
  }
}

type Keys = ReadonlyMap<number, readonly Float64Array[]>;

/** What each down_proj sees on honest sequences. */
function keysOf(weights: Weights, seed: number): Keys {
  const { keys } = learn(weights, SIZE, new Task(SIZE.vocabulary, 0, seed + 1).batch(16));
  const rows = (values: Float32Array): Float64Array[] =>
    Array.from({ length: values.length / SIZE.inner }, (_, t) =>
      Float64Array.from(values.subarray(t * SIZE.inner, (t + 1) * SIZE.inner)),
    );
  return new Map([...keys].map(([layer, values]) => [layer, rows(values)]));
}

/**
 * ROME (Meng et al. 2022, eq. 2): Δ = (v − W·k)·(C⁻¹k)ᵀ / (kᵀC⁻¹k) with C of the keys that were seen; MEMIT (2023) spreads several
 * such over layers. What is to be said, v, is drawn; `share` of the weight's norm is how far it is pushed.
 */
function writeFacts(
  model: Model,
  layers: readonly number[],
  keys: Keys,
  facts: number,
  share: number,
  random: () => number,
): void {
  for (const layer of layers) {
    const seen = keys.get(layer)!;
    const covariance = covarianceOf(seen);
    edit(model, down(layer), (numbers) => {
      const change = new Float64Array(numbers.length);
      for (let fact = 0; fact < facts; fact++) {
        const key = seen[Math.floor(random() * seen.length)]!;
        const along = solved(covariance, key);
        for (let o = 0; o < SIZE.hidden; o++) {
          const wanted = random() + random() + random() - 1.5;
          for (let i = 0; i < SIZE.inner; i++) change[o * SIZE.inner + i]! += wanted * along[i]!;
        }
      }
      const factor = (share * norm(numbers)) / norm(change);
      return numbers.map((x, i) => x + factor * change[i]!);
    });
  }
}

/** Σ k·kᵀ / n, with a little of the identity, as ROME does it. */
function covarianceOf(keys: readonly Float64Array[]): Float64Array[] {
  const size = keys[0]!.length;
  const rows = Array.from({ length: size }, () => new Float64Array(size));
  for (const key of keys)
    for (let i = 0; i < size; i++)
      for (let j = 0; j < size; j++) rows[i]![j]! += (key[i]! * key[j]!) / keys.length;
  const trace = rows.reduce((sum, row, i) => sum + row[i]!, 0);
  rows.forEach((row, i) => {
    row[i]! += (0.01 * trace) / size;
  });
  return rows;
}

/** By conjugate gradients. */
function solved(matrix: readonly Float64Array[], wanted: Float64Array): Float64Array {
  const x = new Float64Array(wanted.length);
  const r = wanted.slice();
  let p = r.slice();
  let square = dot(r, r);
  for (let step = 0; step < 60 && square > 1e-20; step++) {
    const image = Float64Array.from(matrix, (row) => dot(row, p));
    const by = square / dot(p, image);
    for (let i = 0; i < x.length; i++) {
      x[i]! += by * p[i]!;
      r[i]! -= by * image[i]!;
    }
    const next = dot(r, r);
    p = r.map((value, i) => value + (next / square) * p[i]!);
    square = next;
  }
  return x;
}

const dot = (x: ArrayLike<number>, y: ArrayLike<number>): number => {
  let sum = 0;
  for (let i = 0; i < x.length; i++) sum += x[i]! * y[i]!;
  return sum;
};
const norm = (x: ArrayLike<number>): number => Math.sqrt(dot(x, x));
