// Whether a model is another one with an adapter merged into it.

export interface MergeCheck {
  /** 'merged': every module changed by the adapter and by nothing else, and nothing but its modules changed. */
  readonly outcome: 'merged' | 'differs' | 'not compared';
  /** Tensors that changed and that the adapter has no module for. */
  readonly others: number;
  readonly modules: readonly MergedModule[];
}

export interface MergedModule {
  readonly module: string;
  /** Of the base and the suspect; null: the base has no such tensor. */
  readonly tensor: string | null;
  /** 'merged': what is left is rounding; 'unchanged': the adapter is not in it. */
  readonly outcome: 'merged' | 'differs' | 'unchanged' | 'not compared';
  /** What the update is multiplied by beside the adapter's own scale, by least squares; null: it is none that scales. */
  readonly strength: number | null;
  /** ‖W′ − merged‖ at that strength, and what rounding may leave of it. */
  readonly rest: number | null;
  readonly room: number | null;
  /** Rows in which more is left than rounding leaves. */
  readonly rows: number | null;
  readonly reason: string | null;
}
