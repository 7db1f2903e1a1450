// What a model *is*: its files and tensors, measured. Pure data: no clock, no host, no absolute path.
import type { Format } from '../format/layout.ts';
import type { Kind, State } from '../identify/kind.ts';
import type { Stats } from '../measure/record/stats.ts';

/** A header's key-value. Values that print to more than 256 bytes are represented by their digest and size. */
export interface MetadataProfile {
  readonly key: string;
  readonly type: string;
  readonly value?: string | number | boolean;
  /** `sha256:…` over the value's bytes as they stand in the file. */
  readonly digest?: string;
  /** Bytes of the value in the file; present with `digest`. */
  readonly size?: number;
  /** Elements, for arrays. */
  readonly count?: number;
}

export interface FileProfile {
  /** Relative to the model's root, '/' between segments. */
  readonly path: string;
  /** null: not a weight file; its digest is taken all the same. */
  readonly format: Format | null;
  readonly size: number;
  readonly sha256: string;
  readonly tensorCount: number;
  readonly headerSize: number | null;
  readonly metadata: readonly MetadataProfile[];
  readonly templates: readonly TemplateProfile[];
  /** What it is by its content, and how far it was looked into. Of reports only: a profile says what a model is. */
  readonly kind?: Kind;
  readonly state?: State;
}

/** A chat template, known by its digest: of two models, the first thing to compare. */
export interface TemplateProfile {
  readonly name: string;
  readonly source: 'metadata' | 'file';
  /** `sha256:…` over its UTF-8, line endings and white space at its end normalised. */
  readonly digest: string;
}

export interface TensorProfile {
  readonly name: string;
  readonly file: string;
  readonly dtype: string;
  /** Outermost dimension first. */
  readonly shape: readonly number[];
  /** Absolute byte range in the file, end exclusive. */
  readonly start: number;
  readonly end: number;
  /** null: the range overlaps another tensor's, so one forward pass cannot take it; there is a critical finding. */
  readonly sha256: string | null;
  /** null: no element, unsupported dtype, or not measured (see sha256). */
  readonly stats: Stats | null;
}

export interface Profile {
  /** Sorted by path. */
  readonly files: readonly FileProfile[];
  /** Sorted by file, then start, then name. */
  readonly tensors: readonly TensorProfile[];
}
