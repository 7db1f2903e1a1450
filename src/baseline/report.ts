// The report: everything a scan has to say, as data. `steelyard/report/1`.
import type { Failure, Finding } from '../rules/finding.ts';
import type { LeftOut } from '../scan/model/left-out.ts';
import type { Profile } from '../scan/profile/profile.ts';
import type { LoaderChoice } from '../scan/profile/template/loader/loader.ts';
import type { Verdict } from './policy/verdict.ts';

export type { Failure, Finding } from '../rules/finding.ts';
export type { FailOn } from './policy/policy.ts';
export type { Verdict } from './policy/verdict.ts';

/** Wall-clock figures; the only part of a report that differs from run to run, so it is there only when asked for. */
export interface Timing {
  /** Seconds for the whole scan, and bytes measured per second. */
  readonly seconds: number;
  readonly bytesPerSecond: number;
  readonly threads: number;
  readonly kernel: string;
  readonly files: readonly { readonly path: string; readonly seconds: number }[];
}

export interface Report {
  readonly schema: 'steelyard/report/1';
  readonly tool: { readonly name: 'steelyard'; readonly version: string };
  /** true only if every byte of every selected file was read and looked at. */
  readonly complete: boolean;
  readonly verdict: Verdict;
  /** What was not looked at because it is no part of the model, or the user left it out; absent: nothing. */
  readonly leftOut?: readonly LeftOut[];
  readonly files: Profile['files'];
  readonly tensors: Profile['tensors'];
  /** Which chat template each loader uses, and by which rule; none where the model has no template. */
  readonly loaders?: readonly LoaderChoice[];
  readonly findings: readonly Finding[];
  readonly errors: readonly Failure[];
  readonly timing?: Timing;
}
