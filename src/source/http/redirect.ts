// Where a store may send us on to: a redirect, the next page, the realm that gives out tokens. All three are foreign text.
import { SteelyardError } from '../../rules/error.ts';
import { addressKind, isLoopback, literalOf, privateAddress } from './address.ts';

/** Names of hosts, `*.` at the beginning for any host below; 'public': any that is not at a private address. */
export type Redirects = readonly string[] | 'public';

export const MAX_REDIRECTS = 5;

/**
 * The place that `location` leads to.
 *
 * @param what for messages: 'a redirect'.
 * @throws SteelyardError SOURCE_REDIRECT.
 */
export function destination(location: string, from: URL, redirects: Redirects, what: string): URL {
  const refuse = (why: string): SteelyardError =>
    new SteelyardError('SOURCE_REDIRECT', `${what} of ${shown(from)} ${why}`);
  const url =
    location.length <= MAX_LOCATION && URL.canParse(location, from.href) ? new URL(location, from) : null;
  if (url === null) throw refuse('is no address');
  if (url.username !== '' || url.password !== '') throw refuse('carries a user name');
  if (url.origin === from.origin) return url;
  if (!isSecure(url)) throw refuse(`leads to ${shown(url)}: only TLS, or a literal loopback address`);
  const literal = literalOf(url);
  if (redirects !== 'public') {
    if (redirects.some((pattern) => matchesHost(pattern, url.hostname))) return url;
    throw refuse(
      `leads to ${url.hostname}, which the policy does not allow; add it to redirects if it is right`,
    );
  }
  if (literal !== null && addressKind(literal) !== 'public' && !isLoopback(from))
    throw privateAddress(url.hostname, addressKind(literal));
  return url;
}

const MAX_LOCATION = 8192;

/** TLS, or bytes that do not leave the machine. A name such as `localhost` can be made to mean something else. */
export const isSecure = (url: URL): boolean =>
  url.protocol === 'https:' || (url.protocol === 'http:' && isLoopback(url));

export function matchesHost(pattern: string, host: string): boolean {
  const name = host.toLowerCase();
  const wanted = pattern.toLowerCase();
  return wanted.startsWith('*.')
    ? name.endsWith(wanted.slice(1)) && name.length > wanted.length - 1
    : name === wanted;
}

/** For messages: signed URLs have their signature in the query. */
export const shown = (url: URL): string => `${url.origin}${url.pathname}`;
