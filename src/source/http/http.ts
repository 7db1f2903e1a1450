// One request and what it leads to. Redirects are followed by hand: each is judged, and no credential goes along. Bytes come as
// they are on the disk of the store, or not at all: no content encoding.
import type { LookupFunction } from 'node:net';
import type { Dispatcher } from 'undici';
import { SteelyardError } from '../../rules/error.ts';
import { late } from '../../runtime/loading.ts';
import { VERSION } from '../../runtime/package.ts';
import { addressKind, guardedLookup, isLoopback, literalOf } from './address.ts';
import { networkError } from './failure.ts';
import { destination, isSecure, MAX_REDIRECTS, type Redirects, shown } from './redirect.ts';
import { pauseBefore } from './retry.ts';

export type Headers = Readonly<Record<string, string | undefined>>;

/** What is sent to one origin and to no other. */
export interface Credential {
  readonly origin: string;
  headers(request: { readonly method: string; readonly url: URL; readonly headers: Headers }): Headers;
}

export interface Request {
  readonly url: URL;
  readonly method?: 'GET' | 'HEAD' | 'POST';
  readonly headers?: Headers;
  readonly credential?: Credential | null;
  readonly body?: string;
  /** false: a redirect is an answer. */
  readonly follow?: boolean;
  /** The address where a cloud gives out a machine's credentials: nothing that is foreign may name it. */
  readonly metadata?: true;
  readonly signal?: AbortSignal | undefined;
}

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  /** After redirects. */
  readonly url: URL;
  readonly body: AsyncIterable<Uint8Array>;
  /** Throws away what was not read. */
  discard(): void;
}

export interface HttpOptions {
  /** Default: any public host. */
  readonly redirects?: Redirects | undefined;
  /** For tests: names that mean something else. */
  readonly lookup?: LookupFunction;
  /** Seconds without a byte after which a connection is given up. */
  readonly stall?: number;
  /** Seconds before another try, given how many failed and what the server asked for. */
  readonly pause?: typeof pauseBefore;
}

/** Seconds. */
const STALL = 30;

export class Http {
  readonly redirects: Redirects;
  readonly pause: typeof pauseBefore;
  readonly #options: HttpOptions;
  readonly #dispatchers = new Map<Kind, Dispatcher>();
  /** The place that the user named is at a private address: then so may be the places it sends us on to. */
  #inside = false;

  constructor(options: HttpOptions = {}) {
    this.redirects = options.redirects ?? 'public';
    this.pause = options.pause ?? pauseBefore;
    this.#options = options;
  }

  /** An answer of any status. Throws NETWORK, SOURCE_REDIRECT, ABORTED. */
  async request(request: Request): Promise<Answer> {
    if (!request.metadata) assertUsable(request.url);
    let { url } = request;
    for (let hops = 0; ; hops++) {
      const answer = await this.#once({ ...request, url }, kindOf(request, url));
      const { location } = answer.headers;
      if (request.follow === false || !isRedirect(answer.status) || location === undefined) return answer;
      answer.discard();
      if (hops === MAX_REDIRECTS)
        throw new SteelyardError(
          'SOURCE_REDIRECT',
          `${shown(request.url)} redirects more than ${MAX_REDIRECTS} times`,
        );
      url = destination(location, url, this.redirects, 'a redirect');
    }
  }

  async close(): Promise<void> {
    await Promise.all([...this.#dispatchers.values()].map((dispatcher) => dispatcher.destroy()));
  }

  async #once(request: Request, kind: Kind): Promise<Answer> {
    const { url, method = 'GET', credential, body, signal } = request;
    const { request: send } = late<typeof import('undici')>('undici');
    const plain = { 'accept-encoding': 'identity', 'user-agent': `steelyard/${VERSION}`, ...request.headers };
    const proof =
      credential?.origin === url.origin ? credential.headers({ method, url, headers: plain }) : {};
    const options = {
      method,
      headers: defined({ ...plain, ...proof }),
      dispatcher: this.#dispatcher(kind),
      ...(body === undefined ? {} : { body }),
      ...(signal === undefined ? {} : { signal }),
    };
    const answer = await send(url, options).catch((error) => {
      throw networkError(error, url, signal);
    });
    answer.body.on('error', () => undefined); // whoever reads is told; whoever left does not care
    return {
      status: answer.statusCode,
      headers: single(answer.headers),
      url,
      body: told(answer.body, url, signal),
      discard: () => void answer.body.destroy(),
    };
  }

  #isAllowed(kind: Kind, address: ReturnType<typeof addressKind>): boolean {
    if (kind === 'machine' || address === 'public') return true;
    return address === 'private' && (kind === 'named' || this.#inside);
  }

  #dispatcher(kind: Kind): Dispatcher {
    const known = this.#dispatchers.get(kind);
    if (known !== undefined) return known;
    const { EnvHttpProxyAgent } = late<typeof import('undici')>('undici');
    const stall = 1000 * (this.#options.stall ?? STALL);
    const lookup = guardedLookup(
      (address) => this.#isAllowed(kind, address),
      (address) => {
        if (kind === 'named' && address !== 'public') this.#inside = true;
      },
      this.#options.lookup,
    );
    const dispatcher = new EnvHttpProxyAgent({
      connect: { lookup, timeout: stall },
      headersTimeout: stall,
      bodyTimeout: stall,
      connections: 32,
      pipelining: 1,
    });
    this.#dispatchers.set(kind, dispatcher);
    return dispatcher;
  }
}

/** Who chose the place: the user, a store that sent us on, or the machine we run on. */
type Kind = 'named' | 'foreign' | 'machine';

const kindOf = ({ url, metadata }: Request, to: URL): Kind =>
  metadata ? 'machine' : to.origin === url.origin ? 'named' : 'foreign';

function assertUsable(url: URL): void {
  if (!isSecure(url))
    throw new SteelyardError('USAGE', `${shown(url)}: http is for literal loopback addresses; use https`);
  const literal = literalOf(url);
  if (literal !== null && !isLoopback(url) && addressKind(literal) === 'link-local')
    throw new SteelyardError(
      'SOURCE_NOT_ALLOWED',
      `${shown(url)} is at a link-local address: no model is served there`,
    );
}

const isRedirect = (status: number): boolean => [301, 302, 303, 307, 308].includes(status);

const defined = (headers: Headers): Record<string, string> =>
  Object.fromEntries(
    Object.entries(headers).filter((entry): entry is [string, string] => entry[1] !== undefined),
  );

/** A header that stands twice is not one that can be believed; its values are joined, and no grammar takes them. */
const single = (headers: Record<string, string | string[] | undefined>): Headers =>
  Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name, Array.isArray(value) ? value.join(', ') : value]),
  );

async function* told(
  body: AsyncIterable<Uint8Array>,
  url: URL,
  signal?: AbortSignal,
): AsyncGenerator<Uint8Array> {
  try {
    yield* body;
  } catch (error) {
    throw networkError(error, url, signal);
  }
}
