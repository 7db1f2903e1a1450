// The Sigstore bundle, version 0.3 (protobuf-specs, sigstore_bundle.proto): what was signed, the signature, and how to find
// the key. Read strictly: an unknown field is not signed, and may mean something to another reader.
import { anything, list, nullable, object, oneOf, optional, text } from '../../../document/check.ts';
import { refuse } from '../refusal.ts';
import { readLegacyBundle } from '../signer/cosign.ts';
import type { Hash } from '../signer/key.ts';
import { accepted, type BundleJson, bundleSchema } from './bundle-schema.ts';
import { readBase64, readJson } from './encoding.ts';
import type { Bundle, Content, Material } from './material.ts';

export const MEDIA_TYPE = 'application/vnd.dev.sigstore.bundle.v0.3+json';

const certificate = object({ rawBytes: text });

/** As `bundleSchema` says it. */
export const isBundle = object<BundleJson>({
  mediaType: text,
  verificationMaterial: object<BundleJson['verificationMaterial']>({
    publicKey: optional(
      object({ hint: optional(text), rawBytes: optional(text), keyDetails: optional(text) }),
    ),
    x509CertificateChain: optional(object({ certificates: list(certificate, 1, 16) })),
    certificate: optional(certificate),
    tlogEntries: optional(list(anything)),
    timestampVerificationData: anything,
  }),
  dsseEnvelope: optional(
    object<NonNullable<BundleJson['dsseEnvelope']>>({
      payload: text,
      payloadType: text,
      signatures: list(object({ sig: text, keyid: optional(nullable(text)) })),
    }),
  ),
  messageSignature: optional(
    object<NonNullable<BundleJson['messageSignature']>>({
      messageDigest: optional(object({ algorithm: oneOf('SHA2_256', 'SHA2_384', 'SHA2_512'), digest: text })),
      signature: text,
    }),
  ),
});

/** Everything in it is a claim until a signature over it was checked. Refuses; never throws anything else. */
export function readBundle(bytes: Uint8Array): Bundle {
  if (!bytes.some((byte) => byte > 0x20)) refuse('UNSIGNED', 'the signature file is empty');
  const legacy = readLegacyBundle(bytes);
  if (legacy !== null) return legacy;
  const json = readJson(bytes, 'bundle');
  const mediaType = (json as { mediaType?: unknown } | null)?.mediaType;
  if (typeof mediaType === 'string' && mediaType !== MEDIA_TYPE) {
    refuse('UNSUPPORTED_BUNDLE', 'the bundle is of another version', {
      expected: MEDIA_TYPE,
      actual: mediaType,
    });
  }
  const bundle = accepted(isBundle, bundleSchema, json, 'bundle');
  return { content: contentOf(bundle), material: materialOf(bundle), json };
}

function contentOf({ dsseEnvelope, messageSignature }: BundleJson): Content {
  if (dsseEnvelope !== undefined && messageSignature !== undefined) {
    refuse('MALFORMED_BUNDLE', 'the bundle holds two things that could be what was signed');
  }
  if (messageSignature !== undefined) {
    const { signature, messageDigest } = messageSignature;
    if (signature === '') refuse('UNSIGNED', 'the bundle holds no signature');
    const digest =
      messageDigest === undefined
        ? null
        : {
            hash: messageDigest.algorithm.replace('SHA2_', 'sha') as Hash,
            hex: readBase64(messageDigest.digest, 'digest').toString('hex'),
          };
    return { kind: 'message', digest, signature: readBase64(signature, 'signature') };
  }
  if (dsseEnvelope === undefined) return refuse('UNSIGNED', 'the bundle holds no signature');
  const [signature, ...more] = dsseEnvelope.signatures;
  if (signature === undefined || signature.sig === '')
    return refuse('UNSIGNED', 'the envelope holds no signature');
  // A bundle has one signer: which of two would be the one that was checked?
  if (more.length > 0) refuse('MALFORMED_BUNDLE', 'the envelope holds more than one signature');
  return {
    kind: 'envelope',
    payloadType: dsseEnvelope.payloadType,
    payload: readBase64(dsseEnvelope.payload, 'payload'),
    signature: readBase64(signature.sig, 'signature'),
  };
}

function materialOf({ verificationMaterial }: BundleJson): Material {
  const { publicKey, x509CertificateChain: chain, certificate } = verificationMaterial;
  if ([publicKey, chain, certificate].filter((one) => one !== undefined).length !== 1) {
    refuse('MALFORMED_BUNDLE', 'the bundle must name one key, certificate or chain of certificates');
  }
  if (publicKey !== undefined) {
    const { hint, rawBytes } = publicKey;
    const raw = rawBytes === undefined ? null : readBase64(rawBytes, 'public key');
    return { method: 'key', hint: hint === undefined || hint === '' ? null : hint, raw };
  }
  if (chain === undefined) return { method: 'identity' };
  return {
    method: 'certificate',
    certificates: chain.certificates.map(({ rawBytes }) => readBase64(rawBytes, 'certificate')),
  };
}

/** `material`: `{publicKey}` or `{x509CertificateChain}`; `content`: `{dsseEnvelope}` or `{messageSignature}`. */
export function writeBundle(material: object, content: object): string {
  // By hand: @sigstore/bundle leaves an empty tlogEntries out, which model-signing 1.0 asks for.
  return `${JSON.stringify({
    mediaType: MEDIA_TYPE,
    verificationMaterial: { ...material, tlogEntries: [] },
    ...content,
  })}\n`;
}
