// What cosign wrote before it wrote Sigstore bundles: its own JSON (--bundle before version 3), or the bare signature.
import { X509Certificate } from 'node:crypto';
import { anything, object, optional, text } from '../../../document/check.ts';
import { accepted, type LegacyBundleJson, legacyBundleSchema } from '../bundle/bundle-schema.ts';
import { readBase64, readJson } from '../bundle/encoding.ts';
import type { Bundle } from '../bundle/material.ts';
import { refuse } from '../refusal.ts';

/** null: not of that kind. */
export function readLegacyBundle(bytes: Uint8Array): Bundle | null {
  if (bytes.length > MAX) return null; // nothing of this kind is long
  const text = Buffer.from(bytes).toString('latin1');
  if (/^[A-Za-z0-9+/]+={0,2}\n?$/.test(text)) {
    return ofKey(readBase64(text.trimEnd(), 'signature'), null);
  }
  if (!text.includes('"base64Signature"')) return null;
  const json = readJson(bytes, 'bundle');
  const { base64Signature, cert } = accepted(isLegacyBundle, legacyBundleSchema, json, 'bundle');
  if (base64Signature === '') return refuse('UNSIGNED', 'the bundle holds no signature');
  return ofKey(readBase64(base64Signature, 'signature'), cert === undefined ? null : keyOf(cert));
}

const MAX = 1_048_576;

/** As `legacyBundleSchema` says it. */
export const isLegacyBundle = object<LegacyBundleJson>({
  base64Signature: text,
  cert: optional(text),
  rekorBundle: anything,
});

const ofKey = (signature: Buffer, raw: Buffer | null): Bundle => ({
  content: { kind: 'message', digest: null, signature },
  material: { method: 'key', hint: null, raw },
  json: null,
});

// `cert` is the PEM of a public key or of a certificate, in base64 once more.
function keyOf(cert: string): Buffer {
  const pem = cert.startsWith('-----BEGIN') ? Buffer.from(cert) : readBase64(cert, 'certificate');
  if (!pem.toString('latin1').includes('BEGIN CERTIFICATE')) return pem;
  try {
    new X509Certificate(pem);
  } catch {
    refuse('MALFORMED_BUNDLE', 'the certificate in the bundle cannot be read');
  }
  return refuse(
    'UNSUPPORTED_BUNDLE',
    "cosign's old bundles with a certificate are not verified; sign again with cosign 3",
  );
}
