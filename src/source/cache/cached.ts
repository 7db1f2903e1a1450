// What a lister of a cache says of a model.
import type { Expected, Pin } from '../store.ts';

/** A file of a cache: its path in the model, where it lies, and what its name says of it. */
export interface Cached {
  readonly path: string;
  readonly absolute: string;
  readonly expected: Expected | null;
}

export interface CachedModel {
  /** Real paths: nothing of the model lies outside of these. */
  readonly folders: readonly string[];
  readonly pin: Pin;
  readonly files: readonly Cached[];
}
