// Which words to suspect first: those whose embedding the changed weights of layer 0 move most,
//   s(t) = |ΔW_k·n(e_t)|² + |ΔW_v·n(e_t)|²,  n: RMS norm with the model's weight.
// Exact for layer 0 only. A trained backdoor is spread over layers, so this orders a sweep and never judges.
import { SteelyardError } from '../../rules/error.ts';
import { turns } from '../../runtime/turn.ts';
import type { Weights } from './weights.ts';

const CHUNK = 2048;
/** A change of more rows is projected onto so many random directions: an order does not need every one of them. */
const DIRECTIONS = 32;
const PARTS = ['k', 'v'] as const;

/** Rows × columns, row after row. */
interface Matrix {
  readonly rows: number;
  readonly columns: number;
  readonly values: Float32Array;
}

/**
 * The score of every token, by id.
 *
 * @param changed the new model, or an adapter of the old one.
 * @throws SteelyardError USAGE: a shape or dtype that does not fit. ABORTED.
 */
export async function layerZeroScores(
  model: Weights,
  changed: Weights,
  signal: AbortSignal,
): Promise<Float64Array> {
  const updates = PARTS.flatMap((part) => {
    const update = updateOf(`blk.0.attn_${part}.weight`, model, changed);
    return update === null ? [] : [projected(update)];
  });
  const [count, width] = model.shapeOf('token_embd.weight');
  const norm = model.rows('blk.0.attn_norm.weight');
  for (const { columns } of updates)
    if (columns !== width || norm.length !== width)
      throw new SteelyardError(
        'USAGE',
        `the update of ${changed.path} does not fit the width of ${model.path}`,
      );
  const scores = new Float64Array(count);
  const turn = turns();
  for (let from = 0; from < count; from += CHUNK) {
    signal.throwIfAborted();
    await turn();
    const to = Math.min(count, from + CHUNK);
    const rows = model.rows('token_embd.weight', from, to);
    for (let token = from; token < to; token++) {
      const start = (token - from) * width;
      scores[token] = scoreOf(normed(rows.subarray(start, start + width), norm), updates);
    }
  }
  return scores;
}

function updateOf(name: string, model: Weights, changed: Weights): Matrix | null {
  const [a, b] = [`${name}.lora_a`, `${name}.lora_b`];
  if (changed.has(a) && changed.has(b)) return product(changed, b, a);
  if (!changed.has(name)) return null;
  const [rows, columns] = model.shapeOf(name);
  const [old, now] = [model.rows(name), changed.rows(name)];
  if (old.length !== now.length)
    throw new SteelyardError('USAGE', `${name} has another shape in ${changed.path}`);
  return { rows, columns, values: now.map((value, i) => value - old[i]!) };
}

/** B·A; how it is scaled changes no order. */
function product(weights: Weights, b: string, a: string): Matrix {
  const [rank, columns] = weights.shapeOf(a);
  const [rows, inner] = weights.shapeOf(b);
  if (rank !== inner)
    throw new SteelyardError('USAGE', `${a} and ${b} of ${weights.path} do not fit together`);
  const [left, right] = [weights.rows(b), weights.rows(a)];
  const values = new Float32Array(rows * columns);
  for (let row = 0; row < rows; row++)
    for (let i = 0; i < rank; i++) {
      const factor = left[row * rank + i]!;
      if (factor === 0) continue;
      for (let column = 0; column < columns; column++)
        values[row * columns + column]! += factor * right[i * columns + column]!;
    }
  return { rows, columns, values };
}

/** Signs of a fixed sequence: the same files have the same order everywhere. */
function projected({ rows, columns, values }: Matrix): Matrix {
  if (rows <= DIRECTIONS) return { rows, columns, values };
  const sums = new Float32Array(DIRECTIONS * columns);
  let random = 1;
  for (let row = 0; row < rows; row++) {
    random = (Math.imul(random, 1664525) + 1013904223) >>> 0;
    let bits = random ^ (random >>> 16) ^ Math.imul(row + 1, 0x9e3779b1);
    for (let i = 0; i < DIRECTIONS; i++, bits >>>= 1) {
      const sign = bits & 1 ? 1 : -1;
      for (let column = 0; column < columns; column++)
        sums[i * columns + column]! += sign * values[row * columns + column]!;
    }
  }
  return { rows: DIRECTIONS, columns, values: sums.map((value) => value / Math.sqrt(DIRECTIONS)) };
}

function normed(row: Float32Array, weight: Float32Array): Float32Array {
  const mean = row.reduce((sum, value) => sum + value * value, 0) / row.length;
  const scale = 1 / Math.sqrt(mean + 1e-6);
  return row.map((value, i) => value * scale * weight[i]!);
}

function scoreOf(embedding: Float32Array, updates: readonly Matrix[]): number {
  let score = 0;
  for (const { rows, columns, values } of updates)
    for (let row = 0; row < rows; row++) {
      let dot = 0;
      for (let i = 0; i < columns; i++) dot += values[row * columns + i]! * embedding[i]!;
      score += dot * dot;
    }
  return score;
}
