// The shapes of what an adapter is made of: tensors, and the updates of single modules that they make up.
import type { Format } from '../format/layout.ts';
import type { TensorProfile } from '../profile/profile.ts';

export type AdapterTensor = Pick<TensorProfile, 'name' | 'dtype' | 'shape' | 'start' | 'end' | 'stats'>;

/** Who writes names like these. 'plain': factors with the names of many programs, and no prefix of PEFT's. */
export type Spelling = 'peft' | 'kohya' | 'diffusers' | 'mlx' | 'gguf' | 'plain';

/** What the tensors of a module make together. */
export type Family =
  | 'lora' // s·B·A; with `mid` between them the Tucker form of convolutions
  | 'adalora' // s·B·diag(E)·A
  | 'loha' // s·(w1a·w1b) ∘ (w2a·w2b)
  | 'lokr' // s·(w1 ⊗ w2)
  | 'glora' // W·A + B
  | 'ia3' // W·diag(l), or diag(l)·W
  | 'oft' // R·W, R a rotation of blocks
  | 'boft'
  | 'vera' // diag(b)·B·diag(d)·A, with A and B from a generator
  | 'full'; // a difference, or a whole tensor, of full rank

export type Part =
  | 'a'
  | 'b'
  | 'mid'
  | 'e'
  | 'bias'
  | 'alpha'
  | 'magnitude'
  | 'scalar'
  | 'rescale'
  | 'w1'
  | 'w1a'
  | 'w1b'
  | 'w2'
  | 'w2a'
  | 'w2b'
  | 't1'
  | 't2'
  | 'a1'
  | 'a2'
  | 'b1'
  | 'b2'
  | 'vector'
  | 'rotation'
  | 'd'
  | 'diff'
  | 'diffBias'
  | 'norm'
  | 'reshape';

/** The update of one module. */
export interface AdapterModule {
  /** As the base model calls it; of GGUF, its weight. */
  readonly name: string;
  readonly family: Family;
  /** The factors of an embedding, whose input is the vocabulary. */
  readonly embedding: boolean;
  /** MLX multiplies from the right: A stands as [in, r], B as [r, out]. */
  readonly flipped: boolean;
  readonly parts: Partial<Record<Part, AdapterTensor>>;
}

/** A tensor's name, taken apart. */
export interface FactorName {
  readonly module: string;
  readonly family: Family;
  readonly part: Part;
  readonly embedding: boolean;
  readonly flipped: boolean;
}

/** A weight file, from its header or from a profile. */
export interface AdapterFile {
  readonly path: string;
  readonly format: Format;
  readonly metadata: readonly { readonly key: string; readonly value?: unknown }[];
  readonly tensors: readonly AdapterTensor[];
}

/** The first tensor of a module: where a finding about it points. */
export const placeOf = ({ parts }: AdapterModule): { tensor: string; offset: number } => {
  const { name, start } = Object.values(parts)[0]!;
  return { tensor: name, offset: start };
};

export const sizeOf = (shape: readonly number[]): number => shape.reduce((all, size) => all * size, 1);

/** The only value of a tensor of one element; null: it has more, or none that is finite. */
export function scalarOf(tensor: AdapterTensor | undefined): number | null {
  const stats = tensor?.stats;
  return stats != null && stats.count === 1 && typeof stats.min === 'number' ? stats.min : null;
}
