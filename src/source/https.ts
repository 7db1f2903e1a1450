// One file behind a URL: `https://`, and `http://` on a literal loopback address. Nobody says what it should hash to.
import { SteelyardError } from '../rules/error.ts';
import { fetchDocument } from './http/document.ts';
import { statusError } from './http/failure.ts';
import { contentLength, contentRange, strongTag } from './http/header.ts';
import { Http } from './http/http.ts';
import { answersRanges, fetchRange } from './http/range.ts';
import { shown } from './http/redirect.ts';
import { checkedListing } from './path.ts';
import type { Source, SourceFile, SourceOptions } from './store.ts';
import { canonicalUri, type SourceUri } from './uri.ts';

const LOGIN = 'use an address that needs no login';

export async function openWeb(uri: SourceUri & { scheme: 'https' }, options: SourceOptions): Promise<Source> {
  const http = new Http(options.http);
  try {
    const { size, etag } = await describe(http, uri.url, options.signal);
    const name = canonicalUri(uri, null);
    const files = checkedListing([{ path: uri.name, size, pin: etag, expected: null }], name);
    const target = { request: async () => ({ url: uri.url }), size, etag, login: LOGIN };
    return {
      uri: name,
      endpoint: uri.url.origin,
      pin: etag === null ? { kind: 'none', value: '' } : { kind: 'etag', value: etag },
      files,
      notes: [],
      read: (_file: SourceFile, start, end, signal) => fetchRange(http, target, start, end, signal),
      seekable: (signal) => answersRanges(http, target, signal),
      close: () => http.close(),
    };
  } catch (error) {
    await http.close();
    throw error;
  }
}

/** HEAD; a server that does not say the length there may say it of a range. */
async function describe(
  http: Http,
  url: URL,
  signal: AbortSignal | undefined,
): Promise<{ size: number; etag: string | null }> {
  const head = await fetchDocument(http, { url, method: 'HEAD', signal });
  const size = contentLength(head.headers['content-length']);
  if (head.status === 200 && size !== null) return { size, etag: strongTag(head.headers) };
  const answer = await http.request({ url, headers: { range: 'bytes=0-0' }, signal });
  answer.discard();
  if (answer.status !== 206 && answer.status !== 200) throw statusError(answer.status, url, LOGIN);
  const total =
    answer.status === 206
      ? contentRange(answer.headers['content-range'])?.total
      : contentLength(answer.headers['content-length']);
  if (total === null || total === undefined)
    throw new SteelyardError(
      'LIMIT',
      `${shown(url)} does not say how long the file is; get it by other means`,
    );
  return { size: total, etag: strongTag(answer.headers) };
}
