// Keys as layouts hold them: ed25519, ECDSA and RSA-PSS. in-toto's functionaries sign with more kinds of key than models are signed with;
// these are taken for layouts and links alone. PGP is not: its expiry and revocation are not in the key (GHSA-jjgp-whrp-gq8m).
import { constants, createHash, createPublicKey, type KeyObject, verify } from 'node:crypto';
import type { Foreign } from '../claim/foreign.ts';
import { deny } from '../verdict/denial.ts';
import { canonicalJson } from './canonical-json.ts';

export interface Functionary {
  readonly key: KeyObject;
  readonly scheme: Scheme;
  /** `sha256:…` over the key's DER: key ids are names, and one key can have two. */
  readonly fingerprint: string;
}

interface Scheme {
  readonly hash: string | null;
  readonly pss: boolean;
}

const SCHEMES = new Map<string, { readonly type: string; readonly curve?: string } & Scheme>([
  ['ed25519', { type: 'ed25519', hash: null, pss: false }],
  ['ecdsa-sha2-nistp256', { type: 'ec', curve: 'prime256v1', hash: 'sha256', pss: false }],
  ['ecdsa-sha2-nistp384', { type: 'ec', curve: 'secp384r1', hash: 'sha384', pss: false }],
  ['ecdsa-sha2-nistp521', { type: 'ec', curve: 'secp521r1', hash: 'sha512', pss: false }],
  ['rsassa-pss-sha256', { type: 'rsa', hash: 'sha256', pss: true }],
]);

const MIN_RSA = 2048;
/** SubjectPublicKeyInfo of an ed25519 key before its 32 bytes (RFC 8410). */
const ED25519_DER = Buffer.from('302a300506032b6570032100', 'hex');

/** Refuses with UNSUPPORTED_LAYOUT and MALFORMED_LAYOUT. */
export function readFunctionary(entry: Foreign): Functionary {
  entry.only('keyid', 'keytype', 'scheme', 'keyval', 'keyid_hash_algorithms');
  const name = entry.get('scheme').text();
  const scheme = SCHEMES.get(name);
  if (scheme === undefined)
    return deny('UNSUPPORTED_LAYOUT', `${entry.path} signs by a scheme that is not read`, { actual: name });
  const keyval = entry.get('keyval').only('public', 'private', 'certificate');
  if ((keyval.get('private').maybeText() ?? '') !== '') keyval.get('private').wrong('must not be there');
  if ((keyval.get('certificate').maybeText() ?? '') !== '')
    return deny('UNSUPPORTED_LAYOUT', `${entry.path} is a certificate, which is not read`);
  const key = publicKey(keyval.get('public'));
  const { asymmetricKeyType: type, asymmetricKeyDetails: details } = key;
  const fits = type === scheme.type && (scheme.curve === undefined || details?.namedCurve === scheme.curve);
  if (!fits) return entry.wrong(`is no key for ${name}`);
  if (scheme.pss && (details?.modulusLength ?? 0) < MIN_RSA)
    return deny('UNSUPPORTED_LAYOUT', `${entry.path} has fewer than ${MIN_RSA} bits`);
  return ofKey(key, scheme);
}

function publicKey(field: Foreign): KeyObject {
  const text = field.text();
  try {
    if (/^[0-9a-f]{64}$/i.test(text))
      return createPublicKey({
        key: Buffer.concat([ED25519_DER, Buffer.from(text, 'hex')]),
        format: 'der',
        type: 'spki',
      });
    if (/^-----BEGIN PUBLIC KEY-----/.test(text)) return createPublicKey(text);
  } catch {
    // said below
  }
  return field.wrong('is no public key: PEM, or 64 hex digits for ed25519');
}

const ofKey = (key: KeyObject, scheme: Scheme): Functionary => ({
  key,
  scheme,
  fingerprint: `sha256:${createHash('sha256')
    .update(key.export({ type: 'spki', format: 'der' }))
    .digest('hex')}`,
});

/** A key of the gate policy, as an owner of layouts. */
export function functionaryOf(key: KeyObject): Functionary {
  const curve = key.asymmetricKeyDetails?.namedCurve;
  const scheme = [...SCHEMES.values()].find((one) => one.curve === curve)!;
  return ofKey(key, scheme);
}

export function hasSigned({ key, scheme }: Functionary, bytes: Buffer, signature: Buffer): boolean {
  const how = scheme.pss
    ? { key, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_AUTO }
    : key;
  return verify(scheme.hash, bytes, how, signature);
}

/** As in-toto 3 computes it, from what stands in a layout. */
export function keyIdOf(keytype: string, scheme: string, publicText: string): string {
  const named = { keytype, keyval: { public: publicText }, scheme };
  return createHash('sha256').update(canonicalJson(named)).digest('hex');
}

/** How a layout writes an ECDSA key. */
export function layoutKey(key: KeyObject): { readonly keyid: string; readonly entry: object } {
  const curve = key.asymmetricKeyDetails?.namedCurve;
  const scheme = [...SCHEMES].find(([, one]) => one.curve === curve)![0];
  // securesystemslib ends the text where the last line ends.
  const text = key.export({ type: 'spki', format: 'pem' }).toString();
  const keyid = keyIdOf('ecdsa', scheme, text);
  return { keyid, entry: { keyid, keytype: 'ecdsa', scheme, keyval: { public: text } } };
}
