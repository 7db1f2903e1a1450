// What excuses a vulnerability: a waiver in the gate policy itself, or a VEX statement that a listed identity signed. Scanners are not
// asked: whoever scans does not also excuse.
import type { Claim } from '../claim/proven-claim.ts';
import type { Exception, Vulnerability } from '../evidence/evidence.ts';
import { matches, readPurl } from '../evidence/purl.ts';
import { readCycloneDx } from '../evidence/sbom/cyclonedx.ts';
import { readCycloneDxVex, readOpenVex } from '../evidence/vex.ts';
import { milliseconds } from '../release-policy/release-policy.ts';
import { deny, settled } from '../verdict/denial.ts';
import {
  type CountedEvidence,
  type GateFinding,
  timeText,
  type UnusedEvidence,
  unusedOf,
} from '../verdict/verdict.ts';
import { type Context, evidenceOf, freshUntil } from './context.ts';

interface Excuse {
  readonly by: string;
  readonly reason: string;
  /** Milliseconds. */
  readonly expires: number;
  covers(vulnerability: Vulnerability): boolean;
  readonly evidence: CountedEvidence | null;
}

interface Excuses {
  find(vulnerability: Vulnerability): Excuse | undefined;
  /** VEX documents that count for nothing, and why. */
  readonly unused: readonly UnusedEvidence[];
}

export function excusesOf(context: Context): Excuses {
  const unused: UnusedEvidence[] = [];
  const { vex } = context.policy.json.exceptions;
  const candidates = context.opened.claims.filter(
    ({ kind, body }) => kind === 'openvex' || (kind === 'cyclonedx' && !body.get('vulnerabilities').absent),
  );
  const stated = candidates.flatMap((claim): Excuse[] => {
    const tried = settled(() => {
      if (vex === undefined || !vex.signedBy.includes(claim.by))
        return deny('EVIDENCE_UNTRUSTED', `${claim.by} is not listed to make exceptions`);
      return exceptionsIn(claim).flatMap((one) => excuseOf(one, claim, milliseconds(vex.maxAge), context));
    });
    if (tried.denials === undefined) return tried.value;
    // An SBOM with a list of vulnerabilities is an SBOM first.
    if (claim.kind === 'openvex')
      unused.push(unusedOf(claim.source, `${tried.denials[0].code}: ${tried.denials[0].message}`));
    return [];
  });
  const excuses = [...waivers(context), ...stated];
  return { find: (vulnerability) => excuses.find((one) => one.covers(vulnerability)), unused };
}

function exceptionsIn({ kind, body, subjects }: Claim): Exception[] {
  if (kind === 'openvex') return readOpenVex(body, subjects ?? []);
  return readCycloneDxVex(body, [...(subjects ?? []), ...readCycloneDx(body).names.digests]);
}

function excuseOf(exception: Exception, claim: Claim, maxAge: number, context: Context): Excuse[] {
  const { image, now } = context;
  const ours = image === null ? [] : [image.digest, ...image.platforms.map(({ manifest }) => manifest)];
  const excusing = exception.status === 'not_affected' || exception.status === 'fixed';
  if (!excusing || !exception.images.some((digest) => ours.includes(digest))) return [];
  const expires = freshUntil(exception.time, maxAge, now)!;
  const names = new Set(exception.vulnerability);
  const packages = exception.packages.map((text) => readPurl(text));
  return [
    {
      by: claim.by,
      reason: exception.reason,
      expires,
      evidence: evidenceOf({ claim, value: { time: exception.time } }),
      covers: ({ id, aliases, package: found }) => {
        if (![id, ...aliases].some((name) => names.has(name))) return false;
        if (packages.length === 0) return true;
        const purl = found === null ? null : readPurl(found);
        return purl !== null && packages.some((one) => one !== null && matches(one, purl));
      },
    },
  ];
}

/** A waiver holds through its last day, in UTC. */
export const DAY = 86_400_000;

function waivers({ policy, now }: Context): Excuse[] {
  return policy.json.exceptions.waivers.flatMap((waiver): Excuse[] => {
    const expires = Date.parse(`${waiver.expires}T00:00:00Z`) + DAY;
    if (now >= expires) return [];
    const wanted = waiver.package === undefined ? null : readPurl(waiver.package);
    return [
      {
        by: waiver.owner,
        reason: waiver.reason,
        expires,
        evidence: null,
        covers: ({ id, aliases, package: found }) => {
          if (![id, ...aliases].includes(waiver.id)) return false;
          if (waiver.package === undefined) return true;
          const purl = found === null ? null : readPurl(found);
          return wanted !== null && purl !== null && matches(wanted, purl);
        },
      },
    ];
  });
}

export const findingOf = (found: Vulnerability, excuse: Excuse | undefined): GateFinding => ({
  id: found.id,
  package: found.package,
  severity: found.severity,
  fixed: found.fixed,
  exception:
    excuse === undefined
      ? null
      : { by: excuse.by, reason: excuse.reason, expires: timeText(excuse.expires)! },
});
