// The operations of a small transformer, each with its gradient: enough to train one in a test, in plain IEEE arithmetic.

export interface Node {
  readonly values: Float32Array;
  readonly gradient: Float32Array;
}

export const nodeOf = (values: Float32Array): Node => ({
  values,
  gradient: new Float32Array(values.length),
});

const made = (count: number): Node => nodeOf(new Float32Array(count));

/** Remembers what was done; `back` goes through it from the end. Rows are positions of all sequences, one after the other. */
export class Tape {
  readonly #steps: (() => void)[] = [];

  back(): void {
    for (const step of this.#steps.reverse()) step();
    this.#steps.length = 0;
  }

  /** Rows of a table. */
  rows(table: Node, tokens: readonly number[], width: number): Node {
    const found = made(tokens.length * width);
    tokens.forEach((token, t) => {
      found.values.set(table.values.subarray(token * width, (token + 1) * width), t * width);
    });
    this.#steps.push(() =>
      tokens.forEach((token, t) => {
        for (let i = 0; i < width; i++) table.gradient[token * width + i]! += found.gradient[t * width + i]!;
      }),
    );
    return found;
  }

  add(x: Node, y: Node): Node {
    const sum = nodeOf(x.values.map((value, i) => value + y.values[i]!));
    this.#steps.push(() => {
      for (let i = 0; i < sum.values.length; i++) {
        x.gradient[i]! += sum.gradient[i]!;
        y.gradient[i]! += sum.gradient[i]!;
      }
    });
    return sum;
  }

  /** x·Wᵀ with W [out, inner]. */
  linear(x: Node, w: Node, inner: number): Node {
    const [rows, out] = [x.values.length / inner, w.values.length / inner];
    const y = made(rows * out);
    for (let t = 0; t < rows; t++)
      for (let o = 0; o < out; o++)
        y.values[t * out + o] = dot(x.values, t * inner, w.values, o * inner, inner);
    this.#steps.push(() => {
      for (let t = 0; t < rows; t++)
        for (let o = 0; o < out; o++) {
          const slope = y.gradient[t * out + o]!;
          if (slope === 0) continue;
          axpy(slope, w.values, o * inner, x.gradient, t * inner, inner);
          axpy(slope, x.values, t * inner, w.gradient, o * inner, inner);
        }
    });
    return y;
  }

  /** g ∘ x / √(mean of x² + ε), row by row. */
  normalised(x: Node, g: Node): Node {
    const width = g.values.length;
    const y = made(x.values.length);
    const inverses = Float32Array.from({ length: x.values.length / width }, (_, t) => {
      const at = t * width;
      const inverse = 1 / Math.sqrt(dot(x.values, at, x.values, at, width) / width + 1e-5);
      for (let i = 0; i < width; i++) y.values[at + i] = g.values[i]! * x.values[at + i]! * inverse;
      return inverse;
    });
    this.#steps.push(() =>
      inverses.forEach((inverse, t) => {
        const at = t * width;
        let along = 0;
        for (let i = 0; i < width; i++) {
          const slope = y.gradient[at + i]!;
          g.gradient[i]! += slope * x.values[at + i]! * inverse;
          along += slope * g.values[i]! * x.values[at + i]!;
        }
        const pull = (along * inverse ** 3) / width;
        for (let i = 0; i < width; i++)
          x.gradient[at + i]! += y.gradient[at + i]! * g.values[i]! * inverse - pull * x.values[at + i]!;
      }),
    );
    return y;
  }

  /** silu(g) ∘ u. */
  gated(g: Node, u: Node): Node {
    const sigmoid = g.values.map((x) => 1 / (1 + Math.exp(-x)));
    const h = nodeOf(g.values.map((x, i) => x * sigmoid[i]! * u.values[i]!));
    this.#steps.push(() => {
      for (let i = 0; i < h.values.length; i++) {
        const [slope, x, s] = [h.gradient[i]!, g.values[i]!, sigmoid[i]!];
        u.gradient[i]! += slope * x * s;
        g.gradient[i]! += slope * u.values[i]! * s * (1 + x * (1 - s));
      }
    });
    return h;
  }

  /** Causal, over sequences of `length` rows. */
  attention(q: Node, k: Node, v: Node, heads: number, width: number, length: number): Node {
    const out = made(q.values.length);
    const size = width / heads;
    for (let first = 0; first < q.values.length / width; first += length)
      for (let head = 0; head < heads; head++)
        for (let t = 0; t < length; t++)
          this.#attend({ q, k, v, out }, { first, t, width, size, at: head * size });
    return out;
  }

  #attend(nodes: Heads, { first, t, width, size, at }: Query): void {
    const { q, k, v, out } = nodes;
    const [mine, scale] = [(first + t) * width + at, 1 / Math.sqrt(size)];
    const other = (s: number): number => (first + s) * width + at;
    const weights = new Float32Array(t + 1);
    for (let s = 0; s <= t; s++) weights[s] = dot(q.values, mine, k.values, other(s), size) * scale;
    const top = weights.reduce((a, b) => Math.max(a, b));
    for (let s = 0; s <= t; s++) weights[s] = Math.exp(weights[s]! - top);
    const whole = weights.reduce((a, b) => a + b);
    for (let s = 0; s <= t; s++) {
      weights[s]! /= whole;
      axpy(weights[s]!, v.values, other(s), out.values, mine, size);
    }
    this.#steps.push(() => {
      const slopes = weights.map((_, s) => dot(out.gradient, mine, v.values, other(s), size));
      const mean = dot(slopes, 0, weights, 0, t + 1);
      for (let s = 0; s <= t; s++) {
        axpy(weights[s]!, out.gradient, mine, v.gradient, other(s), size);
        const slope = weights[s]! * (slopes[s]! - mean) * scale;
        axpy(slope, k.values, other(s), q.gradient, mine, size);
        axpy(slope, q.values, mine, k.gradient, other(s), size);
      }
    });
  }

  /** Mean cross-entropy of the next tokens; sets the gradient of the logits. */
  loss(logits: Node, targets: readonly number[]): number {
    const width = logits.values.length / targets.length;
    let sum = 0;
    targets.forEach((target, t) => {
      const row = logits.values.subarray(t * width, (t + 1) * width);
      const top = row.reduce((a, b) => Math.max(a, b));
      const whole = row.reduce((all, x) => all + Math.exp(x - top), 0);
      sum += Math.log(whole) + top - row[target]!;
      for (let i = 0; i < width; i++)
        logits.gradient[t * width + i] =
          (Math.exp(row[i]! - top) / whole - (i === target ? 1 : 0)) / targets.length;
    });
    return sum / targets.length;
  }
}

interface Heads {
  readonly q: Node;
  readonly k: Node;
  readonly v: Node;
  readonly out: Node;
}

interface Query {
  readonly first: number;
  readonly t: number;
  readonly width: number;
  readonly size: number;
  readonly at: number;
}

function dot(x: Float32Array, at: number, y: Float32Array, from: number, count: number): number {
  let [one, two, three, four] = [0, 0, 0, 0];
  let i = 0;
  for (; i + 3 < count; i += 4) {
    one += x[at + i]! * y[from + i]!;
    two += x[at + i + 1]! * y[from + i + 1]!;
    three += x[at + i + 2]! * y[from + i + 2]!;
    four += x[at + i + 3]! * y[from + i + 3]!;
  }
  for (; i < count; i++) one += x[at + i]! * y[from + i]!;
  return one + two + three + four;
}

function axpy(a: number, x: Float32Array, at: number, y: Float32Array, to: number, count: number): void {
  for (let i = 0; i < count; i++) y[to + i]! += a * x[at + i]!;
}
