// AWS Signature Version 4. Held against the vectors that AWS publishes.
import { createHash, createHmac } from 'node:crypto';
import type { Headers } from '../http/http.ts';

export interface Keys {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
}

interface Signing {
  readonly method: string;
  readonly url: URL;
  /** What is sent; every one of them is signed. */
  readonly headers: Headers;
  readonly body?: string;
  readonly keys: Keys;
  readonly region: string;
  /** 's3' signs the path as it is; others encode it once more. */
  readonly service: string;
  readonly now: Date;
}

const digestOf = (text: string): string => createHash('sha256').update(text).digest('hex');

/** The headers to add. */
export function signedHeaders(signing: Signing): Headers {
  const { method, url, keys, region, service, now, body = '' } = signing;
  const content = digestOf(body);
  const time = now.toISOString().replace(/[-:]|\.\d{3}/g, '');
  const day = time.slice(0, 8);
  const added: Record<string, string> = {
    'x-amz-date': time,
    ...(service === 's3' ? { 'x-amz-content-sha256': content } : {}),
    ...(keys.sessionToken === undefined ? {} : { 'x-amz-security-token': keys.sessionToken }),
  };
  const headers = canonicalHeaders({ ...signing.headers, host: url.host, ...added });
  const names = headers.map(([name]) => name).join(';');
  const request = [
    method,
    service === 's3' ? url.pathname : uriEncoded(url.pathname, '/'),
    canonicalQuery(url),
    ...headers.map(([name, value]) => `${name}:${value}`),
    '',
    names,
    content,
  ].join('\n');
  const scope = `${day}/${region}/${service}/aws4_request`;
  const text = ['AWS4-HMAC-SHA256', time, scope, digestOf(request)].join('\n');
  const signature = createHmac('sha256', signingKey(keys, day, region, service))
    .update(text)
    .digest('hex');
  return {
    ...added,
    authorization: `AWS4-HMAC-SHA256 Credential=${keys.accessKeyId}/${scope}, SignedHeaders=${names}, Signature=${signature}`,
  };
}

function canonicalHeaders(headers: Headers): [name: string, value: string][] {
  return Object.entries(headers)
    .flatMap(([name, value]): [string, string][] =>
      value === undefined ? [] : [[name.toLowerCase(), value.trim().replace(/ +/g, ' ')]],
    )
    .sort(([a], [b]) => (a < b ? -1 : 1));
}

function canonicalQuery({ searchParams }: URL): string {
  return [...searchParams]
    .map(([name, value]) => [uriEncoded(name), uriEncoded(value)] as const)
    .sort(([a, x], [b, y]) => (a < b ? -1 : a > b ? 1 : x < y ? -1 : 1))
    .map(([name, value]) => `${name}=${value}`)
    .join('&');
}

const signingKey = ({ secretAccessKey }: Keys, day: string, region: string, service: string): Buffer =>
  [day, region, service, 'aws4_request'].reduce<Buffer>(
    (key, part) => createHmac('sha256', key).update(part).digest(),
    Buffer.from(`AWS4${secretAccessKey}`),
  );

/** As AWS encodes: all but A-Z a-z 0-9 - . _ ~, in upper-case hex. `keep`: stays as it is. */
export const uriEncoded = (text: string, keep = ''): string =>
  encodeURIComponent(text)
    .replace(/[!'()*]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`)
    .replace(/%2F/g, keep === '/' ? '/' : '%2F');
