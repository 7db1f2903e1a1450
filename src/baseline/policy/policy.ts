// A policy: what its owner says a model must be. Compiled from a document (parse.ts); pure data.

import type { RuleId, Severity } from '../../rules/rules.ts';
import type { Zone } from '../../source/source.ts';
import type { Dimension } from './document/shape.ts';
import type { Pattern } from './pattern/pattern.ts';
import type { Unexamined } from './unexamined.ts';

/** The lowest severity that fails a verdict; 'none': nothing fails it. */
export type FailOn = Severity | 'none';

export interface Policy {
  readonly name: string | null;
  readonly failOn: FailOn | null;
  /** Dtypes that any tensor may have; null: all. */
  readonly dtypes: ReadonlySet<string> | null;
  /** Sizes that are known beforehand, by name. */
  readonly dimensions: ReadonlyMap<string, number>;
  readonly tensors: readonly TensorLine[];
  /** Whether tensors that no line matches are a finding. */
  readonly unmatched: 'forbid' | 'allow';
  readonly forbidden: readonly Pattern[];
  /** null: all metadata is allowed. */
  readonly metadata: readonly MetadataLine[] | null;
  /** Digests of chat templates; null: all are allowed. */
  readonly templates: ReadonlySet<string> | null;
  /** Globs of paths; null: all files are allowed. */
  readonly files: readonly string[] | null;
  /** What is demanded of files that nobody looked into; null: nothing. */
  readonly unexamined: Unexamined | null;
  /** Digests of such files that are accepted. */
  readonly accept: ReadonlySet<string>;
  readonly limits: Limits;
  readonly severity: ReadonlyMap<RuleId, Severity>;
  readonly waivers: readonly Waiver[];
  /** Where models may come from, by the name of the zone. */
  readonly sources: ReadonlyMap<string, Zone>;
}

/** One line about tensors, and where in the document it stands. */
export interface TensorLine {
  readonly pattern: Pattern;
  /** From 1. */
  readonly line: number;
  /** null: what the policy's dtypes allow. */
  readonly dtypes: ReadonlySet<string> | null;
  readonly shape: readonly Dimension[] | null;
  /** How many tensors, inclusive; null: all that the pattern spans. */
  readonly count: readonly [least: number, most: number] | null;
  readonly optional: boolean;
}

export interface MetadataLine {
  /** A key, or its beginning followed by '*'. */
  readonly key: string;
  /** null: any value. */
  readonly values: ReadonlySet<string> | null;
  /** Digests of values that are too long to stand in a profile. */
  readonly digests: ReadonlySet<string>;
}

/** At most so much; undefined: no limit. Sizes in bytes. */
export interface Limits {
  readonly files?: number | undefined;
  readonly tensors?: number | undefined;
  readonly size?: number | undefined;
  readonly fileSize?: number | undefined;
  readonly headerSize?: number | undefined;
}

/** Accepts what a rule says about certain bytes in one place: the same bytes under another name can be another model. */
export interface Waiver {
  readonly rule: RuleId;
  /** `sha256:…` of the file, or of the tensor where one is named. */
  readonly subject: string;
  /** null: `subject` says it all (findings of lint), or a tensor is named. */
  readonly file: string | null;
  readonly tensor: WaivedTensor | null;
  readonly reason: string;
  readonly owner: string;
  /** 'YYYY-MM-DD': the last day. */
  readonly expires: string;
  readonly line: number;
}

export interface WaivedTensor {
  readonly pattern: Pattern;
  readonly dtype: string;
  readonly shape: readonly number[];
}
