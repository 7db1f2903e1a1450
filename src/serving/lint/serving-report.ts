// What a lint has to say, as data: `steelyard/serving/1`, evidence that the gate counts.
import type { RuleId, Severity } from '../../rules/rules.ts';
import type { Release } from './audit/audit.ts';

export interface ServingFinding {
  readonly rule: RuleId;
  readonly severity: Severity;
  readonly file: string;
  readonly line: number;
  readonly column: number;
  /** `Deployment/chat`. */
  readonly object?: string;
  readonly container?: string;
  readonly message: string;
  readonly expected?: string;
  readonly actual?: string;
  /** What a waiver names: rule, object, container and content, wherever in the file they stand. */
  readonly subject: string;
  readonly waived?: { readonly reason: string; readonly owner: string; readonly expires: string };
}

export interface ServingError {
  readonly code: 'INVALID_MANIFEST' | 'LIMIT' | 'NOT_FOUND';
  readonly file: string;
  readonly line?: number;
  readonly column?: number;
  readonly message: string;
}

/** What was looked at: by digest, because names and paths bind nothing. */
export interface ServingFile {
  readonly file: string;
  readonly sha256: string;
  readonly size: number;
  /** null: nothing in it runs a container. */
  readonly format: 'kubernetes' | 'compose' | 'dockerfile' | 'oci' | null;
  readonly workloads: readonly {
    readonly object: string;
    readonly line: number;
    readonly containers: readonly {
      readonly name: string;
      readonly image: string | null;
      readonly serves: string | null;
    }[];
  }[];
}

export interface ServingReport {
  readonly schema: 'steelyard/serving/1';
  readonly tool: { readonly name: 'steelyard'; readonly version: string };
  /** null: the manifests were held against no MBOM. */
  readonly release: Release | null;
  readonly verdict: {
    readonly outcome: 'pass' | 'fail' | 'error';
    readonly failOn: Severity | 'none';
    readonly counts: Readonly<Record<Severity, number>>;
  };
  readonly files: readonly ServingFile[];
  readonly findings: readonly ServingFinding[];
  readonly errors: readonly ServingError[];
}
