// Are these files the model that the MBOM describes, and did a trusted signer sign the MBOM?
import { compareFiles } from '../sign/comparison.ts';
import { DEFAULT_IGNORED } from '../sign/exclusion.ts';
import type { SignableFile } from '../sign/manifest.ts';
import { type Outcome, proven } from '../sign/refusal.ts';
import { openBundle } from '../sign/signature.ts';
import type { Signer, Trust } from '../sign/trust.ts';
import { documentSigner, type VerifyOptions } from '../sign/verify.ts';
import { openMbom } from './document.ts';
import type { Mbom } from './mbom.ts';

export interface MbomVerifyOptions extends VerifyOptions {
  /** A signature over the MBOM's exact bytes, and who must have made it. */
  readonly signature?: { readonly bundle: Uint8Array; readonly trust: Trust };
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
  { signature, ignore = [], now = new Date() }: MbomVerifyOptions = {},
): Outcome<MbomProof> {
  return proven(() => {
    const signer =
      signature === undefined
        ? null
        : documentSigner(document, openBundle(signature.bundle, signature.trust), signature.trust, now);
    const mbom = openMbom(document);
    const declared = mbom.files.map(({ path, sha256, size }) => ({ name: path, sha256, size }));
    const unsigned = compareFiles(declared, files, { signer: DEFAULT_IGNORED, verifier: ignore });
    return { signer, mbom, rootDigest: mbom.model.digest, fileCount: declared.length, unsigned };
  });
}
