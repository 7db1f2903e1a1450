// Signing a model again after a part of it changed: the digests of the other files are those that were signed before.

import { type Outcome, proven, refuse } from '../refusal.ts';
import { openBundle, openStatement } from '../signer/signature.ts';
import { readModelStatement, SINGLE } from '../statement/model-statement.ts';
import type { Signer, Trust } from '../trust.ts';
import { exclusion } from './exclusion.ts';

export interface ReusableDigests {
  /** Who vouches for them. */
  readonly signer: Signer;
  /** `sha256:…` by path, for `ContentOptions.known`. */
  readonly digests: ReadonlyMap<string, string>;
}

/**
 * The digests in an old signature of the model, once the signature is verified. Whoever signs them again without reading the
 * files vouches for what that signer saw then: a file that was changed since fails verification later, not now.
 *
 * @param changed paths, relative to the model's root, of files and folders that are to be read again. No globs.
 * @throws SteelyardError USAGE: the trust itself cannot be read.
 */
export function reusableDigests(
  bundle: Uint8Array,
  trust: Trust,
  changed: readonly string[],
  { now = new Date() }: { readonly now?: Date } = {},
): Outcome<ReusableDigests> {
  return proven(() => {
    const { statement, signer } = openStatement(openBundle(bundle, trust), trust, now);
    const { resources } = readModelStatement(statement);
    if (resources[0]!.name === SINGLE) {
      refuse('UNSUPPORTED_BUNDLE', 'a signature of a single file has no other files to take digests from');
    }
    const isChanged = exclusion(changed);
    const kept = resources.filter(({ name }) => !isChanged(name));
    return { signer, digests: new Map(kept.map(({ name, sha256 }) => [name, `sha256:${sha256}`])) };
  });
}
