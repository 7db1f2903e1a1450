// A chat template as a model keeps it.

export interface Template {
  /** 'default', or the name under which a loader asks for it. */
  readonly name: string;
  readonly source: 'metadata' | 'file';
  readonly text: string;
  /** Absolute byte position of the value in a weight file. */
  readonly offset?: number;
}
