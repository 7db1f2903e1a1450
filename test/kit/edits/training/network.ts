// A small Llama: names and shapes as of a real one, so that what is told of it by name is told of real ones too.
import { normal } from '../../mutations/weights.ts';
import { type Node, nodeOf, Tape } from './tape.ts';

export interface Size {
  readonly vocabulary: number;
  readonly hidden: number;
  readonly inner: number;
  readonly heads: number;
  readonly layers: number;
}

/** By name, in the order of a file. */
export type Weights = ReadonlyMap<string, Float32Array>;

export const EMBEDDING = 'model.embed_tokens.weight';
export const HEAD = 'lm_head.weight';
const NORM = 'model.norm.weight';

export function shapesOf({ vocabulary, hidden, inner, layers }: Size): Map<string, number[]> {
  const shapes = new Map<string, number[]>([
    [HEAD, [vocabulary, hidden]],
    [EMBEDDING, [vocabulary, hidden]],
  ]);
  for (let i = 0; i < layers; i++) {
    const at = (name: string, ...shape: number[]): void =>
      void shapes.set(`model.layers.${i}.${name}.weight`, shape);
    at('input_layernorm', hidden);
    at('mlp.down_proj', hidden, inner);
    at('mlp.gate_proj', inner, hidden);
    at('mlp.up_proj', inner, hidden);
    at('post_attention_layernorm', hidden);
    for (const name of ['k', 'o', 'q', 'v']) at(`self_attn.${name}_proj`, hidden, hidden);
  }
  return shapes.set(NORM, [hidden]);
}

export function initial(size: Size, seed: number): Weights {
  const draw = normal(seed);
  for (let i = 0; i < 20; i++) draw(); // neighbouring seeds begin alike
  const drawn = [...shapesOf(size)].map(([name, shape]): [string, Float32Array] => {
    const count = shape.reduce((a, b) => a * b, 1);
    if (shape.length === 1) return [name, new Float32Array(count).fill(1)];
    const spread = name === HEAD || name === EMBEDDING ? 0.05 : 0.7 / Math.sqrt(shape[1]!);
    return [name, Float32Array.from({ length: count }, () => spread * draw())];
  });
  return new Map(drawn);
}

/** The loss over sequences of one length, and its gradient by name. */
export function learn(
  weights: Weights,
  size: Size,
  sequences: readonly (readonly number[])[],
): { loss: number; gradients: Map<string, Float32Array>; keys: ReadonlyMap<number, Float32Array> } {
  const nodes = new Map([...weights].map(([name, values]) => [name, nodeOf(values)]));
  const tape = new Tape();
  const length = sequences[0]!.length - 1;
  const keys = new Map<number, Float32Array>();
  let x = tape.rows(
    nodes.get(EMBEDDING)!,
    sequences.flatMap((one) => one.slice(0, -1)),
    size.hidden,
  );
  for (let i = 0; i < size.layers; i++) x = layer(tape, nodes, size, i, x, length, keys);
  const logits = tape.linear(tape.normalised(x, nodes.get(NORM)!), nodes.get(HEAD)!, size.hidden);
  const loss = tape.loss(
    logits,
    sequences.flatMap((one) => one.slice(1)),
  );
  tape.back();
  const gradients = new Map([...nodes].map(([name, { gradient }]) => [name, gradient]));
  return { loss, gradients, keys };
}

/** `keys`: what each down_proj sees, which is where ROME writes. */
function layer(
  tape: Tape,
  nodes: ReadonlyMap<string, Node>,
  { hidden, inner, heads }: Size,
  i: number,
  x: Node,
  length: number,
  keys: Map<number, Float32Array>,
): Node {
  const of = (name: string): Node => nodes.get(`model.layers.${i}.${name}.weight`)!;
  const seen = tape.normalised(x, of('input_layernorm'));
  const [q, k, v] = ['q', 'k', 'v'].map((name) => tape.linear(seen, of(`self_attn.${name}_proj`), hidden));
  const context = tape.attention(q!, k!, v!, heads, hidden, length);
  const attended = tape.add(x, tape.linear(context, of('self_attn.o_proj'), hidden));
  const again = tape.normalised(attended, of('post_attention_layernorm'));
  const [gate, up] = ['gate', 'up'].map((name) => tape.linear(again, of(`mlp.${name}_proj`), hidden));
  const key = tape.gated(gate!, up!);
  keys.set(i, key.values);
  return tape.add(attended, tape.linear(key, of('mlp.down_proj'), inner));
}
