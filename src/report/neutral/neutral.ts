// What every verdict of ours has in common, whatever it is about: the one thing that SARIF, JUnit, Markdown and the others are written
// from. A new kind of verdict needs one function here, a new format one function in ../format.
import type { Waived } from '../../rules/finding.ts';
import type { Severity } from '../../rules/rules.ts';

export interface NeutralReport {
  readonly tool: { readonly name: 'steelyard'; readonly version: string };
  /** What gave the verdict. */
  readonly command: 'scan' | 'lint' | 'gate' | 'diff' | 'canary' | 'drift';
  readonly outcome: 'pass' | 'fail' | 'error';
  /** One sentence: why. */
  readonly reason: string;
  /** What was looked at, in a few words each: `2 of 20 files examined`. */
  readonly coverage: readonly string[];
  readonly files: readonly NeutralFile[];
  /** The gravest first. */
  readonly problems: readonly Problem[];
  /** What could not be looked at. */
  readonly errors: readonly Unseen[];
  /** Of the rules and codes that stand in `problems`. */
  readonly rules: ReadonlyMap<string, NeutralRule>;
}

interface NeutralFile {
  readonly path: string;
  readonly size: number;
  /** 64 hexadecimal digits. */
  readonly sha256: string;
}

export interface Problem {
  readonly rule: string;
  readonly severity: Severity;
  /** It is one of those that the verdict fails for. */
  readonly fails: boolean;
  /** Empty: about no file. */
  readonly file: string;
  /** Counts from 1. */
  readonly line?: number;
  /** Bytes from the start of the file. */
  readonly offset?: number;
  /** A tensor, a manifest's object, a control, a prompt. */
  readonly place?: string;
  readonly message: string;
  readonly expected?: string;
  readonly actual?: string;
  readonly waived?: Waived;
}

export interface Unseen {
  readonly code: string;
  readonly file: string;
  readonly message: string;
}

export interface NeutralRule {
  readonly title: string;
  readonly hint?: string;
  readonly why?: string;
  readonly references: readonly string[];
}
