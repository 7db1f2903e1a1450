// What an approval and a recall say, as `approval.ts` and `recall.ts` read it.
import type { GatePolicy } from '../release-policy/release-policy.ts';
import { timeText } from '../verdict/verdict.ts';

export const APPROVAL = 'urn:steelyard:approval:v1';
export const RECALL = 'urn:steelyard:recall:v1';

interface ApprovalText {
  readonly decision: 'approved' | 'rejected';
  readonly policy: GatePolicy;
  readonly reviewed: readonly { readonly name: string; readonly digest: string }[];
  readonly replaces: string | null;
  readonly approver: string;
  readonly created: number;
  readonly expires: number;
  readonly comment?: string;
}

const sha256 = (digest: string) => ({ sha256: digest.slice('sha256:'.length) });

/** The predicate of an approval, as `readApproval` reads it. */
export const approvalPredicate = (text: ApprovalText): object => ({
  decision: text.decision,
  environment: text.policy.json.environment,
  policy: { name: text.policy.file, digest: sha256(text.policy.digest) },
  reviewed: text.reviewed
    .map(({ name, digest }) => ({ name, digest: sha256(digest) }))
    .sort((a, b) => (a.digest.sha256 < b.digest.sha256 ? -1 : 1)),
  replaces: text.replaces === null ? null : { digest: sha256(text.replaces) },
  approver: text.approver,
  timeCreated: timeText(text.created),
  expires: timeText(text.expires),
  ...(text.comment === undefined ? {} : { comment: text.comment }),
});

export interface RecallText {
  readonly created: number;
  readonly reason: string;
  readonly severity?: string;
  readonly advisory?: string;
  readonly packages?: readonly string[];
}

export const recallPredicate = ({ created, reason, severity, advisory, packages }: RecallText): object => ({
  timeCreated: timeText(created),
  reason,
  ...(severity === undefined ? {} : { severity }),
  ...(advisory === undefined ? {} : { advisory }),
  ...(packages === undefined || packages.length === 0 ? {} : { packages }),
});

export const heartbeatPredicate = (sequence: number, created: number): object => ({
  list: { sequence, timeCreated: timeText(created) },
});
