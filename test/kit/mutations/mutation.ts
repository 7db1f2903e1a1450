// A way to change a model, and what a comparison has to say about it.
import type { CompareRule, Mode } from '../../../src/baseline/compare/mode.ts';
import type { Model } from './model.ts';

export interface Mutation {
  readonly kind: string;
  readonly model: 'base' | 'lora';
  readonly mode: Mode;
  readonly outcome: 'pass' | 'fail';
  /** Of compare/*, without the prefix: exactly these. */
  readonly rules: readonly CompareRule[];
  /** Tensors that findings must name. */
  readonly tensors: readonly string[];
  readonly apply: (model: Model) => void;
}

type Name = CompareRule extends `compare/${infer Rest}` ? Rest : never;

/** Rows of one mode; `rules`: names with spaces between them. */
export const rowsOf =
  (model: Mutation['model'], mode: Mode) =>
  (
    kind: string,
    outcome: Mutation['outcome'],
    rules: readonly Name[],
    apply: Mutation['apply'],
    ...tensors: string[]
  ): Mutation => ({
    kind,
    model,
    mode,
    outcome,
    rules: rules.map((one) => `compare/${one}` as const),
    apply,
    tensors,
  });

export const Q = 'model.layers.1.self_attn.q_proj.weight';
export const O = 'model.layers.2.self_attn.o_proj.weight';
export const O_TOO = 'model.layers.0.self_attn.o_proj.weight';
export const K = 'model.layers.2.self_attn.k_proj.weight';
export const DOWN = 'model.layers.3.mlp.down_proj.weight';
export const NORM = 'model.norm.weight';
export const EMBEDDING = 'model.embed_tokens.weight';
export const HEAD = 'lm_head.weight';
