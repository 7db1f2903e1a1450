// Where something stands in a manifest. Every finding of a lint has a line and a column that an editor can open.
export interface Place {
  readonly file: string;
  /** From 1. */
  readonly line: number;
  /** From 1. */
  readonly column: number;
}

/** A value, and where it was read; where it is missing, the place that lacks it. */
export interface Fact<T> {
  readonly value: T;
  readonly at: Place;
}

/** What could not be looked at, so that nothing can be said about it. Never a pass. */
export interface Fault {
  readonly code: 'INVALID_MANIFEST' | 'LIMIT';
  readonly at: Place;
  readonly message: string;
}
