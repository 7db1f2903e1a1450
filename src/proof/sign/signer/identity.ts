// Keyless signatures: a short-lived certificate for an identity, and a transparency log that saw the signature in time.
// @sigstore/verify does it, offline, against a trusted root that the caller has.
import type * as Bundle from '@sigstore/bundle';
import type * as Specs from '@sigstore/protobuf-specs';
import type * as Sigstore from '@sigstore/verify';
import { SteelyardError } from '../../../rules/error.ts';
import { late } from '../../../runtime/loading.ts';
import { type RefusalCode, Refused, refuse } from '../refusal.ts';
import type { IdentityTrust, Signer } from '../trust.ts';

// Loaded when an identity is to be verified: a key needs none of it, and it takes as long to load as all that a key needs.
const bundles = (): typeof Bundle => late('@sigstore/bundle');
const specs = (): typeof Specs => late('@sigstore/protobuf-specs');
const sigstore = (): typeof Sigstore => late('@sigstore/verify');

interface Certified {
  readonly identity: string | undefined;
  readonly issuer: string | undefined;
}

/** Checks signature, certificate, log entry and identity; `document`: the bytes that a message signature is over. */
export function identify(json: unknown, trust: IdentityTrust, document?: Buffer): Signer {
  const actual = certified(json, readTrustedRoot(trust), document);
  for (const field of ['identity', 'issuer'] as const) {
    if (actual[field] === trust[field]) continue;
    refuse('WRONG_IDENTITY', `signed by another ${field}`, {
      expected: trust[field],
      actual: actual[field] ?? '',
    });
  }
  return { method: 'identity', identity: trust.identity, issuer: trust.issuer };
}

/** Whose certificate it is, once all but the identity has been checked. Refuses. */
export function certified(json: unknown, root: Sigstore.TrustMaterial, document?: Buffer): Certified {
  const { toSignedEntity, Verifier } = sigstore();
  const verifier = new Verifier(root);
  const entity = attempt('MALFORMED_BUNDLE', () => {
    const bundle = bundles().bundleFromJSON(json);
    if (bundle.verificationMaterial.tlogEntries.length === 0) {
      refuse('DOWNGRADED', 'the bundle has no entry of a transparency log: nobody saw when it was signed');
    }
    return toSignedEntity(bundle, document);
  });
  // Not its policy: there, the identity is an unanchored regular expression, in which dots match anything.
  return attempt('BAD_SIGNATURE', () => {
    const { identity } = verifier.verify(entity);
    return { identity: identity!.subjectAlternativeName, issuer: identity!.extensions!.issuer };
  });
}

/** @throws SteelyardError USAGE */
export function readTrustedRoot({ trustedRoot, identity, issuer }: IdentityTrust): Sigstore.TrustMaterial {
  if (identity === '' || issuer === '') {
    throw new SteelyardError(
      'USAGE',
      'identity and issuer must both be given: the root alone lets everybody sign',
    );
  }
  return trustMaterial(trustedRoot);
}

/** @throws SteelyardError USAGE */
export function trustMaterial(trustedRoot: string | Buffer): Sigstore.TrustMaterial {
  try {
    const root = specs().TrustedRoot.fromJSON(JSON.parse(trustedRoot.toString()));
    // The reader takes any JSON, and makes an empty root of what it does not know.
    if (root.certificateAuthorities.length > 0) return sigstore().toTrustMaterial(root);
  } catch {
    // Said below.
  }
  throw new SteelyardError(
    'USAGE',
    'the trusted root cannot be read: a Sigstore trusted_root.json is needed',
  );
}

const CODES = new Map<string, RefusalCode>([
  ['CERTIFICATE_ERROR', 'UNTRUSTED_CERTIFICATE'],
  ['TIMESTAMP_ERROR', 'UNTRUSTED_CERTIFICATE'],
]);

/** The library throws errors of many kinds at hostile input (type errors, ASN.1 errors): each is a refusal. */
function attempt<T>(otherwise: RefusalCode, action: () => T): T {
  try {
    return action();
  } catch (error) {
    if (error instanceof Refused) throw error;
    const { code, message } = error as Error & { readonly code?: unknown };
    return refuse(
      CODES.get(String(code)) ?? otherwise,
      `the keyless signature does not verify: ${message.slice(0, 300)}`,
    );
  }
}
