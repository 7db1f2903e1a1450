// A look-alike of the Hub on a loopback port: API and files at one origin, weights behind a redirect to another, as the Hub has
// them. The official client is its judge (hub.test.ts). Faults are put in by the test.
import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export const COMMIT = '3f1c0d5a9b8e7f6a5b4c3d2e1f0a9b8c7d6e5f4a';

export interface HubOptions {
  readonly files: ReadonlyMap<string, Buffer>;
  /** Entries of one page of the tree. */
  readonly pageSize?: number;
  /** Takes an answer over; false: it does not want this one. */
  readonly fault?: (request: IncomingMessage, response: ServerResponse, body: Buffer | null) => boolean;
  /** Needed for everything at the first origin. */
  readonly token?: string;
  /** Changes what the tree says. */
  readonly tree?: (entries: object[]) => object[];
}

export interface HubServer {
  readonly url: string;
  readonly cdn: string;
  /** Method, origin, path and Authorization of every request. */
  readonly seen: { method: string; origin: 'hub' | 'cdn'; path: string; authorization: string | undefined }[];
  close(): Promise<void>;
}

export async function hubServer(options: HubOptions): Promise<HubServer> {
  const seen: HubServer['seen'] = [];
  const cdn = await listening((request, response) => {
    note('cdn', request);
    const path = decodeURIComponent(new URL(request.url!, 'http://x').pathname.slice(1));
    send(request, response, options.files.get(path) ?? null);
  });
  const hub = await listening((request, response) => {
    note('hub', request);
    if (options.token !== undefined && request.headers.authorization !== `Bearer ${options.token}`)
      return void response.writeHead(401, { 'x-error-code': 'GatedRepo' }).end('{}');
    api(request, response);
  });

  function note(origin: 'hub' | 'cdn', { method, url, headers }: IncomingMessage): void {
    seen.push({ method: method!, origin, path: url!, authorization: headers.authorization });
  }

  function api(request: IncomingMessage, response: ServerResponse): void {
    const url = new URL(request.url!, hub.url);
    const json = (value: unknown, headers = {}) =>
      response.writeHead(200, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(value));
    if (options.fault?.(request, response, null)) return;
    if (/^\/api\/models\/acme\/tiny(\/revision\/[^/]+)?$/.test(url.pathname))
      return void json({
        id: 'acme/tiny',
        sha: COMMIT,
        siblings: [...options.files.keys()].map((rfilename) => ({ rfilename })),
      });
    if (url.pathname === `/api/models/acme/tiny/tree/${COMMIT}`) return void tree(url, json);
    const file = new RegExp(`^/acme/tiny/resolve/${COMMIT}/(.+)$`).exec(url.pathname);
    const body = file === null ? undefined : options.files.get(decodeURIComponent(file[1]!));
    if (body === undefined) return void response.writeHead(404, { 'x-error-code': 'EntryNotFound' }).end();
    if (!isLfs(decodeURIComponent(file![1]!)))
      return void send(request, response, body, `"${gitSha1(body)}"`);
    response
      .writeHead(302, {
        location: `${cdn.url}/${file![1]}?signature=secret`,
        'x-repo-commit': COMMIT,
        'x-linked-etag': `"${sha256(body)}"`,
        'x-linked-size': String(body.length),
        'x-xet-hash': sha256(Buffer.from(`xet ${sha256(body)}`)),
        etag: `"${sha256(body)}"`,
      })
      .end();
  }

  function tree(url: URL, json: (value: unknown, headers?: object) => unknown): void {
    const { pageSize = 1000 } = options;
    const from = Number(url.searchParams.get('cursor') ?? 0);
    const entries = [...options.files].map(([path, body]) => ({
      type: 'file',
      path,
      size: body.length,
      oid: gitSha1(isLfs(path) ? Buffer.from(`oid sha256:${sha256(body)}`) : body),
      ...(isLfs(path) ? { lfs: { oid: sha256(body), size: body.length, pointerSize: 134 } } : {}),
    }));
    const all = options.tree?.(entries) ?? entries;
    const next = `${hub.url}${url.pathname}?recursive=true&cursor=${from + pageSize}`;
    json(
      all.slice(from, from + pageSize),
      from + pageSize < all.length ? { link: `<${next}>; rel="next"` } : {},
    );
  }

  function send(
    request: IncomingMessage,
    response: ServerResponse,
    body: Buffer | null,
    etag?: string,
  ): void {
    if (options.fault?.(request, response, body)) return;
    if (body === null) return void response.writeHead(404).end();
    sendRange(request, response, body, {
      'x-repo-commit': COMMIT,
      etag: etag ?? `"${sha256(body).slice(0, 32)}"`,
    });
  }

  return {
    url: hub.url,
    cdn: cdn.url,
    seen,
    close: async () => {
      await Promise.all([hub.close(), cdn.close()]);
    },
  };
}

export const isLfs = (path: string): boolean => /\.(safetensors|gguf|bin)$/.test(path);
export const sha256 = (bytes: Uint8Array): string =>
  remembered(bytes, 'sha256', () => createHash('sha256').update(bytes).digest('hex'));
export const gitSha1 = (bytes: Uint8Array): string =>
  remembered(bytes, 'git-sha1', () =>
    createHash('sha1').update(`blob ${bytes.length}\0`).update(bytes).digest('hex'),
  );

/** A large file is hashed once, and not for each request. */
const digests = new WeakMap<Uint8Array, Map<string, string>>();
function remembered(bytes: Uint8Array, algorithm: string, digest: () => string): string {
  const known = digests.get(bytes) ?? new Map<string, string>();
  digests.set(bytes, known);
  const value = known.get(algorithm) ?? digest();
  known.set(algorithm, value);
  return value;
}

/** As a good server does: 206 for a range, 200 without, HEAD without a body. */
export function sendRange(
  request: IncomingMessage,
  response: ServerResponse,
  body: Buffer,
  headers: Record<string, string> = {},
): void {
  const [, first, last] = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? '') ?? [];
  const start = Number(first ?? 0);
  const end = Math.min(last ? Number(last) + 1 : body.length, body.length);
  if (first !== undefined && start >= body.length) return void response.writeHead(416).end();
  const range = first === undefined ? {} : { 'content-range': `bytes ${start}-${end - 1}/${body.length}` };
  response.writeHead(first === undefined ? 200 : 206, {
    'content-length': String(end - start),
    'accept-ranges': 'bytes',
    ...range,
    ...headers,
  });
  response.end(request.method === 'HEAD' ? undefined : body.subarray(start, end));
}

/** A server on a free loopback port. */
export async function listening(
  handler: (request: IncomingMessage, response: ServerResponse) => void,
): Promise<{ url: string; port: number; server: Server; close(): Promise<void> }> {
  const server = createServer(handler);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    port,
    server,
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}
