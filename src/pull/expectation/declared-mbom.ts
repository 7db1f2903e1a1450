// An MBOM as what a pull is held against. It is read only after its signature verified: what a stranger wrote declares nothing.
import { readMbom } from '../../proof/bom/mbom-document.ts';
import type { Trust } from '../../proof/sign/trust.ts';
import { verifyDocument } from '../../proof/sign/verify.ts';
import { SteelyardError } from '../../rules/error.ts';
import type { Declaration } from './expectation.ts';

export interface SignedMbom {
  readonly document: Uint8Array;
  readonly bundle: Uint8Array;
  readonly trust: Trust;
}

interface DeclaredFiles extends Declaration {
  readonly files: readonly { readonly path: string; readonly size: number }[];
}

/** Throws SOURCE_NOT_ALLOWED if nobody who is trusted signed it; INVALID_MBOM. */
export function declaredBy({ document, bundle, trust }: SignedMbom): DeclaredFiles {
  const outcome = verifyDocument(document, bundle, trust);
  if (!outcome.verified) {
    const [{ code, message }] = outcome.refusals;
    throw new SteelyardError('SOURCE_NOT_ALLOWED', `the MBOM is not proven (${code}): ${message}`);
  }
  const { files } = readMbom(document);
  const digests = files.map(({ path, sha256 }) => [path, { algorithm: 'sha256', value: sha256 }] as const);
  return { by: 'mbom', digests: new Map(digests), files };
}
