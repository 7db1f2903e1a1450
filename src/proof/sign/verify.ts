// Are these files the model that a trusted signer signed? Fails closed: what was proven is built on the one path where
// nothing was refused.
import { compareFiles } from './files/comparison.ts';
import { type Outcome, proven } from './refusal.ts';
import { documentSigner, openBundle, openStatement } from './signer/signature.ts';
import type { SignableFile } from './statement/manifest.ts';
import { readModelStatement, SINGLE } from './statement/model-statement.ts';
import type { Signer, Trust } from './trust.ts';

export interface VerifyOptions {
  /**
   * Paths that are no part of the model, relative to its root: the signature file, if it lies there. No globs; the caller
   * answers for what they hold.
   */
  readonly ignore?: readonly string[];
  /** The time that certificates must be valid at; default: now. */
  readonly now?: Date;
}

/** What a verified model signature proves. */
export interface ModelProof {
  readonly signer: Signer;
  /** As the signer called the model; nothing depends on it. */
  readonly name: string;
  /** `sha256:…` over the files' digests: names the model in other documents. */
  readonly rootDigest: string;
  /** Files that were signed and are there unchanged. */
  readonly fileCount: number;
  /** Files that are there and that the signature does not speak of: none that a loader would load or run. */
  readonly unsigned: readonly string[];
}

/**
 * Verifies a Model Signing bundle (OpenSSF Model Signing v1.0, model-signing 0.2 to 1.1) against files that a scan or
 * `digestModel` has read. Nothing is read from disk and nothing is asked of the network.
 *
 * @param files of the whole model: what is not among them cannot be found to be extra.
 * @param bundle the bytes of the signature file.
 * @param trust who must have signed; nothing in the bundle can add to it.
 * @returns never a rejection by exception: `verified: false` lists every refusal, the gravest first.
 * @throws SteelyardError USAGE: the trust itself cannot be read (no public key, no root certificate).
 */
export function verify(
  files: readonly SignableFile[],
  bundle: Uint8Array,
  trust: Trust,
  { ignore = [], now = new Date() }: VerifyOptions = {},
): Outcome<ModelProof> {
  return proven(() => {
    const { statement, signer } = openStatement(openBundle(bundle, trust), trust, now);
    const signed = readModelStatement(statement);
    // A model of one file may be signed without a name: it is then the only file there may be.
    const [only, ...more] = files;
    const single = signed.resources[0]!.name === SINGLE && only !== undefined && more.length === 0;
    const named = single ? [{ ...signed.resources[0]!, name: only.path }] : signed.resources;
    const unsigned = compareFiles(named, files, { signer: signed.ignored, verifier: ignore });
    return {
      signer,
      name: signed.name,
      rootDigest: `sha256:${signed.root}`,
      fileCount: named.length,
      unsigned,
    };
  });
}

/**
 * Verifies a signature over the exact bytes of one document, such as an MBOM, by Steelyard or `cosign sign-blob`.
 *
 * @throws SteelyardError USAGE: the trust itself cannot be read.
 */
export function verifyDocument(
  document: Uint8Array,
  bundle: Uint8Array,
  trust: Trust,
  { now = new Date() }: Pick<VerifyOptions, 'now'> = {},
): Outcome<{ readonly signer: Signer }> {
  return proven(() => ({ signer: documentSigner(document, openBundle(bundle, trust), trust, now) }));
}
