// One bucket: where it answers, who asks, in which region.
import { SteelyardError } from '../../rules/error.ts';
import { fetchDocument } from '../http/document.ts';
import type { Credential, Http } from '../http/http.ts';
import { isSecure } from '../http/redirect.ts';
import type { SourceOptions } from '../store.ts';
import type { SourceUri } from '../uri.ts';
import { findKeys, type Granted } from './credentials.ts';
import { signedHeaders, uriEncoded } from './sigv4.ts';

export interface Bucket {
  readonly name: string;
  readonly http: Http;
  /** Origin of the server. */
  readonly endpoint: string;
  readonly signal: AbortSignal | undefined;
  readonly login: string;
  /** Of a key, or of the bucket itself. */
  url(key: string | null, versionId?: string | null): URL;
  /** null: as anybody. Asked for before each request, because keys run out. */
  credential(): Promise<Credential | null>;
}

const LOGIN = {
  s3: 'give keys by AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or a profile, that may read the bucket',
  gs: 'give an HMAC key by GS_ACCESS_KEY_ID and GS_SECRET_ACCESS_KEY that may read the bucket',
} as const;

export async function openBucket(
  { scheme, bucket: name }: SourceUri & { scheme: 's3' | 'gs' },
  options: SourceOptions,
  http: Http,
): Promise<Bucket> {
  const { env, signal } = options;
  const given = endpointOf(scheme, options);
  let granted = await keysOf(scheme, env, http, signal);
  const bucket = (region: string): Bucket => {
    const base =
      given ??
      new URL(
        `https://${name.includes('.') ? `s3.${region}.amazonaws.com` : `${name}.s3.${region}.amazonaws.com`}`,
      );
    const isPathStyle = given !== null || name.includes('.'); // a name with dots fits no certificate
    return {
      name,
      http,
      endpoint: base.origin,
      signal,
      login: LOGIN[scheme],
      url: (key, versionId = null) => {
        const folder = `${base.pathname.replace(/\/$/, '')}${isPathStyle ? `/${name}` : ''}`;
        const url = new URL(`${base.origin}${folder}/${key === null ? '' : uriEncoded(key, '/')}`);
        if (versionId !== null) url.searchParams.set('versionId', versionId);
        return url;
      },
      credential: async () => {
        if (granted?.expires && granted.expires.getTime() - Date.now() < EARLY)
          granted = await keysOf(scheme, env, http, signal);
        return granted === null ? null : credentialOf(granted, base.origin, region);
      },
    };
  };
  const region =
    env.AWS_REGION ||
    env.AWS_DEFAULT_REGION ||
    (given === null ? await regionOf(name, http, signal) : 'us-east-1');
  if (!/^[a-z0-9-]{1,40}$/.test(region)) throw new SteelyardError('USAGE', 'the region is no name of one');
  return bucket(scheme === 'gs' ? 'auto' : region);
}

/** Keys are asked for anew this long before they run out. */
const EARLY = 5 * 60_000; // ms

function credentialOf({ keys }: Granted, origin: string, region: string): Credential {
  return {
    origin,
    headers: ({ method, url, headers }) =>
      signedHeaders({ method, url, headers: onlyAmz(headers), keys, region, service: 's3', now: new Date() }),
  };
}

/** A proxy may change other headers on their way. Range is sent unsigned, as the SDKs do. */
const onlyAmz = (headers: Readonly<Record<string, string | undefined>>) =>
  Object.fromEntries(Object.entries(headers).filter(([name]) => name.startsWith('x-amz-')));

async function keysOf(
  scheme: 's3' | 'gs',
  env: SourceOptions['env'],
  http: Http,
  signal?: AbortSignal,
): Promise<Granted | null> {
  if (scheme === 's3') return findKeys(env, http, signal);
  const { GS_ACCESS_KEY_ID: accessKeyId, GS_SECRET_ACCESS_KEY: secretAccessKey } = env;
  return accessKeyId && secretAccessKey ? { keys: { accessKeyId, secretAccessKey }, expires: null } : null;
}

/** null: AWS itself. Throws USAGE. */
function endpointOf(scheme: 's3' | 'gs', { endpoint, env }: SourceOptions): URL | null {
  const text =
    endpoint ??
    (scheme === 'gs' ? 'https://storage.googleapis.com' : env.AWS_ENDPOINT_URL_S3 || env.AWS_ENDPOINT_URL);
  if (!text) return null;
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url !== null && isSecure(url) && url.username === '' && url.search === '' && url.hash === '')
    return url;
  throw new SteelyardError(
    'USAGE',
    'the endpoint of S3 must be https://, or http:// on a literal loopback address',
  );
}

/** Anybody may ask where a bucket is: the answer, whatever its status, says it. */
async function regionOf(name: string, http: Http, signal?: AbortSignal): Promise<string> {
  const url = new URL(
    name.includes('.') ? `https://s3.amazonaws.com/${name}` : `https://${name}.s3.amazonaws.com/`,
  );
  const { headers } = await fetchDocument(http, { url, method: 'HEAD', follow: false, signal });
  return headers['x-amz-bucket-region'] ?? 'us-east-1';
}
