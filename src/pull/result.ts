// What a pull is asked for, and what it answers.

import type { Report } from '../baseline/report.ts';
import type { AnyKey } from '../proof/sign/sign.ts';
import type { Finding } from '../rules/finding.ts';
import type { ScanOptions } from '../scan.ts';
import type { SourceFile, SourceOptions } from '../source/source.ts';
import type { SignedMbom } from './expectation/declared-mbom.ts';
import type { Expectation } from './expectation/expectation.ts';
import type { Selection } from './expectation/selection.ts';
import type { Lock } from './receipt/lock.ts';
import type { Receipt } from './receipt/receipt.ts';

type Scanning =
  | 'failOn'
  | 'policy'
  | 'today'
  | 'baseline'
  | 'mode'
  | 'base'
  | 'threads'
  | 'isolate'
  | 'forensics';

export interface PullOptions extends Pick<ScanOptions, Scanning | 'onProgress'>, Selection {
  /** The folder that becomes the model. It must not be there, or be empty. */
  readonly output: string;
  readonly env: SourceOptions['env'];
  readonly endpoint?: string;
  /** Where the source may send us on to, and how long it may take. */
  readonly http?: SourceOptions['http'];
  /** `sha256:…` over the bytes of the policy, for the receipt. */
  readonly policyDigest?: string;
  /** What was locked: the source has to list exactly that. */
  readonly lock?: Lock;
  /** What was declared and signed: exactly these files are pulled. */
  readonly mbom?: SignedMbom;
  /** The zone of the policy; default: its only one. */
  readonly zone?: string;
  /** Connections at a time; default 8. */
  readonly connections?: number;
  /** Bytes that the model may have at most. */
  readonly maxSize?: number;
  /** Lists and judges, and fetches no weights. */
  readonly dryRun?: boolean;
  /** What is refused stays in the quarantine, to be looked at. */
  readonly keepQuarantine?: boolean;
  /** Signs the receipt. */
  readonly key?: AnyKey;
  readonly signal?: AbortSignal;
}

export interface PullResult {
  /** pass: the model is at its place. fail: it is not allowed, not what was expected, or its scan fails. error: no verdict. */
  readonly outcome: 'pass' | 'fail' | 'error';
  /** The pinned source; as it was given where it could not be listed. */
  readonly source: string;
  readonly files: readonly SourceFile[];
  /** What each file is expected to be, who decides first. */
  readonly expected: ReadonlyMap<string, readonly Expectation[]>;
  /** About the source and the bytes that came. What the scan says stands in its report. */
  readonly findings: readonly Finding[];
  /** Of the scan, byte for byte what scanning the folder says. null: nothing was scanned. */
  readonly report: Report | null;
  /** null: nothing was committed. */
  readonly receipt: Receipt | null;
  /** Where refused bytes are kept; null: nowhere. */
  readonly quarantine: string | null;
}
