// What targets are held against: releases whose MBOM a trusted signer signed. During a rollout there are two of them.
import { createHash } from 'node:crypto';
import type { Mbom } from '../../proof/bom/mbom.ts';
import { readMbom } from '../../proof/bom/mbom-document.ts';
import { type Outcome, proven } from '../../proof/sign/refusal.ts';
import type { Trust } from '../../proof/sign/trust.ts';
import { verifyDocument } from '../../proof/sign/verify.ts';

export interface Release {
  /** `sha256:…` over the MBOM's bytes. */
  readonly bomId: string;
  readonly modelSha: string;
  readonly mbom: Mbom;
}

/**
 * A release, only if its signature holds. @throws SteelyardError INVALID_MBOM: signed, and still no MBOM; USAGE: the trust.
 */
export function releaseOf(
  document: Uint8Array,
  bundle: Uint8Array,
  trust: Trust,
  now: Date,
): Outcome<{ readonly release: Release }> {
  const signed = verifyDocument(document, bundle, trust, { now });
  if (!signed.verified) return signed;
  return proven(() => {
    const mbom = readMbom(document);
    const bomId = `sha256:${createHash('sha256').update(document).digest('hex')}`;
    return { release: { bomId, modelSha: mbom.model.digest, mbom } };
  });
}

export interface Rollout {
  readonly current: Release;
  /** What may still be served, up to and including that day (UTC). */
  readonly previous?: { readonly release: Release; readonly until: string };
}

/** @param today `YYYY-MM-DD`, in UTC. */
export const allowedOn = ({ current, previous }: Rollout, today: string): readonly Release[] =>
  previous === undefined || today > previous.until ? [current] : [current, previous.release];
