// The release that manifests are held against: an MBOM's bytes, named by their SHA-256.
import { createHash } from 'node:crypto';
import { readMbom } from '../../proof/bom/mbom-document.ts';
import type { Release } from './audit/audit.ts';

/** @throws SteelyardError INVALID_MBOM, with line and column. */
export function releaseOf(mbom: Uint8Array): Release {
  const { model, runtimeImage } = readMbom(mbom);
  const id = `sha256:${createHash('sha256').update(mbom).digest('hex')}`;
  return { id, model: model.digest, image: runtimeImage ?? null };
}
