// Keyless signatures: a key that lives for one signature, a certificate that says for whom, and a log that saw it in time. @sigstore/sign
// talks to the services; what comes of it is verified as everybody else will, before anything is written.
import type * as Bundles from '@sigstore/bundle';
import type * as Specs from '@sigstore/protobuf-specs';
import { inert } from '../../../document/text/inert.ts';
import { SteelyardError } from '../../../rules/error.ts';
import { late } from '../../../runtime/loading.ts';
import { peer } from '../../../runtime/peer.ts';
import { MEDIA_TYPE } from '../../sign/bundle/bundle.ts';
import { IN_TOTO } from '../../sign/bundle/envelope.ts';
import { proven } from '../../sign/refusal.ts';
import type { Artifact, KeylessSigner } from '../../sign/sealing.ts';
import { certified, trustMaterial } from '../../sign/signer/identity.ts';
import { type Claimed, claimsOf } from './identity-token.ts';

export interface KeylessOptions {
  /** Sigstore's signing_config.json: which authority, logs and time stamps are asked. */
  readonly signingConfig: string | Buffer;
  /** Its trusted_root.json: whom a verifier will trust. */
  readonly trustedRoot: string | Buffer;
  /** The token; undefined: the one that the CI provides. */
  readonly token?: string;
  /** Told before anything is asked of anybody; throws, if it is not to be. */
  readonly confirm: (claimed: Claimed) => Promise<void>;
  /** Seconds for each answer. */
  readonly patience?: number;
}

interface Sign {
  readonly CIContextProvider: new () => { getToken(): Promise<string> };
  bundleBuilderFromSigningConfig(options: {
    readonly signingConfig: Specs.SigningConfig;
    readonly identityProvider: { getToken(): Promise<string> };
    readonly bundleType: 'messageSignature' | 'dsseEnvelope';
    readonly fetchOptions: { readonly timeout: number; readonly retry: { readonly retries: number } };
  }): { create(artifact: { data: Buffer; type?: string }): Promise<Bundles.Bundle> };
}

const PATIENCE = 20;

/** Throws USAGE: what it is set up with cannot be used. */
export async function keylessSigner(options: KeylessOptions): Promise<KeylessSigner> {
  const sign = await peer<Sign>('@sigstore/sign', 'keyless signing');
  const signingConfig = readSigningConfig(options.signingConfig);
  const root = trustMaterial(options.trustedRoot);
  return {
    seal: async (artifact) => {
      const token = options.token ?? (await ambient(sign));
      const claimed = claimsOf(token, new Date());
      await options.confirm(claimed);
      const builder = sign.bundleBuilderFromSigningConfig({
        signingConfig,
        identityProvider: { getToken: async () => token },
        bundleType: artifact.kind === 'statement' ? 'dsseEnvelope' : 'messageSignature',
        fetchOptions: { timeout: 1000 * (options.patience ?? PATIENCE), retry: { retries: 1 } },
      });
      const data = Buffer.from(artifact.bytes);
      const type = artifact.kind === 'statement' ? { type: IN_TOTO } : {};
      const bundle = await builder.create({ data, ...type }).catch(failed);
      const json = newest(late<typeof Bundles>('@sigstore/bundle').bundleToJSON(bundle));
      assertOurs(json, artifact, root, claimed);
      return `${JSON.stringify(json)}\n`;
    },
  };
}

interface Written {
  readonly verificationMaterial: {
    readonly x509CertificateChain?: { readonly certificates: readonly object[] };
  };
}

/** The library writes documents in version 0.2, with a chain of one: in 0.3 that is a certificate. Nothing of it is signed. */
function newest(written: unknown): object {
  const bundle = written as Written;
  const { x509CertificateChain: chain, ...material } = bundle.verificationMaterial;
  if (chain === undefined) return bundle;
  return {
    ...bundle,
    mediaType: MEDIA_TYPE,
    verificationMaterial: { ...material, certificate: chain.certificates[0] },
  };
}

function readSigningConfig(text: string | Buffer): Specs.SigningConfig {
  try {
    const config = late<typeof Specs>('@sigstore/protobuf-specs').SigningConfig.fromJSON(
      JSON.parse(text.toString()),
    );
    const urls = [...config.caUrls, ...config.rekorTlogUrls, ...config.tsaUrls].map(({ url }) => url);
    if (config.caUrls.length > 0 && config.rekorTlogUrls.length > 0 && urls.every(isUsable)) return config;
  } catch {
    // Said below.
  }
  throw new SteelyardError(
    'USAGE',
    'the signing config cannot be used: a signing_config.json with an authority and a log, at https addresses, is needed',
  );
}

/** A token in plain text is a token lost; http is for literal loopback addresses. */
const isUsable = (url: string): boolean => /^(https:\/\/|http:\/\/(127(\.\d{1,3}){3}|\[::1\])[:/])/.test(url);

async function ambient({ CIContextProvider }: Sign): Promise<string> {
  try {
    return await new CIContextProvider().getToken();
  } catch {
    throw new SteelyardError(
      'USAGE',
      'there is no identity token: give --identity-token FILE, set SIGSTORE_ID_TOKEN, or let the CI job have `id-token: write`',
    );
  }
}

/** The library's messages may quote answers: its code says what did not work. */
function failed(error: unknown): never {
  const code = String((error as { code?: unknown }).code ?? '');
  const what = WORDS.get(code) ?? 'a service of Sigstore does not answer as it must';
  throw new SteelyardError('NETWORK', `keyless signing failed: ${what}; nothing was written`);
}

const WORDS = new Map([
  ['IDENTITY_TOKEN_PARSE_ERROR', 'the identity token cannot be read'],
  ['CA_CREATE_SIGNING_CERTIFICATE_ERROR', 'the certificate authority gives no certificate for this token'],
  ['TLOG_CREATE_ENTRY_ERROR', 'the transparency log takes no entry'],
  ['TLOG_FETCH_ENTRY_ERROR', 'the transparency log does not show its entry'],
  ['TSA_CREATE_TIMESTAMP_ERROR', 'the time stamp authority gives no time stamp'],
]);

/** An authority may certify another key or person, a log may show another entry: nobody would verify that, so nobody is given it. */
function assertOurs(
  json: unknown,
  { kind, bytes }: Artifact,
  root: ReturnType<typeof trustMaterial>,
  claimed: Claimed,
): void {
  const outcome = proven(() => certified(json, root, kind === 'document' ? Buffer.from(bytes) : undefined));
  if (!outcome.verified)
    throw new SteelyardError(
      'INVALID_DOCUMENT',
      `what the services returned does not verify (${outcome.refusals[0].code}): ${inert(outcome.refusals[0].message)}`,
    );
  const { identity, issuer } = outcome;
  // Authorities make the name of a workflow from several claims; an e-mail address is what it is.
  if (issuer === claimed.issuer && (!claimed.isEmail || identity === claimed.identity)) return;
  throw new SteelyardError(
    'INVALID_DOCUMENT',
    `the certificate is for somebody else: ${inert(String(identity))}, vouched for by ${inert(String(issuer))}`,
  );
}
