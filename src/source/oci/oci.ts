// Registries: a manifest by tag or digest, its layers by their digests. The manifest is hashed here, whatever the registry says of
// it; a tag is pinned to the digest that it has now.
import { createHash } from 'node:crypto';
import { SteelyardError } from '../../rules/error.ts';
import { type Document, fetchDocument } from '../http/document.ts';
import { statusError } from '../http/failure.ts';
import { challenge } from '../http/header.ts';
import { type Credential, Http } from '../http/http.ts';
import { fetchRange } from '../http/range.ts';
import { checkedListing } from '../path.ts';
import type { Source, SourceFile, SourceOptions } from '../store.ts';
import { canonicalUri, type SourceUri } from '../uri.ts';
import { answerTo, findLogin, LOGIN } from './login.ts';
import { INDEXES, isDigest, MANIFESTS, type Manifest, readIndex, readManifest } from './manifest.ts';

type Uri = SourceUri & { scheme: 'oci' | 'ollama' };

export async function openOci(uri: Uri, options: SourceOptions): Promise<Source> {
  const http = new Http(options.http);
  try {
    const registry = new Registry(uri, options, http);
    const { manifest, digest } = await registry.manifest(uri.digest ?? uri.tag!);
    const name = canonicalUri(uri, digest);
    const byPath = new Map(manifest.layers.map((layer) => [layer.path, layer]));
    const files = manifest.layers.map(
      ({ path, size, digest: layer }): SourceFile => ({
        path,
        size,
        pin: layer,
        expected: { algorithm: 'sha256', value: layer.slice('sha256:'.length) },
      }),
    );
    return {
      uri: name,
      endpoint: registry.base.origin,
      pin: { kind: 'manifest', value: digest },
      files: checkedListing(files, name),
      notes: manifest.notes,
      read: (file, start, end, signal) => registry.blob(byPath.get(file.path)!, start, end, signal),
      seekable: async () => true,
      close: () => http.close(),
    };
  } catch (error) {
    await http.close();
    throw error;
  }
}

/** Docker's registry answers at another name than the one that everybody writes. */
const HOSTS: Readonly<Record<string, string>> = { 'docker.io': 'registry-1.docker.io' };

class Registry {
  readonly base: URL;
  readonly #uri: Uri;
  readonly #options: SourceOptions;
  readonly #http: Http;
  #credential: Credential | null = null;

  constructor(uri: Uri, options: SourceOptions, http: Http) {
    const host = HOSTS[uri.host] ?? uri.host;
    // Plain text never leaves the machine: a name is always asked over TLS.
    const scheme = /^(?:127(?:\.\d{1,3}){3}|\[::1\])(?::\d+)?$/.test(host) ? 'http' : 'https';
    if (!URL.canParse(`${scheme}://${host}`))
      throw new SteelyardError('USAGE', `${host} is no host of a registry`);
    this.base = new URL(`${scheme}://${host}`);
    this.#uri = uri;
    this.#options = options;
    this.#http = http;
  }

  /** The one manifest of a model behind a reference. */
  async manifest(reference: string, depth = 0): Promise<{ manifest: Manifest; digest: string }> {
    const { bytes, headers, url } = await this.#get(
      `manifests/${reference}`,
      [...MANIFESTS, ...INDEXES].join(', '),
    );
    const digest = `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
    const said = headers['docker-content-digest'];
    if ((isDigest(reference) && reference !== digest) || (isDigest(said) && said !== digest))
      throw new SteelyardError(
        'DIGEST_MISMATCH',
        `${url.host} sends a manifest whose digest is ${digest}, not ${said ?? reference}`,
      );
    if (!INDEXES.includes(headers['content-type']?.split(';')[0]?.trim() ?? ''))
      return { manifest: readManifest(bytes), digest };
    const [only, ...more] = readIndex(bytes);
    if (only === undefined || more.length > 0 || depth > 0)
      throw new SteelyardError(
        'NOT_FOUND',
        `${canonicalUri(this.#uri, digest)} holds ${more.length + (only ? 1 : 0)} models; name one by its digest`,
      );
    return this.manifest(only, depth + 1);
  }

  async *blob(
    { digest, size }: { digest: string; size: number },
    start: number,
    end: number,
    signal?: AbortSignal,
  ) {
    const target = {
      request: async (refused: boolean) => {
        if (refused) await this.#logIn(null);
        return { url: this.#url(`blobs/${digest}`), credential: this.#credential };
      },
      size,
      etag: null,
      login: LOGIN,
    };
    yield* fetchRange(this.#http, target, start, end, signal);
  }

  #url(path: string): URL {
    return new URL(`${this.base.origin}/v2/${this.#uri.repository}/${path}`);
  }

  async #get(path: string, accept: string): Promise<Document> {
    const url = this.#url(path);
    const { signal } = this.#options;
    const ask = () =>
      fetchDocument(
        this.#http,
        { url, headers: { accept }, credential: this.#credential, signal },
        MAX_MANIFEST,
      );
    let answer = await ask();
    if (answer.status === 401 && answer.url.origin === this.base.origin) {
      await this.#logIn(answer.headers['www-authenticate']);
      answer = await ask();
    }
    if (answer.status !== 200) throw statusError(answer.status, url, LOGIN);
    return answer;
  }

  /** Tokens run out while weights come: then the registry is asked again what it wants. */
  async #logIn(asked: string | undefined | null): Promise<void> {
    const { env, signal } = this.#options;
    if (asked === null) {
      const answer = await fetchDocument(
        this.#http,
        { url: new URL('/v2/', this.base), signal, follow: false },
        MAX_MANIFEST,
      );
      if (answer.status !== 401) return;
      asked = answer.headers['www-authenticate'];
    }
    const scope = `repository:${this.#uri.repository}:pull`;
    const login = findLogin(this.base.host, env);
    this.#credential = await answerTo(challenge(asked), this.base, scope, login, this.#http, signal);
  }
}

const MAX_MANIFEST = 4 * 2 ** 20;
