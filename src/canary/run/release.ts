// Which release answered, and how that is known: files that the engine of this process loaded and that were hashed here, a header
// that the target sends, or nothing.
import { createHash } from 'node:crypto';
import type { Mbom } from '../../proof/bom/mbom.ts';
import type { Claims } from '../target/target.ts';

export interface Release {
  /** SHA-256 of the MBOM's bytes. */
  readonly bom: string;
  readonly model: string;
  readonly adapter?: string | undefined;
}

export function releaseOf(document: Uint8Array, mbom: Mbom): Release {
  return {
    bom: `sha256:${createHash('sha256').update(document).digest('hex')}`,
    model: mbom.model.digest,
    ...(mbom.adapter === undefined ? {} : { adapter: mbom.adapter.digest }),
  };
}

/**
 * What headers say about the release: 'header' where they name it, 'other' where one of them names another release, 'none' where
 * they do not say.
 */
export function tieOf(claims: Claims, release: Release): 'header' | 'other' | 'none' {
  const pairs = [
    [claims.model, release.model],
    [claims.bom, release.bom],
    [claims.adapter, release.adapter],
  ].filter(([claimed]) => claimed !== undefined);
  if (pairs.some(([claimed, expected]) => claimed !== expected)) return 'other';
  return claims.model === undefined && claims.bom === undefined ? 'none' : 'header';
}
