// Buckets, by the protocol of S3: a listing, a look at each object, ranges of one version of it. What a bucket says of an object's
// digest is believed only where it is over the whole object: the SHA-256 of a multipart upload is a digest of digests.
import { createHash } from 'node:crypto';
import { SteelyardError } from '../../rules/error.ts';
import { fetchDocument, fetchOk } from '../http/document.ts';
import { statusError } from '../http/failure.ts';
import { contentLength, strongTag } from '../http/header.ts';
import { type Credential, type Headers, Http } from '../http/http.ts';
import { fetchRange } from '../http/range.ts';
import { checkedListing, MAX_FILES } from '../path.ts';
import type { Expected, Pin, Source, SourceFile, SourceOptions } from '../store.ts';
import { canonicalUri, type SourceUri } from '../uri.ts';
import { type Bucket, openBucket } from './bucket.ts';
import { readListing } from './xml.ts';

type Uri = SourceUri & { scheme: 's3' | 'gs' };

/** An object, and which version of it. */
interface Found {
  readonly file: SourceFile;
  readonly key: string;
  readonly versionId: string | null;
}

export async function openS3(uri: Uri, options: SourceOptions): Promise<Source> {
  const http = new Http(options.http);
  try {
    const bucket = await openBucket(uri, options, http);
    const found = await findObjects(bucket, uri);
    const name = canonicalUri(uri, null);
    const files = checkedListing(
      found.map(({ file }) => file),
      name,
    );
    const byPath = new Map(found.map((one) => [one.file.path, one]));
    return {
      uri:
        found.length === 1 && uri.key === found[0]!.key
          ? canonicalUri({ ...uri, versionId: found[0]!.versionId }, null)
          : name,
      endpoint: bucket.endpoint,
      pin: pinOf(found),
      files,
      notes: [],
      read: (file, start, end, signal) => read(bucket, byPath.get(file.path)!, start, end, signal),
      seekable: async () => true,
      close: () => http.close(),
    };
  } catch (error) {
    await http.close();
    throw error;
  }
}

/** Versions pin for ever, ETags as long as nobody writes, and a mixture is as weak as its weakest. */
function pinOf(found: readonly Found[]): Pin {
  const values = found.map(({ file, versionId }) => `${file.path}:${versionId ?? file.pin ?? ''}`).join(' ');
  if (found.every(({ versionId }) => versionId !== null)) return { kind: 'version', value: digestOf(values) };
  return found.every(({ file }) => file.pin !== null)
    ? { kind: 'etag', value: digestOf(values) }
    : { kind: 'none', value: '' };
}

const digestOf = (text: string): string => createHash('sha256').update(text).digest('hex');

/** The object of that key; if there is none, everything below it. */
async function findObjects(bucket: Bucket, { key, versionId }: Uri): Promise<Found[]> {
  if (key !== '' && !key.endsWith('/')) {
    const object = await describe(bucket, key, versionId, key.split('/').at(-1)!);
    if (object !== null) return [object];
    if (versionId !== null)
      throw new SteelyardError(
        'NOT_FOUND',
        `the bucket ${bucket.name} has no version ${versionId} of ${key}`,
      );
  }
  const prefix = key === '' || key.endsWith('/') ? key : `${key}/`;
  const keys = await listKeys(bucket, prefix);
  const found: Found[] = [];
  // Some at a time: one request each.
  for (let at = 0; at < keys.length; at += LOOKS) {
    const looked = keys.slice(at, at + LOOKS).map(async (one) => {
      const object = await describe(bucket, one, null, one.slice(prefix.length));
      if (object !== null) return object;
      throw new SteelyardError(
        'SOURCE_CHANGED',
        `${one} was listed and is not there any more; list the bucket again`,
      );
    });
    found.push(...(await Promise.all(looked)));
  }
  return found;
}

const LOOKS = 16;

async function listKeys(bucket: Bucket, prefix: string): Promise<string[]> {
  const keys: string[] = [];
  for (let next: string | null = ''; next !== null; ) {
    const url = bucket.url(null);
    url.searchParams.set('list-type', '2');
    url.searchParams.set('prefix', prefix);
    if (next !== '') url.searchParams.set('continuation-token', next);
    const credential = await bucket.credential();
    const { bytes } = await fetchOk(bucket.http, { url, credential, signal: bucket.signal }, bucket.login);
    const page = readListing(bytes.toString('utf8'));
    // What ends with a slash is a folder that a console made.
    keys.push(...page.objects.map(({ key }) => key).filter((key) => !key.endsWith('/')));
    if (keys.length > MAX_FILES)
      throw new SteelyardError('LIMIT', `more than ${MAX_FILES} objects; name a prefix`);
    if (page.objects.length === 0 && page.next !== null)
      throw new SteelyardError('NETWORK', 'the bucket lists without end');
    next = page.next;
  }
  return keys;
}

/** null: there is no such object. */
async function describe(
  bucket: Bucket,
  key: string,
  versionId: string | null,
  path: string,
): Promise<Found | null> {
  const url = bucket.url(key, versionId);
  const credential = await bucket.credential();
  const headers = { 'x-amz-checksum-mode': 'ENABLED' };
  const answer = await fetchDocument(bucket.http, {
    url,
    method: 'HEAD',
    headers,
    credential,
    signal: bucket.signal,
  });
  if (answer.status === 404) return null;
  if (answer.status !== 200) throw statusError(answer.status, url, bucket.login);
  const size = contentLength(answer.headers['content-length']);
  if (size === null) throw new SteelyardError('LIMIT', `the bucket does not say how long ${key} is`);
  const version = versionId ?? versionOf(answer.headers);
  const pin = version ?? strongTag(answer.headers);
  return { file: { path, size, pin, expected: checksumOf(answer.headers) }, key, versionId: version };
}

const versionOf = ({ 'x-amz-version-id': version }: Headers): string | null =>
  version !== undefined && version !== 'null' && /^[\w.~-]{1,1024}$/.test(version) ? version : null;

/** FULL_OBJECT alone is the digest of the bytes; COMPOSITE (and `…-2`) is one of the parts' digests, as old servers send it without saying. */
function checksumOf({
  'x-amz-checksum-sha256': text,
  'x-amz-checksum-type': type,
}: Headers): Expected | null {
  if (text === undefined || (type !== undefined && type.toUpperCase() !== 'FULL_OBJECT')) return null;
  const bytes = Buffer.from(text, 'base64');
  return bytes.length === 32 && bytes.toString('base64') === text
    ? { algorithm: 'sha256', value: bytes.toString('hex') }
    : null;
}

async function* read(
  bucket: Bucket,
  { file, key, versionId }: Found,
  start: number,
  end: number,
  signal?: AbortSignal,
) {
  const url = bucket.url(key, versionId);
  const target = {
    request: async (): Promise<{ url: URL; credential: Credential | null }> => ({
      url,
      credential: await bucket.credential(),
    }),
    size: file.size,
    etag: versionId === null ? file.pin : null,
    login: bucket.login,
  };
  yield* fetchRange(bucket.http, target, start, end, signal);
}
