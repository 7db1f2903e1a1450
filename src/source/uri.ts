// Text → which model at which place. One strict grammar for each scheme: two readers of one URI must not see two places, so there
// is no user name, no fragment, no `..`, no control character, and nothing is decoded but where a scheme says so.
import { SteelyardError } from '../rules/error.ts';
import { isSafePath } from './path.ts';

interface Hub {
  readonly scheme: 'hf';
  /** ORG/NAME. */
  readonly repo: string;
  /** A branch, a tag, a commit, refs/pr/N. */
  readonly revision: string;
  /** A file or a folder of the repo; null: all of it. */
  readonly path: string | null;
}

interface Bucket {
  readonly scheme: 's3' | 'gs';
  readonly bucket: string;
  /** A key, or what keys begin with where it ends with a slash; empty: the whole bucket. */
  readonly key: string;
  readonly versionId: string | null;
}

interface Registry {
  readonly scheme: 'oci' | 'ollama';
  /** host[:port]. */
  readonly host: string;
  readonly repository: string;
  /** null: only if there is a digest. */
  readonly tag: string | null;
  readonly digest: string | null;
}

interface Web {
  readonly scheme: 'https';
  readonly url: URL;
  /** The last segment of the path, decoded. */
  readonly name: string;
}

interface Cache {
  readonly scheme: 'cache';
  readonly store: 'hub' | 'ollama' | 'lmstudio';
  /** ORG/NAME, or a name as Ollama has it. */
  readonly name: string;
  readonly revision: string | null;
}

export type SourceUri = Hub | Bucket | Registry | Web | Cache;

const SCHEME = /^(hf|s3|gs|oci|ollama|https?|cache):\/\//;
const MAX_URI = 4096;

/** Throws USAGE and says what the grammar is. */
export function parseSourceUri(text: string): SourceUri {
  const [whole, scheme] = SCHEME.exec(text) ?? [];
  if (whole === undefined || scheme === undefined)
    throw usage(text, `no source: ${Object.values(GRAMMAR).join(', ')}`);
  const rest = text.slice(whole.length);
  const kind = scheme === 'http' ? 'https' : (scheme as keyof typeof READERS);
  if (text.length > MAX_URI || /[\p{Cc}\p{Cs}\s\\#]/u.test(text))
    throw usage(text, 'a source has no blanks, controls, backslashes and no #fragment');
  const found = READERS[kind](rest, text);
  if (found === null) throw usage(text, `the form is ${GRAMMAR[kind]}`);
  return found;
}

const usage = (text: string, why: string): SteelyardError =>
  new SteelyardError('USAGE', `${withoutSecrets(text.slice(0, 300))}: ${why}`);

/** A password or a signature in a URI is not repeated. */
const withoutSecrets = (text: string): string =>
  text.replace(/^([a-z0-9]+:\/\/)[^/]*@(?=[^/]*)/, '$1…@').replace(/\?(?!versionId=).*$/s, '?…');

const GRAMMAR = {
  hf: 'hf://ORG/NAME[@REVISION][/PATH]',
  s3: 's3://BUCKET/KEY[?versionId=ID] or s3://BUCKET/PREFIX/',
  gs: 'gs://BUCKET/KEY or gs://BUCKET/PREFIX/',
  oci: 'oci://HOST/REPOSITORY[:TAG][@sha256:DIGEST]',
  ollama: 'ollama://[HOST/][NAMESPACE/]NAME[:TAG]',
  https: 'https://HOST/PATH (http:// for literal loopback addresses only)',
  cache: 'cache://hub/ORG/NAME[@REVISION], cache://ollama/NAME[:TAG] or cache://lmstudio/PUBLISHER/REPO',
} as const;

const READERS = { hf, s3: bucket, gs: bucket, oci, ollama, https, cache } satisfies Record<
  keyof typeof GRAMMAR,
  (rest: string, text: string) => SourceUri | null
>;

/** As the Hub names users and repos. */
const HUB_NAME = /^(?!.*(?:--|\.\.))[A-Za-z0-9](?:[\w.-]{0,94}[\w])?$/;
/** Other kinds of repo have the same URIs with a prefix; none of them is a model. */
const OTHER_REPOS = new Set(['datasets', 'spaces', 'kernels', 'buckets']);

function hf(rest: string): Hub | null {
  const segments = (rest.startsWith('models/') ? rest.slice('models/'.length) : rest).split('/');
  const [org, named, ...more] = segments;
  if (org === undefined || named === undefined || OTHER_REPOS.has(org)) return null;
  const at = named.indexOf('@');
  const name = at < 0 ? named : named.slice(0, at);
  if (!HUB_NAME.test(org) || !HUB_NAME.test(name)) return null;
  const [revision, path] = revisionAndPath(at < 0 ? null : named.slice(at + 1), more);
  if (revision === null || !isRevision(revision)) return null;
  const folder = path.length === 0 ? null : path.join('/').replace(/\/$/, '');
  if (folder !== null && !isSafePath(folder)) return null;
  return { scheme: 'hf', repo: `${org}/${name}`, revision, path: folder };
}

/** `refs/pr/3` and `refs/convert/parquet` hold slashes; in any other revision a slash is written %2F. */
function revisionAndPath(
  first: string | null,
  rest: readonly string[],
): [revision: string | null, path: readonly string[]] {
  if (first === null) return ['main', rest];
  if (first === 'refs') {
    const [kind, name, ...path] = rest;
    return (kind === 'pr' && /^\d+$/.test(name ?? '')) || kind === 'convert'
      ? [`refs/${kind}/${name}`, path]
      : [null, []];
  }
  try {
    return [decodeURIComponent(first), rest];
  } catch {
    return [null, []];
  }
}

const isRevision = (text: string): boolean =>
  /^[\w][\w./+-]{0,254}$/.test(text) && text.split('/').every((part) => part !== '' && !/^\.+$/.test(part));

function bucket(rest: string, text: string): Bucket | null {
  const [, name, key = '', query] =
    /^([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?:\/([^?]*))?(?:\?(.*))?$/s.exec(rest) ?? [];
  if (name === undefined || name.includes('..')) return null;
  const [, versionId] = /^versionId=([\w.~-]{1,1024})$/.exec(query ?? '') ?? [];
  if (query !== undefined && (versionId === undefined || key === '' || key.endsWith('/'))) return null;
  if (key !== '' && !isSafePath(key.replace(/\/$/, ''))) return null;
  const scheme = text.startsWith('gs:') ? 'gs' : 's3';
  return { scheme, bucket: name, key, versionId: versionId ?? null };
}

const HOST = /^(?:\[[0-9a-f:.]{2,45}\]|[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?)(?::\d{1,5})?$/;
const REPOSITORY = /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*$/;
const TAG = /^[A-Za-z0-9_][\w.-]{0,127}$/;
const DIGEST = /^sha256:[0-9a-f]{64}$/;

function oci(rest: string): Registry | null {
  const slash = rest.indexOf('/');
  const [host, path] = [rest.slice(0, slash), rest.slice(slash + 1)];
  const at = path.indexOf('@');
  const [named, digest] = at < 0 ? [path, null] : [path.slice(0, at), path.slice(at + 1)];
  const colon = named.lastIndexOf(':');
  const [repository, tag] = colon < 0 ? [named, null] : [named.slice(0, colon), named.slice(colon + 1)];
  if (slash < 1 || !HOST.test(host) || !isRepository(repository)) return null;
  if ((tag !== null && !TAG.test(tag)) || (digest !== null && !DIGEST.test(digest))) return null;
  return { scheme: 'oci', host, repository, tag: tag ?? (digest === null ? 'latest' : null), digest };
}

// Checked segment by segment: the expression for the whole would try every way to cut a long name.
const isRepository = (name: string): boolean =>
  name.length <= 255 && name.split('/').every((part) => /^[a-z0-9]/.test(part) && REPOSITORY.test(part));

const OLLAMA_PART = /^[A-Za-z0-9_](?:[\w.-]{0,79})$/;

function ollama(rest: string): Registry | null {
  const segments = rest.split('/');
  const hasHost = segments.length > 1 && /[.:]/.test(segments[0]!);
  const host = hasHost ? segments.shift()! : 'registry.ollama.ai';
  const [name = '', tag = 'latest', ...more] = segments.pop()?.split(':') ?? [];
  if (!HOST.test(host) || more.length > 0 || !TAG.test(tag)) return null;
  const path = segments.length === 0 && !hasHost ? ['library', name] : [...segments, name];
  if (path.length > 2 || path.length === 0 || !path.every((part) => OLLAMA_PART.test(part))) return null;
  return { scheme: 'ollama', host, repository: path.join('/'), tag, digest: null };
}

function https(_rest: string, text: string): Web | null {
  if (!URL.canParse(text)) return null;
  const url = new URL(text);
  if (url.username !== '' || url.password !== '' || !sameAuthority(text, url)) return null;
  let name: string;
  try {
    name = decodeURIComponent(url.pathname.split('/').at(-1)!);
  } catch {
    return null;
  }
  return isSafePath(name) && !name.includes('/') ? { scheme: 'https', url, name } : null;
}

/** `https://good.example\@bad.example` and hosts that are spelt in other alphabets: what is written is what is asked. */
const sameAuthority = (text: string, url: URL): boolean => {
  const written = text
    .slice(text.indexOf('//') + 2)
    .split(/[/?]/)[0]!
    .toLowerCase();
  return written === url.host || written === `${url.host}:${url.protocol === 'https:' ? 443 : 80}`;
};

function cache(rest: string): Cache | null {
  const [store, ...segments] = rest.split('/');
  const name = segments.join('/');
  if (store === 'hub') {
    const found = hf(name);
    return found === null || found.path !== null
      ? null
      : { scheme: 'cache', store, name: found.repo, revision: found.revision };
  }
  if (store === 'ollama') return ollama(name) && { scheme: 'cache', store, name, revision: null };
  const fits = store === 'lmstudio' && segments.length === 2 && isSafePath(name);
  return fits ? { scheme: 'cache', store, name, revision: null } : null;
}

/** As the receipt names it: with the pin, without a query or anything else that is secret. */
export function canonicalUri(uri: SourceUri, pin: string | null): string {
  switch (uri.scheme) {
    case 'hf':
      return `hf://${uri.repo}@${pin ?? encodeURIComponent(uri.revision)}${uri.path === null ? '' : `/${uri.path}`}`;
    case 's3':
    case 'gs':
      return `${uri.scheme}://${uri.bucket}/${uri.key}${uri.versionId === null ? '' : `?versionId=${uri.versionId}`}`;
    case 'oci':
    case 'ollama': {
      const digest = pin ?? uri.digest;
      const tag = uri.tag === null ? '' : `:${uri.tag}`;
      return `${uri.scheme}://${uri.host}/${uri.repository}${tag}${digest === null ? '' : `@${digest}`}`;
    }
    case 'https':
      return `${uri.url.origin}${uri.url.pathname}`;
    case 'cache':
      return `cache://${uri.store}/${uri.name}${uri.revision === null ? '' : `@${pin ?? uri.revision}`}`;
  }
}
