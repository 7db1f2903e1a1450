// Is this bundle signed by whom the caller trusts? Everything else in src/proof/sign reads what was signed only after this.
import { createHash, type KeyObject } from 'node:crypto';
import { readBundle } from '../bundle/bundle.ts';
import { encode, encodeLegacy, IN_TOTO } from '../bundle/envelope.ts';
import type { Bundle, Content, Material } from '../bundle/material.ts';
import { refuse } from '../refusal.ts';
import { LEGACY_PREDICATE } from '../statement/model-statement.ts';
import { readStatement, type Statement } from '../statement/statement.ts';
import type { KeyTrust, Signer, Trust } from '../trust.ts';
import { certify, rootCertificates } from './certificate.ts';
import { identify, readTrustedRoot } from './identity.ts';
import { cosignHint, fingerprint, hashOf, isSignature, modelHint, readPublicKey, spelling } from './key.ts';

/** What was signed, and by whom. */
interface Signed {
  readonly statement: Statement;
  readonly signer: Signer;
}

/**
 * The bundle, once the trust is known to be usable: a verifier that was set up wrongly says so, whatever it is given.
 *
 * @throws SteelyardError USAGE
 */
export function openBundle(bytes: Uint8Array, trust: Trust): Bundle {
  if (trust.method === 'key') readPublicKey(trust.publicKey);
  else if (trust.method === 'certificate') rootCertificates(trust);
  else readTrustedRoot(trust);
  return readBundle(bytes);
}

/** The statement in a bundle, after its signature was found to be of the trusted signer. Refuses else. */
export function openStatement(bundle: Bundle, trust: Trust, now: Date): Signed {
  const { content } = bundle;
  if (content.kind !== 'envelope') {
    return refuse(
      'UNSUPPORTED_BUNDLE',
      'the bundle signs the bytes of one document, not a statement about a model',
    );
  }
  const { signer, legacy } = checkEnvelope(bundle, content, trust, now);
  if (content.payloadType !== IN_TOTO) {
    refuse('UNSUPPORTED_BUNDLE', 'the envelope holds something else than an in-toto statement', {
      expected: IN_TOTO,
      actual: content.payloadType,
    });
  }
  const statement = readStatement(content.payload);
  // The old encoding does not bind the payload's type; it is taken only for statements of the version that made it.
  if (legacy !== (statement.predicateType === LEGACY_PREDICATE)) {
    refuse('DOWNGRADED', 'the signature is in the encoding of another version than the statement');
  }
  return { statement, signer };
}

/** Who signed these very bytes. Refuses. */
export function documentSigner(document: Uint8Array, bundle: Bundle, trust: Trust, now: Date): Signer {
  const { content } = bundle;
  if (content.kind !== 'message') {
    return refuse('UNSUPPORTED_BUNDLE', 'the bundle signs a statement, not the bytes of a document');
  }
  const bytes = Buffer.from(document.buffer, document.byteOffset, document.length);
  const signer = checkMessage(bundle, content, bytes, trust, now);
  // Not signed, and so nothing depends on it; but a reader who trusts it must not be told another digest.
  const { digest } = content;
  if (digest !== null && createHash(digest.hash).update(bytes).digest('hex') !== digest.hex) {
    refuse('BAD_SIGNATURE', 'the digest in the bundle is not that of the document');
  }
  return signer;
}

function checkMessage(
  { json, material }: Bundle,
  { signature }: Content & { kind: 'message' },
  document: Buffer,
  trust: Trust,
  now: Date,
): Signer {
  sameMethod(material, trust);
  if (trust.method === 'identity') return identify(json, trust, document);
  const { key, signer } = signerOf(material, trust, now);
  if (!isSignature(key, hashOf(key)!, document, signature)) badSignature(material);
  return signer;
}

function checkEnvelope(
  { json, material }: Bundle,
  { payloadType, payload, signature }: Content & { kind: 'envelope' },
  trust: Trust,
  now: Date,
): { readonly signer: Signer; readonly legacy: boolean } {
  sameMethod(material, trust);
  if (trust.method === 'identity') return { signer: identify(json, trust), legacy: false };
  const { key, signer } = signerOf(material, trust, now);
  const encoded = encode(payloadType, payload);
  if (isSignature(key, hashOf(key)!, encoded, signature)) return { signer, legacy: false };
  // Version 0.2.0 took SHA-256 whatever the key.
  if (mayBeLegacy(payload) && isSignature(key, 'sha256', encodeLegacy(payloadType, payload), signature))
    return { signer, legacy: true };
  if (isSignature(key, 'sha256', encoded, signature)) {
    refuse('DOWNGRADED', 'the signature is over SHA-256, weaker than the key: sign again');
  }
  return badSignature(material);
}

/** Statements of that version are small: who signs nothing must not make us encode a hundred megabytes. */
const mayBeLegacy = (payload: Uint8Array): boolean => payload.length <= LEGACY_MAX;

const LEGACY_MAX = 32 * 2 ** 20;

function sameMethod(material: Material, trust: Trust): void {
  if (material.method === trust.method) return;
  refuse('WRONG_METHOD', 'the bundle is signed in another way than the one that is trusted', {
    expected: trust.method,
    actual: material.method,
  });
}

function signerOf(
  material: Material,
  trust: Exclude<Trust, { method: 'identity' }>,
  now: Date,
): { readonly key: KeyObject; readonly signer: Signer } {
  if (trust.method === 'certificate') {
    const { certificates } = material as Material & { method: 'certificate' };
    const certified = certify(certificates, trust, now);
    if (hashOf(certified.key) !== undefined) return certified;
    return refuse(
      'UNSUPPORTED_BUNDLE',
      "the certificate's key is not on one of the curves P-256, P-384 and P-521",
    );
  }
  return trustedKey(material, trust);
}

// The hint is not signed. A right one proves nothing; a wrong one says what went wrong better than a bad signature does.
function trustedKey(material: Material, trust: KeyTrust) {
  const key = readPublicKey(trust.publicKey);
  const { hint, raw } = material as Material & { method: 'key' };
  const { der, pem } = spelling(key);
  const names = [modelHint(key), cosignHint(key), fingerprint(key).slice('sha256:'.length)];
  const spelled = [der, Buffer.from(pem)];
  if ((hint !== null && !names.includes(hint)) || (raw !== null && !spelled.some((one) => one.equals(raw)))) {
    refuse('WRONG_KEY', 'the bundle was signed with another key than the one that is trusted', {
      expected: names[0]!,
      ...(hint === null ? {} : { actual: hint }),
    });
  }
  return { key, signer: { method: 'key', fingerprint: fingerprint(key) } as const };
}

function badSignature(material: Material): never {
  const known = material.method !== 'key' || material.hint !== null || material.raw !== null;
  const other = known ? '' : ', or with another key';
  return refuse('BAD_SIGNATURE', `the signature does not match: something was changed after signing${other}`);
}
