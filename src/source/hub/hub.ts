// The Hub, and mirrors of it: a commit first, then the tree of that commit, then its files. A branch that moves meanwhile moves
// nothing here. What the tree says of a file (its SHA-256 if it is stored as LFS or Xet, else Git's) is held against the bytes; the
// official client compares sizes only (huggingface_hub #3643).
import { SteelyardError } from '../../rules/error.ts';
import { fetchOk } from '../http/document.ts';
import { type Credential, Http } from '../http/http.ts';
import { answersRanges, fetchRange, type Target } from '../http/range.ts';
import { isSecure } from '../http/redirect.ts';
import { checkedListing } from '../path.ts';
import type { Source, SourceFile, SourceOptions } from '../store.ts';
import { canonicalUri, type SourceUri } from '../uri.ts';
import { hubToken } from './token.ts';
import { commitOf, fetchTree } from './tree.ts';

const ENDPOINT = 'https://huggingface.co';
const LOGIN = 'set HF_TOKEN to a token that may read it, and accept its licence on its page';

export async function openHub(uri: SourceUri & { scheme: 'hf' }, options: SourceOptions): Promise<Source> {
  const endpoint = endpointOf(options);
  const http = new Http(options.http);
  const token = hubToken(options.env);
  const credential: Credential | null =
    token === null
      ? null
      : { origin: endpoint.origin, headers: () => ({ authorization: `Bearer ${token}` }) };
  const { signal } = options;
  const hub = { http, endpoint, credential, signal, login: LOGIN };
  try {
    const answer = await fetchOk(
      http,
      {
        url: hubUrl(endpoint, `api/models/${uri.repo}/revision/${encodeURIComponent(uri.revision)}`),
        credential,
        signal,
      },
      LOGIN,
    );
    const commit = commitOf(answer.bytes, uri.revision);
    const all = await fetchTree(hub, uri.repo, commit);
    const files = checkedListing(
      all.filter(({ path }) => isWithin(path, uri.path)),
      canonicalUri(uri, commit),
    );
    const targetOf = (file: SourceFile): Target => {
      const url = hubUrl(endpoint, `${uri.repo}/resolve/${commit}/${encodePath(file.path)}`);
      return { request: async () => ({ url, credential }), size: file.size, etag: null, login: LOGIN };
    };
    return {
      uri: canonicalUri(uri, commit),
      endpoint: endpoint.origin,
      pin: { kind: 'commit', value: commit },
      files,
      notes: [],
      read: (file, start, end, abort) => fetchRange(http, targetOf(file), start, end, abort),
      seekable: (abort) => answersRanges(http, targetOf(largest(files)), abort),
      close: () => http.close(),
    };
  } catch (error) {
    await http.close();
    throw error;
  }
}

const isWithin = (path: string, folder: string | null): boolean =>
  folder === null || path === folder || path.startsWith(`${folder}/`);

const encodePath = (path: string): string => path.split('/').map(encodeURIComponent).join('/');

/** Throws USAGE. */
function endpointOf({ endpoint, env }: SourceOptions): URL {
  const text = endpoint ?? (env.HF_ENDPOINT || ENDPOINT);
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url === null || !isSecure(url) || url.username !== '' || url.search !== '' || url.hash !== '')
    throw new SteelyardError('USAGE', 'the endpoint of the Hub must be an https:// address without a login');
  return url;
}

const hubUrl = (endpoint: URL, path: string): URL =>
  new URL(`${endpoint.origin}${endpoint.pathname.replace(/\/$/, '')}/${path}`);

const largest = (files: readonly SourceFile[]): SourceFile =>
  files.reduce((a, b) => (b.size > a.size ? b : a));
