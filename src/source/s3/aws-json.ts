// One question to a service of AWS that speaks its JSON protocol: who is asked is the caller's word, who asks is in the environment.
import { SteelyardError } from '../../rules/error.ts';
import { fetchDocument } from '../http/document.ts';
import { statusError } from '../http/failure.ts';
import { Http, type HttpOptions } from '../http/http.ts';
import { isSecure } from '../http/redirect.ts';
import { foreignJson, isRecord } from '../json.ts';
import { findKeys } from './credentials.ts';
import { signedHeaders } from './sigv4.ts';

export interface AwsService {
  /** As signatures name it: 'kms'. */
  readonly service: string;
  readonly region: string;
  /** Another place than AWS's own: https, or http on a literal loopback address. */
  readonly endpoint: string | undefined;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly signal?: AbortSignal | undefined;
  readonly http?: HttpOptions;
}

/** Answers of these services are small. */
const MAX_ANSWER = 65_536;

/**
 * @param target the operation, as `TrentService.Sign`.
 * @throws SteelyardError USAGE, UNAUTHORIZED, NOT_FOUND, NETWORK, LIMIT; of what the service says, only the name of its error is told.
 */
export async function askAws(
  { service, region, endpoint, env, signal, http: options }: AwsService,
  target: string,
  question: object,
): Promise<Readonly<Record<string, unknown>>> {
  const url = placeOf(service, region, endpoint);
  const http = new Http(options);
  try {
    const granted = await findKeys(env, http, signal);
    if (granted === null) throw new SteelyardError('UNAUTHORIZED', `${url.host}: ${LOGIN}`);
    const body = JSON.stringify(question);
    const signed = { 'content-type': 'application/x-amz-json-1.1', 'x-amz-target': target };
    const credential = {
      origin: url.origin,
      headers: () =>
        signedHeaders({
          ...{ method: 'POST', url, headers: signed, body, keys: granted.keys },
          ...{ region, service, now: new Date() },
        }),
    };
    const request = {
      url,
      method: 'POST',
      headers: signed,
      credential,
      body,
      signal,
      follow: false,
    } as const;
    const { status, bytes } = await fetchDocument(http, request, MAX_ANSWER);
    const answer = answerIn(bytes, url);
    if (status !== 200) throw failure(status, url, answer);
    return answer ?? {};
  } finally {
    await http.close();
  }
}

const LOGIN =
  'give keys by AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, a role or a profile that may use the key';

function placeOf(service: string, region: string, endpoint: string | undefined): URL {
  const suffix = region.startsWith('cn-') ? 'amazonaws.com.cn' : 'amazonaws.com';
  const text = endpoint ?? `https://${service}.${region}.${suffix}/`;
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url !== null && isSecure(url) && url.username === '' && url.search === '' && url.hash === '')
    return url;
  throw new SteelyardError(
    'USAGE',
    `the endpoint of ${service} must be https://, or http:// on a literal loopback address`,
  );
}

function answerIn(bytes: Buffer, url: URL): Readonly<Record<string, unknown>> | null {
  if (bytes.length === 0) return null;
  const answer = foreignJson(bytes, `the answer of ${url.host}`);
  return isRecord(answer) ? answer : null;
}

const REFUSED = /^(AccessDenied|UnrecognizedClient|ExpiredToken|InvalidSignature|MissingAuthenticationToken)/;

function failure(status: number, url: URL, answer: Readonly<Record<string, unknown>> | null): SteelyardError {
  const type = String(answer?.__type ?? '')
    .split('#')
    .at(-1)!;
  if (!/^[A-Za-z]{1,60}$/.test(type)) return statusError(status, url, LOGIN);
  if (REFUSED.test(type))
    return new SteelyardError('UNAUTHORIZED', `${url.host} refuses (${type}): ${LOGIN}`);
  if (type === 'NotFoundException')
    return new SteelyardError('NOT_FOUND', `${url.host} has no such key (${type})`);
  return new SteelyardError('USAGE', `${url.host} does not do it (${type})`);
}
