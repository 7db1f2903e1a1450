// A way to change a model, and what a diff has to conclude about it: exactly these kinds.
import type { ConclusionKind } from '../../../src/diff/report/diff-report.ts';
import type { Model } from '../mutations/model.ts';

export interface Edit {
  readonly kind: string;
  /** The good model; made anew for either side. */
  readonly model: () => Model;
  readonly apply: (suspect: Model) => void;
  readonly conclusions: readonly ConclusionKind[];
  /** Tensors that a conclusion must name. */
  readonly tensors: readonly string[];
}

export const editsOf =
  (model: () => Model) =>
  (
    kind: string,
    conclusions: readonly ConclusionKind[],
    apply: (suspect: Model) => void,
    ...tensors: string[]
  ): Edit => ({ kind, model, apply, conclusions, tensors });
