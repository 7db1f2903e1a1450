// Why a release is not promoted. A closed list of codes: programs decide on them, people read the message.
import { type RefusalCode, Refused } from '../../proof/sign/refusal.ts';

/** The gate's own codes, and what each means. Those of signatures and models (`RefusalCode`) are used beside them. */
export const GATE_CODES = {
  POLICY_EXPIRED: "the gate policy's own date is past",
  NO_EVIDENCE: 'nothing at all for a control, or less than it asks for',
  MALFORMED_EVIDENCE: 'not what its kind must be: a key twice, a wrong type, a field that is missing',
  EVIDENCE_UNSUPPORTED: 'a kind, a version or a severity method that is not read',
  EVIDENCE_UNTRUSTED: 'no identity that is listed for the control signed it',
  EVIDENCE_UNBOUND: 'it names no digest, so it could be about anything',
  EVIDENCE_FOR_OTHER: 'it names the digest of something else',
  EVIDENCE_STALE: 'it is older than the control allows',
  EVIDENCE_UNDATED: 'it has no time where one is needed',
  EVIDENCE_FROM_FUTURE: 'its time is later than now',
  EVIDENCE_EMPTY: 'nothing was looked at: no result, no package, no database',
  EVIDENCE_CONTRADICTORY: 'two parts of it, or its claim and its own numbers, deny each other',
  VULNERABLE: 'a vulnerability at or above the limit that no exception covers',
  FORBIDDEN_PACKAGE: 'the image holds a package that is forbidden',
  REGRESSED: 'a number is worse than its limit or than the baseline allows',
  TEST_FAILED: 'a test failed, or the suite says so',
  CANARY_FAILED: 'the staged prompts found a difference that fails',
  SERVING_UNSAFE: 'the check of the serving configuration failed',
  UNTRUSTED_SOURCE: 'no signed receipt says that the model came from an allowed source',
  UNTRUSTED_REGISTRY: 'the image is from a repository that is not listed',
  MISSING_PLATFORM: 'a platform that is promoted has no image or no report',
  WRONG_BUILDER: 'another builder or another source than those listed',
  MALFORMED_LAYOUT: 'not an in-toto layout or link',
  UNSUPPORTED_LAYOUT: 'a layout with inspections, sublayouts or keys that are not read here',
  UNBOUNDED_LAYOUT: 'a step whose rules do not end with DISALLOW *',
  LAYOUT_EXPIRED: "the layout's own date is past",
  BELOW_THRESHOLD: 'fewer functionaries signed a step than it needs',
  STEP_MISMATCH: 'the files, the links and the rules of the layout do not agree',
  NOT_APPROVED: 'fewer persons approved than are needed',
  APPROVAL_FOR_OTHER: 'the approval is for another release or environment',
  APPROVAL_UNDER_OTHER_POLICY: 'the approval was given under another gate policy',
  APPROVAL_INCOMPLETE: 'something that counts was not reviewed by the approver',
  APPROVAL_EXPIRED: 'the approval has expired',
  APPROVAL_REJECTED: 'a listed person rejected the release',
  SELF_APPROVED: 'the approver produced the release or its evidence',
  WRONG_REPLACEMENT: 'the approval replaces another release than the one that runs',
  RECALLED: 'something in the release was recalled',
  RECALLS_STALE: 'the list of recalls is missing, old or cut',
} as const;

export type GateCode = RefusalCode | keyof typeof GATE_CODES;

/** What a refusal is about, besides its code. */
interface Place {
  readonly file?: string;
  readonly expected?: string;
  readonly actual?: string;
}

export interface Denial extends Place {
  readonly code: GateCode;
  /** The control that refuses: its id in the policy, or mbom, model, scan, image, approvals, recalls, policy. */
  readonly control?: string;
  readonly message: string;
}

/** Ends the reading of one piece of evidence. Never leaves src/gate: `settled` turns it into data. */
export class Denied extends Error {
  readonly denials: readonly [Denial, ...Denial[]];

  constructor(denials: readonly [Denial, ...Denial[]]) {
    super(denials[0].message);
    this.denials = denials;
  }
}

export function deny(code: GateCode, message: string, place: Place = {}): never {
  throw new Denied([{ code, ...place, message }]);
}

export type Settled<T> =
  | { readonly value: T; readonly denials?: never }
  | { readonly value?: never; readonly denials: readonly [Denial, ...Denial[]] };

/** Fails closed: a value only where `action` returned one. Errors about the world, and bugs, pass through. */
export function settled<T>(action: () => T): Settled<T> {
  try {
    return { value: action() };
  } catch (error) {
    if (error instanceof Denied) return { denials: error.denials };
    if (error instanceof Refused) return { denials: error.refusals };
    throw error;
  }
}
