// What every control looks at: the release as far as it is proven, the evidence as far as its signatures held, the time.
import type { Mbom } from '../../proof/bom/mbom.ts';
import type { Opened, Unopened } from '../claim/opened.ts';
import { type EvidenceFile, type Piece, place } from '../claim/piece.ts';
import type { Claim, Kind } from '../claim/proven-claim.ts';
import { kindOfDocument, kindOfPredicate } from '../claim/proven-claim.ts';
import type { ImageFacts } from '../image/image.ts';
import type { GatePolicy } from '../release-policy/release-policy.ts';
import { type Denial, deny, type GateCode, settled } from '../verdict/denial.ts';
import {
  type CountedEvidence,
  type GateFinding,
  timeText,
  type UnusedEvidence,
  unusedOf,
} from '../verdict/verdict.ts';

export interface Context {
  readonly policy: GatePolicy;
  /** Milliseconds. */
  readonly now: number;
  /** The release that runs now: null, none; undefined, not known here. */
  readonly current: string | null | undefined;
  readonly release: string;
  readonly mbom: Mbom;
  readonly image: ImageFacts | null;
  readonly opened: Opened;
  readonly pieces: readonly Piece[];
  readonly files: readonly EvidenceFile[];
}

/** What a control decided. It passes if `denials` is empty. */
export interface ControlResult {
  readonly evidence: readonly CountedEvidence[];
  readonly findings?: readonly GateFinding[];
  readonly notes?: readonly string[];
  readonly denials: readonly Denial[];
  readonly unused: readonly UnusedEvidence[];
  /** Times at which something that counts stops to count, in milliseconds. */
  readonly limits: readonly number[];
  /** `sha256:…` of keys that made the release or speak for it: their holders do not approve it. */
  readonly producers?: readonly string[];
}

/** What a reader must say of a piece of evidence, so that it can count. */
interface Dated {
  readonly time: number | null;
  readonly database?: number | null;
}

export interface Counted<T> {
  readonly claim: Claim;
  readonly value: T;
}

interface Collected<T> {
  readonly counted: readonly Counted<T>[];
  readonly denials: readonly Denial[];
  readonly unused: readonly UnusedEvidence[];
  readonly limits: readonly number[];
}

interface Demand<T> {
  readonly signedBy: readonly string[];
  readonly count: number;
  /** Milliseconds; null: it does not age. */
  readonly maxAge: number | null;
  readonly wants: (claim: Claim) => boolean;
  /** The kinds that are wanted, for evidence that cannot be opened. */
  readonly kinds: readonly Kind[];
  readonly read: (claim: Claim) => T;
  /** Two that have this in common count as one. */
  readonly same: (counted: Counted<T>) => string;
}

/** Clocks of two machines differ by this much at most. */
const SKEW = 5 * 60_000;

/** Reasons for which a piece of evidence is about something else, and decides nothing where enough others count. */
const ASIDE = new Set<GateCode>([
  'EVIDENCE_UNTRUSTED',
  'EVIDENCE_FOR_OTHER',
  'EVIDENCE_UNBOUND',
  'EVIDENCE_STALE',
  'EVIDENCE_UNDATED',
  'EVIDENCE_FROM_FUTURE',
  'ROOT_MISMATCH',
  'WRONG_BUILDER',
]);

/**
 * Union, not choice: every piece that is trusted, bound and fresh counts, and a newer one does not hide an older one. What a listed
 * identity signed and nobody can read refuses: it may be the report that says no.
 */
export function collect<T extends Dated>(context: Context, demand: Demand<T>): Collected<T> {
  const counted: Counted<T>[] = [];
  const hard: Denial[] = [];
  const aside: Denial[] = [];
  const unused: UnusedEvidence[] = [];
  const limits: number[] = [];
  const put = (denial: Denial, source: Claim['source']): void => {
    (ASIDE.has(denial.code) ? aside : hard).push({ ...denial, file: place(source) });
    if (ASIDE.has(denial.code)) unused.push(unusedOf(source, `${denial.code}: ${denial.message}`));
  };
  for (const claim of context.opened.claims.filter(demand.wants)) {
    const tried = settled(() => {
      if (!demand.signedBy.includes(claim.by))
        deny('EVIDENCE_UNTRUSTED', `${claim.by} is not listed for this control`);
      const value = demand.read(claim);
      return { value, limit: freshUntil(value.time, demand.maxAge, context.now) };
    });
    if (tried.denials !== undefined) for (const denial of tried.denials) put(denial, claim.source);
    else {
      counted.push({ claim, value: tried.value.value });
      if (tried.value.limit !== null) limits.push(tried.value.limit);
    }
  }
  for (const one of context.opened.unopened.filter((it) => looksLike(it, demand.kinds)))
    for (const denial of one.denials) put(untrusted(denial), one.piece.source);
  const different = new Set(counted.map(demand.same)).size;
  const short = different < demand.count;
  const shortage = short && (different > 0 || (aside.length === 0 && hard.length === 0));
  const message = `${different} of ${demand.count} pieces of evidence that count`;
  return {
    counted,
    denials: [
      ...hard,
      ...(short ? aside : []),
      ...(shortage ? [{ code: 'NO_EVIDENCE', message } as const] : []),
    ],
    unused: short ? [] : unused,
    limits,
  };
}

/** Nobody signed it, or a stranger did: the same to a control. A signature that does not match says more. */
function untrusted(denial: Denial): Denial {
  if (denial.code === 'UNSIGNED')
    return { ...denial, code: 'EVIDENCE_UNTRUSTED', message: 'nobody signed it' };
  if (denial.code === 'BAD_SIGNATURE') return { ...denial, code: 'EVIDENCE_UNTRUSTED' };
  return { ...denial, code: 'EVIDENCE_UNTRUSTED', message: 'no identity of the policy signed it' };
}

function looksLike({ piece }: Unopened, kinds: readonly Kind[]): boolean {
  const kind = piece.form === 'statement' ? kindOfPredicate(piece.claims) : kindOfDocument(piece.document);
  return kinds.includes(kind);
}

/** When it gets too old; refuses what is, and what has no time. */
export function freshUntil(time: number | null, maxAge: number | null, now: number): number | null {
  if (maxAge === null) return null;
  if (time === null) return deny('EVIDENCE_UNDATED', 'it does not say when it was made');
  if (time > now + SKEW)
    deny('EVIDENCE_FROM_FUTURE', 'its time is later than now', { actual: timeText(time)! });
  if (now - time > maxAge)
    deny('EVIDENCE_STALE', `it is older than ${maxAge / 3_600_000} hours`, { actual: timeText(time)! });
  return time + maxAge;
}

export const evidenceOf = <T extends Dated>({ claim, value }: Counted<T>): CountedEvidence => ({
  file: claim.source.file,
  line: claim.source.line,
  digest: claim.source.digest,
  kind: claim.kind,
  by: claim.by,
  signer: claim.signer,
  time: timeText(value.time),
  database: timeText(value.database ?? null),
});

/** The statement must name this digest among its subjects. */
export function boundTo(claim: Claim, digest: string): void {
  const { subjects } = claim;
  if (subjects?.includes(digest)) return;
  if (subjects === null) deny('EVIDENCE_UNBOUND', 'it is a plain document, and names no release');
  deny('EVIDENCE_FOR_OTHER', 'it is about something else', {
    expected: digest,
    actual: subjects![0]!,
  });
}
