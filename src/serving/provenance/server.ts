// The sidecar: says to proxies and health checks what stands on disk. It reads no request body and changes nothing.

import { createServer, type IncomingMessage, type Server } from 'node:http';
import { json } from '../../document/json/chunks.ts';
import { HEADERS, type Headers, UNKNOWN_HEADERS } from './provenance-document.ts';
import type { Standing } from './standing.ts';

/**
 * `/healthz`: 200 while the files are what was verified, else 503. Asked with `?x-model-sha=…` it is 200 only if that is the present
 * value: a proxy that keeps values of its own so learns that they are old.
 * `/headers`, and any path under it: the same as an answer to a sub-request, 204 or 503, with the values as headers.
 */
export const provenanceServer = (standing: () => Promise<Standing>): Server =>
  createServer({ maxHeaderSize: 65_536 }, async (request, response) => {
    const one = await standing();
    const { status, body } = answerTo(request, one);
    const values = status === 200 || status === 204 ? one.headers : UNKNOWN_HEADERS;
    response.writeHead(status, {
      ...values,
      'cache-control': 'no-store',
      ...(body === null ? {} : { 'content-type': 'application/json' }),
    });
    response.end(body === null ? undefined : `${json(body)}\n`);
  });

function answerTo(
  { method, url = '' }: IncomingMessage,
  { known, headers, reason }: Standing,
): { readonly status: number; readonly body: object | null } {
  const [path = '', query] = url.split('?', 2);
  const forProxies = path === '/headers' || path.startsWith('/headers/');
  if (!forProxies && path !== '/healthz') return { status: 404, body: { status: 'not found' } };
  // A proxy may repeat the method of the request that it asks about.
  if (!forProxies && method !== 'GET' && method !== 'HEAD')
    return { status: 405, body: { status: 'only GET' } };
  if (!known) return { status: 503, body: { status: 'unknown', reason } };
  if (forProxies) return { status: 204, body: null };
  if (isPresent(headers, new URLSearchParams(query)))
    return { status: 200, body: { status: 'ok', ...headers } };
  return { status: 503, body: { status: 'superseded', reason: 'these are not the present values' } };
}

const isPresent = (headers: Headers, asked: URLSearchParams): boolean =>
  HEADERS.every((name) => !asked.has(name) || asked.get(name) === (headers[name] ?? ''));
