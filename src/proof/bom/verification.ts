// Are these files the model that the MBOM describes, and did a trusted signer sign the MBOM?
import { compareFiles } from '../sign/files/comparison.ts';
import { DEFAULT_IGNORED } from '../sign/files/exclusion.ts';
import type { DeclarableTensor } from '../sign/files/model-digest.ts';
import { type Outcome, proven, refuse } from '../sign/refusal.ts';
import { documentSigner, openBundle } from '../sign/signer/signature.ts';
import type { SignableFile } from '../sign/statement/manifest.ts';
import type { Signer, Trust } from '../sign/trust.ts';
import type { VerifyOptions } from '../sign/verify.ts';
import type { Mbom } from './mbom.ts';
import { openMbom } from './mbom-document.ts';
import { tensorsDigest } from './tensors-digest.ts';

export interface MbomVerifyOptions extends VerifyOptions {
  /** A signature over the MBOM's exact bytes, and who must have made it. */
  readonly signature?: { readonly bundle: Uint8Array; readonly trust: Trust };
  /** The model's tensors, to be held against the digest over all of them, if the MBOM has one. */
  readonly tensors?: readonly DeclarableTensor[];
}

export interface MbomProof {
  /** null: no signature was asked for. The files are those of the MBOM, and anybody may have written the MBOM. */
  readonly signer: Signer | null;
  readonly mbom: Mbom;
  /** `sha256:…` */
  readonly rootDigest: string;
  readonly fileCount: number;
  /** Files that are there and that an MBOM does not list: Git's and evidence. None that a loader would load or run. */
  readonly unsigned: readonly string[];
}

/**
 * Verifies the files of a model against an MBOM: missing, extra, changed and renamed files are refused, all of them are listed.
 * The signature is checked first: of an MBOM that a stranger wrote nothing is read.
 *
 * @param document the exact bytes of the MBOM.
 * @throws SteelyardError USAGE: the trust itself cannot be read.
 */
export function verifyMbom(
  document: Uint8Array,
  files: readonly SignableFile[],
  { signature, tensors, ignore = [], now = new Date() }: MbomVerifyOptions = {},
): Outcome<MbomProof> {
  return proven(() => {
    const signer =
      signature === undefined
        ? null
        : documentSigner(document, openBundle(signature.bundle, signature.trust), signature.trust, now);
    const mbom = openMbom(document);
    const declared = mbom.files.map(({ path, sha256, size }) => ({ name: path, sha256, size }));
    const unsigned = compareFiles(declared, files, { signer: DEFAULT_IGNORED, verifier: ignore });
    if (tensors !== undefined) compareTensors(mbom, tensors);
    return { signer, mbom, rootDigest: mbom.model.digest, fileCount: declared.length, unsigned };
  });
}

// Comes last: where files differ, their names say more. Where none does, the MBOM was wrong when it was written.
function compareTensors({ tensors: declared }: Mbom, tensors: readonly DeclarableTensor[]): void {
  if (declared === undefined) return;
  const actual = tensorsDigest(tensors);
  if (actual.digest === declared.digest && actual.count === declared.count) return;
  refuse('DIGEST_MISMATCH', 'the tensors are not those that were declared', {
    expected: `${declared.digest} over ${declared.count}`,
    actual: `${actual.digest} over ${actual.count}`,
  });
}
