// `steelyard/verdict/1`: what the gate decided about one release, at one time, and everything that it rests on.
import type { Signer } from '../../proof/sign/trust.ts';
import type { Source } from '../claim/piece.ts';
import type { Denial } from './denial.ts';

/** One piece of evidence that counted. */
export interface CountedEvidence {
  readonly file: string;
  readonly line: number | null;
  readonly digest: string;
  readonly kind: string;
  /** The identity of the policy. */
  readonly by: string;
  readonly signer: Signer;
  /** When it was made, as it says itself. */
  readonly time: string | null;
  readonly database: string | null;
}

/** A vulnerability that was found, and what was decided of it. */
export interface GateFinding {
  readonly id: string;
  readonly package: string | null;
  readonly severity: string;
  readonly fixed: string | null;
  /** null: none covers it. */
  readonly exception: { readonly by: string; readonly reason: string; readonly expires: string } | null;
}

export interface ControlVerdict {
  readonly id: string;
  readonly kind: string;
  readonly outcome: 'pass' | 'fail';
  readonly evidence: readonly CountedEvidence[];
  readonly findings: readonly GateFinding[];
  readonly notes: readonly string[];
}

export interface UnusedEvidence {
  readonly file: string;
  readonly line: number | null;
  readonly reason: string;
}

export interface CountedApproval {
  readonly person: string;
  readonly digest: string;
  readonly expires: string;
}

export interface Verdict {
  readonly schema: 'steelyard/verdict/1';
  readonly outcome: 'promote' | 'refuse';
  readonly time: string;
  /** Until when it holds, if nothing else changes: the earliest of all limits. null: it does not hold now. */
  readonly validUntil: string | null;
  readonly environment: string;
  /** The release that ran then; null: none, or not known. */
  readonly current: string | null;
  readonly release: {
    readonly digest: string;
    /** The rest is null while nobody who is trusted has signed the MBOM. */
    readonly name: string | null;
    readonly root: string | null;
    readonly image: string | null;
    readonly adapter: string | null;
  };
  readonly policy: { readonly name: string; readonly digest: string };
  readonly controls: readonly ControlVerdict[];
  readonly approvals: {
    /** 0: approvals were not judged. */
    readonly need: number;
    readonly counted: readonly CountedApproval[];
    readonly notCounted: readonly Denial[];
  };
  readonly refusals: readonly Denial[];
  readonly unused: readonly UnusedEvidence[];
  /** Digests of the evidence files that counted: what an approval must list as reviewed. */
  readonly reviewed: readonly { readonly name: string; readonly digest: string }[];
  readonly tool: { readonly name: 'steelyard'; readonly version: string };
}

export const timeText = (time: number | null): string | null =>
  time === null ? null : new Date(time).toISOString();

export const unusedOf = ({ file, line }: Source, reason: string): UnusedEvidence => ({ file, line, reason });
