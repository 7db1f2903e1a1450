// A person's signed yes to one release: this MBOM, under this policy, for this environment, with this evidence, in place of that release.
// Whatever of it is different now, the approval is for something else.

import { place } from '../claim/piece.ts';
import type { Claim } from '../claim/proven-claim.ts';
import { type GatePolicy, milliseconds } from '../release-policy/release-policy.ts';
import { type Denial, deny, settled } from '../verdict/denial.ts';
import { type CountedApproval, timeText } from '../verdict/verdict.ts';

interface ApprovalQuestion {
  readonly policy: GatePolicy;
  readonly now: number;
  readonly release: string;
  /** The release that runs now: null, none; undefined, not known here. */
  readonly current: string | null | undefined;
  readonly claims: readonly Claim[];
  /** Digests of the evidence files that count. */
  readonly counted: readonly { readonly name: string; readonly digest: string }[];
  /** Fingerprints of keys, and names of identities, that made the release or speak for it. */
  readonly producers: ReadonlySet<string>;
}

export interface Approvals {
  readonly counted: readonly CountedApproval[];
  readonly notCounted: readonly Denial[];
  readonly denials: readonly Denial[];
  readonly limits: readonly number[];
}

interface Read {
  readonly decision: string;
  readonly environment: string;
  readonly policy: string;
  readonly reviewed: ReadonlySet<string>;
  readonly replaces: string | null;
  readonly created: number;
  readonly expires: number;
}

const SKEW = 5 * 60_000;
const YEAR = 366 * 86_400_000;
/** More approvals than any policy asks for: a folder full of them is no review. */
const MAX = 64;

export function approvals(question: ApprovalQuestion): Approvals {
  const { policy, claims } = question;
  const { need, of } = policy.json.approvals;
  const all = claims.filter(({ kind }) => kind === 'approval');
  const counted = new Map<string, CountedApproval & { readonly until: number }>();
  const notCounted: Denial[] = [];
  const denials: Denial[] = [];
  if (all.length > MAX)
    denials.push({ code: 'MALFORMED_EVIDENCE', message: `there are more than ${MAX} approvals` });
  for (const claim of all.slice(0, MAX)) {
    const file = place(claim.source);
    const person = policy.personOf.get(claim.by);
    const tried = settled(() => approvalOf(claim, person, question));
    if (tried.denials !== undefined) {
      notCounted.push(...tried.denials.map((one) => ({ ...one, file })));
      continue;
    }
    const { rejected, until } = tried.value;
    if (rejected)
      denials.push({ code: 'APPROVAL_REJECTED', file, message: `${person} rejected the release` });
    else {
      const before = counted.get(person!);
      if (before === undefined || before.until < until)
        counted.set(person!, {
          person: person!,
          digest: claim.source.digest,
          expires: timeText(until)!,
          until,
        });
    }
  }
  if (counted.size < need) {
    const missing = of.filter((person) => !counted.has(person));
    const message = `${counted.size} of ${need} persons approved; still possible: ${missing.join(', ')}`;
    denials.push({ code: 'NOT_APPROVED', message });
  }
  const list = [...counted.values()];
  // The approval that the decision stands and falls with: the need-th of the longest.
  const last = list.map(({ until }) => until).sort((a, b) => b - a)[need - 1];
  return {
    counted: list.map(({ person, digest, expires }) => ({ person, digest, expires })),
    notCounted,
    denials,
    limits: last === undefined ? [] : [last],
  };
}

/** Refuses with the reason why it does not count. A veto needs no more than the release and a listed person. */
function approvalOf(claim: Claim, person: string | undefined, question: ApprovalQuestion) {
  const { policy, now, release, current } = question;
  const { of, maxAge, replaces } = policy.json.approvals;
  if (person === undefined || !of.includes(person))
    return deny('EVIDENCE_UNTRUSTED', `${claim.by} is nobody who may approve`);
  const read = readApproval(claim);
  assertRelease(claim, read, question);
  if (read.created > now + SKEW) deny('EVIDENCE_FROM_FUTURE', 'the approval is dated later than now');
  if (read.decision === 'rejected') return { rejected: true, until: 0 };
  if (read.policy !== policy.digest)
    deny('APPROVAL_UNDER_OTHER_POLICY', `${person} approved it under another policy`, {
      expected: policy.digest,
      actual: read.policy,
    });
  const until = Math.min(read.expires, read.created + milliseconds(maxAge));
  if (until <= now)
    deny('APPROVAL_EXPIRED', `the approval of ${person} has expired`, { actual: timeText(until)! });
  assertReviewed(read, person, question);
  if (question.producers.has(claim.by) || isProducer(claim, question))
    deny('SELF_APPROVED', `${person} made the release or speaks for its evidence`);
  if ((replaces === 'required' || current !== undefined) && read.replaces !== (current ?? null))
    deny('WRONG_REPLACEMENT', `${person} approved it in place of another release`, {
      expected: current ?? 'none',
      actual: read.replaces ?? 'none',
    });
  return { rejected: false, until, release };
}

function assertRelease(claim: Claim, read: Read, { policy, release }: ApprovalQuestion): void {
  const { environment } = policy.json;
  if (claim.subjects![0] !== release)
    deny('APPROVAL_FOR_OTHER', 'the approval is for another release', {
      expected: release,
      actual: claim.subjects![0]!,
    });
  if (read.environment !== environment)
    deny('APPROVAL_FOR_OTHER', 'the approval is for another environment', {
      expected: environment,
      actual: read.environment,
    });
}

function assertReviewed({ reviewed }: Read, person: string, { counted }: ApprovalQuestion): void {
  const missing = counted.filter(({ digest }) => !reviewed.has(digest));
  if (missing.length === 0) return;
  const names = missing.map(({ name }) => name).slice(0, 5);
  deny(
    'APPROVAL_INCOMPLETE',
    `${person} did not review ${missing.length} of the files that count: ${names.join(', ')}`,
  );
}

/** By the person, not by the key: a second key of a producer approves no more than the first. */
function isProducer({ by, signer }: Claim, { policy, producers }: ApprovalQuestion): boolean {
  if (signer.method === 'key' && producers.has(signer.fingerprint)) return true;
  const person = policy.personOf.get(by);
  return [...policy.personOf].some(([identity, one]) => one === person && producers.has(identity));
}

function readApproval(claim: Claim): Read {
  // in-toto matches any subject: with two, it would approve the second one in every release.
  if (claim.subjects?.length !== 1) deny('MALFORMED_EVIDENCE', 'an approval has one subject, the MBOM');
  const body = claim.body.only(
    ...[
      'decision',
      'environment',
      'policy',
      'reviewed',
      'replaces',
      'approver',
      'timeCreated',
      'expires',
      'comment',
    ],
  );
  const decision = body.get('decision');
  if (decision.text() !== 'approved' && decision.text() !== 'rejected')
    decision.wrong('must be approved or rejected');
  const [created, expires] = [body.get('timeCreated'), body.get('expires')].map(
    (field) => field.time() ?? field.wrong('must be a time'),
  );
  if (expires! <= created! || expires! - created! > YEAR)
    body.get('expires').wrong('must be later, by 366 days at most');
  const replaces = body.get('replaces');
  return {
    decision: decision.text(),
    environment: body.get('environment').text(),
    policy: `sha256:${body.get('policy').get('digest').get('sha256').hex()}`,
    reviewed: new Set(
      body
        .get('reviewed')
        .list()
        .map((one) => `sha256:${one.get('digest').get('sha256').hex()}`),
    ),
    replaces: replaces.absent ? null : `sha256:${replaces.get('digest').get('sha256').hex()}`,
    created: created!,
    expires: expires!,
  };
}
