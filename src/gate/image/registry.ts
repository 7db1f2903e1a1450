// The one place of the gate that has a network: GETs below /v2/NAME/ of one registry. Nothing that it answers is trusted.

import { SteelyardError } from '../../rules/error.ts';
import { fetchDocument } from '../../source/http/document.ts';
import { statusError } from '../../source/http/failure.ts';
import { challenge, nextLink } from '../../source/http/header.ts';
import { type Credential, Http, type HttpOptions } from '../../source/http/http.ts';
import { answerTo, findLogin, LOGIN } from '../../source/oci/login.ts';
import { DIGEST } from '../claim/foreign.ts';
import { type FetchedFile, fetchImage, type Get } from './fetching.ts';

export interface RegistryOptions {
  /** Where credentials are found; nothing else is read of it. */
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly signal?: AbortSignal;
  readonly http?: HttpOptions;
}

/** Bundles with a whole SBOM inside have some MiB. */
const MAX = 64 * 2 ** 20;
const HOSTS: Readonly<Record<string, string>> = { 'docker.io': 'registry-1.docker.io' };

/**
 * Fetches what proves an image, and what is attached to it.
 *
 * @param reference `host/name@sha256:…`; a tag beside the digest is ignored.
 * @throws SteelyardError USAGE, NETWORK, NOT_FOUND, LIMIT, DIGEST_MISMATCH, UNAUTHORIZED, ABORTED.
 */
export async function imageFromRegistry(
  reference: string,
  options: RegistryOptions,
): Promise<readonly FetchedFile[]> {
  const { host, name, digest } = readReference(reference);
  const http = new Http({ ...options.http });
  try {
    return await fetchImage(digest, getter(host, name, http, options));
  } finally {
    await http.close();
  }
}

function readReference(reference: string) {
  const [, host, name, digest] =
    /^([^/@\s]+)\/([a-z0-9._/-]+)(?::[\w.-]+)?@(sha256:[0-9a-f]{64})$/.exec(reference) ?? [];
  if (host === undefined || name === undefined || !DIGEST.test(digest ?? ''))
    throw new SteelyardError('USAGE', 'an image must be pinned: registry.example/name@sha256:…');
  return { host: HOSTS[host] ?? host, name, digest: digest! };
}

function getter(host: string, name: string, http: Http, { env, signal }: RegistryOptions): Get {
  // Plain text never leaves the machine.
  const scheme = /^(?:127(?:\.\d{1,3}){3}|\[::1\])(?::\d+)?$/.test(host) ? 'http' : 'https';
  if (!URL.canParse(`${scheme}://${host}`))
    throw new SteelyardError('USAGE', `${host} is no host of a registry`);
  const base = new URL(`${scheme}://${host}`);
  let credential: Credential | null = null;
  return async (path, accept) => {
    const url = new URL(`${base.origin}/v2/${name}/${path}`);
    const ask = () => fetchDocument(http, { url, headers: { accept }, credential, signal }, MAX);
    let answer = await ask();
    if (answer.status === 401 && answer.url.origin === base.origin) {
      const login = findLogin(base.host, env);
      const asked = challenge(answer.headers['www-authenticate']);
      credential = await answerTo(asked, base, `repository:${name}:pull`, login, http, signal);
      answer = await ask();
    }
    if (answer.status === 404) return null;
    if (answer.status !== 200) throw statusError(answer.status, url, LOGIN);
    return { bytes: answer.bytes, next: nextPath(answer.headers.link, base, name) };
  };
}

/** The next page, if it is of the same repository: a link elsewhere is none. */
function nextPath(link: string | undefined, base: URL, name: string): string | null {
  const next = nextLink(link);
  if (next === null || !URL.canParse(next, base.href)) return null;
  const url = new URL(next, base);
  const prefix = `/v2/${name}/`;
  return url.origin === base.origin && url.pathname.startsWith(prefix)
    ? `${url.pathname.slice(prefix.length)}${url.search}`
    : null;
}
