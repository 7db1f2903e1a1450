// What a diff found. Pure data: the same two models give the same report, whatever the machine or the thread count.
import type { Failure } from '../../rules/finding.ts';
import type { Format } from '../../scan/format/layout.ts';
import type { Difference } from '../../scan/measure/difference/difference.ts';
import type { AdapterDiff } from '../adapter/adapter-report.ts';
import type { MergeCheck } from '../adapter/merge/merge-report.ts';

export {
  AXIS_LIMIT,
  type AxisChange,
  type Difference,
  ELEMENT_LIMIT,
  type ElementChange,
  type LineChange,
  type Spectrum,
} from '../../scan/measure/difference/difference.ts';

export interface DiffReport {
  readonly schema: 'steelyard/diff/1';
  readonly tool: { readonly name: 'steelyard'; readonly version: string };
  /** false: something could not be read (see errors), and what is not listed as changed may be. */
  readonly complete: boolean;
  /** 'changed' as soon as one byte of one file differs; 'error' only where nothing was found and not all could be read. */
  readonly outcome: 'same' | 'changed' | 'error';
  readonly good: Side;
  readonly suspect: Side;
  /** What kind of change this is, the worst first; never empty where the outcome is 'changed'. */
  readonly conclusions: readonly Conclusion[];
  /** Tensors whose name, place, shape or dtype is another. */
  readonly structure: readonly StructuralChange[];
  /** Files that are not weights, and metadata: keys of both sides whose values are not the same. */
  readonly files: readonly FileChange[];
  readonly metadata: readonly MetadataChange[];
  /** Tensors whose bytes changed, in the suspect's order. Identical ones are only counted. */
  readonly tensors: readonly TensorChange[];
  /** Tensors that are the same byte for byte under the same name. */
  readonly identical: number;
  /** null: not two adapters. */
  readonly adapter: AdapterDiff | null;
  /** Where an adapter was given: whether the suspect is the good model with it merged. */
  readonly merge?: MergeCheck;
  readonly errors: readonly Failure[];
}

/** One of the two models. */
export interface Side {
  readonly files: readonly {
    readonly path: string;
    readonly format: Format | null;
    readonly size: number;
    readonly sha256: string;
  }[];
  readonly tensorCount: number;
  /** Elements of all tensors; bytes of all files. */
  readonly count: number;
  readonly size: number;
}

/**
 * - 'tampering': known honest processes do not leave this; look at it first.
 * - 'damage': values that no training keeps (NaN, another scale).
 * - 'recipe': what training, merging or converting does.
 * - 'unknown': a change that fits no pattern we know. It is not a clean bill.
 */
export type Concern = 'tampering' | 'damage' | 'recipe' | 'unknown';

export const CONCLUSIONS = {
  'tensor-added': 'tampering',
  'tensor-removed': 'tampering',
  'tensors-swapped': 'tampering',
  'rows-replaced': 'tampering',
  'rank-one-edit': 'tampering',
  'low-rank-edit': 'tampering',
  'direction-removed': 'tampering',
  'single-elements': 'tampering',
  'low-bits-rewritten': 'tampering',
  'payload-in-low-bits': 'tampering',
  'not-finite': 'damage',
  'isolated-change': 'unknown',
  'merge-differs': 'unknown',
  'uniform-rescale': 'recipe',
  converted: 'recipe',
  requantised: 'recipe',
  'rows-appended': 'recipe',
  pruned: 'recipe',
  'low-rank-merge': 'recipe',
  'adapter-merge': 'recipe',
  'fine-tune': 'recipe',
  renamed: 'recipe',
  'metadata-only': 'recipe',
  unexplained: 'unknown',
} as const satisfies Record<string, Concern>;

export type ConclusionKind = keyof typeof CONCLUSIONS;

/** A kind of change, with the evidence a reader can check. */
export interface Conclusion {
  readonly kind: ConclusionKind;
  readonly concern: Concern;
  /** One sentence for a person: "3 rows of model.embed_tokens.weight were replaced at unchanged norm". */
  readonly message: string;
  /** Names of the suspect's tensors, in order. */
  readonly tensors: readonly string[];
  /** The figures that the conclusion rests on, with the limits they were held against. */
  readonly evidence: readonly { readonly name: string; readonly value: number; readonly limit?: string }[];
  /** What else would look like this. */
  readonly caveat: string;
}

export interface StructuralChange {
  readonly kind: 'added' | 'removed' | 'renamed' | 'moved' | 'swapped' | 'reshaped' | 'retyped';
  readonly good: TensorPlace | null;
  readonly suspect: TensorPlace | null;
}

export interface TensorPlace {
  readonly name: string;
  readonly file: string;
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly sha256: string | null;
}

export interface FileChange {
  readonly path: string;
  readonly good: string | null;
  readonly suspect: string | null;
}

/** Values print as in the profile: long ones as their digest. null: no such key. */
export interface MetadataChange {
  readonly file: string;
  readonly key: string;
  readonly good: string | null;
  readonly suspect: string | null;
}

export interface TensorChange {
  readonly good: TensorPlace;
  readonly suspect: TensorPlace;
  /** null: the values could not be held against each other; `reason` says why. */
  readonly difference: Difference | null;
  readonly reason: string | null;
}
