// The headers from inside a Node server: `app.use(provenanceHeaders('/run/steelyard/provenance.json'))`, or around a handler.
import type { IncomingMessage, OutgoingHttpHeader, OutgoingHttpHeaders, ServerResponse } from 'node:http';
import { HEADERS } from './provenance-document.ts';
import { type Standing, standingOf } from './standing.ts';

type Given = OutgoingHttpHeaders | OutgoingHttpHeader[] | undefined;

/**
 * Sets x-model-sha, x-bom-id and x-adapter-sha of every response while the files are those that were verified, else `unknown`;
 * then the health paths answer 503 too. What the application sets under these names is dropped.
 */
export function provenanceHeaders(
  path: string,
  { health = ['/healthz', '/health'] }: { readonly health?: readonly string[] } = {},
): (request: IncomingMessage, response: ServerResponse, next: (error?: unknown) => void) => void {
  const standing = standingOf(path);
  return (request, response, next) => {
    void standing().then((one) => {
      guard(response, one);
      const asked = (request.url ?? '').split('?')[0]!;
      if (one.known || !health.includes(asked)) return next();
      response.writeHead(503, { 'content-type': 'application/json' }).end('{"status":"unknown"}\n');
    });
  };
}

/** Every way to send headers ends in writeHead, also for those who never call it. */
function guard(response: ServerResponse, { headers }: Standing): void {
  const writeHead = response.writeHead.bind(response) as (...args: unknown[]) => ServerResponse;
  response.writeHead = ((status: number, ...rest: (string | Given)[]): ServerResponse => {
    const reason = typeof rest[0] === 'string' ? [rest.shift()] : [];
    const given = without(rest[0] as Given);
    for (const name of HEADERS) response.removeHeader(name);
    for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
    return writeHead(status, ...reason, given);
  }) as ServerResponse['writeHead'];
}

const isOurs = (name: unknown): boolean =>
  (HEADERS as readonly string[]).includes(String(name).toLowerCase());

/** Node takes an object, a flat list of names and values, or a list of pairs. */
function without(given: Given): Given {
  if (given === undefined) return given;
  if (!Array.isArray(given)) {
    return Object.fromEntries(Object.entries(given).filter(([name]) => !isOurs(name)));
  }
  if (Array.isArray(given[0])) {
    return (given as unknown as [string, string][]).filter(([name]) => !isOurs(name)) as unknown as Given;
  }
  return given.filter((_, index) => !isOurs(given[index - (index % 2)]));
}
