// Signs whatever it is told to, right or wrong: bundles written by hand from the specifications, without src/proof/sign.
import { createHash, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import type { SignableFile } from '../../../src/proof/sign/statement/manifest.ts';

export interface Pair {
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
  /** In PEM. */
  readonly secret: string;
  readonly public: string;
}

export function pair(namedCurve = 'prime256v1'): Pair {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve });
  return {
    privateKey,
    publicKey,
    secret: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    public: publicKey.export({ type: 'spki', format: 'pem' }).toString(),
  };
}

export const hex = (bytes: string | Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

/** A file of the model with this content. */
export function file(
  path: string,
  content: string | Uint8Array,
  format: SignableFile['format'] = null,
): SignableFile {
  return { path, sha256: `sha256:${hex(content)}`, size: Buffer.byteLength(content), format };
}

/** It, as a scan reports it that read it. */
export const examined = (one: SignableFile) => ({
  ...one,
  kind: one.format ?? ('json' as const),
  state: 'examined' as const,
});

export const root = (hexes: readonly string[]): string =>
  hex(Buffer.concat(hexes.map((one) => Buffer.from(one, 'hex'))));

// biome-ignore lint/suspicious/noExplicitAny: any wrong value may stand anywhere
export type Anything = any;

/** The statement about files as the specification has it, for `change` to spoil. */
export function statement(
  files: readonly SignableFile[],
  change: (it: Anything) => void = () => undefined,
): Buffer {
  const resources = files.map(({ path, sha256 }) => ({
    name: path,
    algorithm: 'sha256',
    digest: sha256.slice(7),
  }));
  const it = {
    _type: 'https://in-toto.io/Statement/v1',
    subject: [{ name: 'model', digest: { sha256: '' } }],
    predicateType: 'https://model_signing/signature/v1.0',
    predicate: { serialization: { method: 'files', hash_type: 'sha256', allow_symlinks: false }, resources },
  };
  change(it);
  const subject = Array.isArray(it.subject) ? it.subject[0] : undefined;
  const listed: Anything[] = Array.isArray(it.predicate?.resources) ? it.predicate.resources : [];
  // The root of whatever is listed now, unless the change set one.
  if (subject?.digest?.sha256 === '') subject.digest.sha256 = root(listed.map((one) => String(one?.digest)));
  return Buffer.from(JSON.stringify(it));
}

export interface Forgery {
  readonly hash?: string;
  readonly payloadType?: string;
  readonly encode?: (type: string, payload: Buffer) => Buffer;
  readonly change?: (bundle: Anything) => void;
}

const IN_TOTO = 'application/vnd.in-toto+json';
const HASHES = new Map([
  ['prime256v1', 'sha256'],
  ['secp384r1', 'sha384'],
  ['secp521r1', 'sha512'],
]);

export const pae = (type: string, payload: Buffer): Buffer =>
  Buffer.concat([Buffer.from(`DSSEv1 ${Buffer.byteLength(type)} ${type} ${payload.length} `), payload]);

/** A bundle around the payload, signed by the key. */
export function forge(
  payload: Buffer,
  key: Pair,
  { payloadType = IN_TOTO, change, ...how }: Forgery = {},
): Buffer {
  const hash = how.hash ?? HASHES.get(key.privateKey.asymmetricKeyDetails!.namedCurve!)!;
  const sig = sign(hash, (how.encode ?? pae)(payloadType, payload), key.privateKey).toString('base64');
  const bundle = {
    mediaType: 'application/vnd.dev.sigstore.bundle.v0.3+json',
    verificationMaterial: { publicKey: { hint: hex(key.public) }, tlogEntries: [] },
    dsseEnvelope: { payload: payload.toString('base64'), payloadType, signatures: [{ sig, keyid: '' }] },
  };
  change?.(bundle);
  return Buffer.from(JSON.stringify(bundle));
}
