// An image's index, manifests, configurations and everything that is attached to it, from a registry, as files of evidence. Every byte that
// is kept hashes to the digest that names it; which referrers there are is the registry's word, and a signature's is asked later.
import { SteelyardError } from '../../rules/error.ts';
import { type Foreign, readForeign } from '../claim/foreign.ts';
import { digestOf } from '../claim/piece.ts';
import { settled } from '../verdict/denial.ts';

/** One GET below /v2/NAME/. null: 404. Anything else that is no answer throws. */
export type Get = (path: string, accept: string) => Promise<RegistryAnswer | null>;

interface RegistryAnswer {
  readonly bytes: Buffer;
  /** Path of the next page, if there is one. */
  readonly next: string | null;
}

export interface FetchedFile {
  readonly name: string;
  readonly bytes: Buffer;
}

const INDEX = 'application/vnd.oci.image.index.v1+json';
const MANIFESTS = [
  INDEX,
  'application/vnd.oci.image.manifest.v1+json',
  'application/vnd.docker.distribution.manifest.list.v2+json',
  'application/vnd.docker.distribution.manifest.v2+json',
].join(', ');
const BUNDLE = /^application\/vnd\.dev\.sigstore\.bundle\.v0\.3\+json$/;
const OLD_SIGNATURE = 'application/vnd.dev.cosign.simplesigning.v1+json';
const ENVELOPE = 'application/vnd.dsse.envelope.v1+json';

const MAX_PAGES = 100;
const MAX_REFERRERS = 1000;
const MAX_PLATFORMS = 64;

/** @param digest the one that the MBOM pins; no tag is ever resolved. */
export async function fetchImage(digest: string, get: Get): Promise<readonly FetchedFile[]> {
  const files = new Map<string, Buffer>();
  const blob = async (path: string, wanted: string): Promise<Buffer> => {
    const answer = await get(`${path}/${wanted}`, MANIFESTS);
    if (answer === null) throw new SteelyardError('NOT_FOUND', `the registry has no ${path} ${wanted}`);
    const actual = digestOf(answer.bytes);
    if (actual === wanted) return answer.bytes;
    throw new SteelyardError('DIGEST_MISMATCH', `the registry sends other bytes for ${wanted}: ${actual}`);
  };
  const subjects = await imageFiles(digest, blob, files);
  for (const subject of subjects) {
    const manifests = await attachedTo(subject, get, blob);
    for (const bytes of manifests) await attachments(bytes, blob, files);
  }
  return [...files].map(([name, bytes]) => ({ name, bytes }));
}

type Blob = (path: string, digest: string) => Promise<Buffer>;

const short = (digest: string): string => digest.slice('sha256:'.length, 'sha256:'.length + 12);

/** Writes the image's own documents; the digests that something may be attached to. */
async function imageFiles(digest: string, blob: Blob, files: Map<string, Buffer>): Promise<string[]> {
  const bytes = await blob('manifests', digest);
  const document = parsed(bytes, digest);
  const manifests = document.get('manifests').maybeList();
  if (manifests.length === 0) {
    await manifestFiles(digest, bytes, blob, files);
    return [digest];
  }
  files.set('index.json', bytes);
  if (manifests.length > MAX_PLATFORMS) throw limit(`the index lists more than ${MAX_PLATFORMS} manifests`);
  const platforms = manifests
    .filter((one) => !one.get('platform').absent && one.get('platform').get('os').value !== 'unknown')
    .map((one) => one.get('digest').digest());
  for (const one of platforms) await manifestFiles(one, await blob('manifests', one), blob, files);
  return [digest, ...platforms];
}

async function manifestFiles(
  digest: string,
  bytes: Buffer,
  blob: Blob,
  files: Map<string, Buffer>,
): Promise<void> {
  files.set(`manifest-${short(digest)}.json`, bytes);
  const config = parsed(bytes, digest).get('config');
  if (config.absent) return;
  const name = config.get('digest').digest();
  files.set(`config-${short(name)}.json`, await blob('blobs', name));
}

/** By the referrers API, by its fallback tag and by cosign's old tags: all of them, whatever a registry has. */
async function attachedTo(digest: string, get: Get, blob: Blob): Promise<Buffer[]> {
  const hex = digest.slice('sha256:'.length);
  const listed = new Set<string>();
  let path: string | null = `referrers/${digest}`;
  for (let page = 0; path !== null; page++) {
    if (page === MAX_PAGES) throw limit(`the list of referrers has more than ${MAX_PAGES} pages`);
    const answer: RegistryAnswer | null = await get(path, INDEX);
    if (answer !== null) collectDigests(answer.bytes, listed);
    path = answer?.next ?? null;
  }
  const fallback = await get(`manifests/sha256-${hex}`, INDEX);
  if (fallback !== null) collectDigests(fallback.bytes, listed);
  const manifests: Buffer[] = [];
  for (const one of listed) manifests.push(await blob('manifests', one));
  for (const suffix of ['sig', 'att']) {
    const answer = await get(`manifests/sha256-${hex}.${suffix}`, MANIFESTS);
    if (answer !== null) manifests.push(answer.bytes);
  }
  return manifests;
}

function collectDigests(bytes: Buffer, listed: Set<string>): void {
  // By the descriptor's own type nothing is left out: registries name wrong ones.
  for (const one of parsed(bytes, 'the list of referrers').get('manifests').maybeList()) {
    listed.add(one.get('digest').digest());
    if (listed.size > MAX_REFERRERS) throw limit(`the list of referrers is longer than ${MAX_REFERRERS}`);
  }
}

async function attachments(manifest: Buffer, blob: Blob, files: Map<string, Buffer>): Promise<void> {
  const layers = parsed(manifest, 'a referrer').get('layers').maybeList();
  if (layers.length > MAX_REFERRERS) throw limit(`a referrer has more than ${MAX_REFERRERS} layers`);
  for (const layer of layers) {
    const type = layer.get('mediaType').text();
    const digest = layer.get('digest').digest();
    if (BUNDLE.test(type)) files.set(`${short(digest)}.sigstore.json`, await blob('blobs', digest));
    else if (type === ENVELOPE) files.set(`${short(digest)}.dsse.json`, await blob('blobs', digest));
    else if (type === OLD_SIGNATURE) {
      const text = oldSignature(layer, await blob('blobs', digest));
      files.set(`${short(digest)}-${short(digestOf(text))}.sig.json`, text);
    }
  }
}

/** As `cosign download signature` prints it: one payload may be signed by several. */
function oldSignature(layer: Foreign, payload: Buffer): Buffer {
  const annotations = layer.get('annotations');
  const cert = annotations.get('dev.sigstore.cosign/certificate').maybeText();
  const Base64Signature = annotations.get('dev.cosignproject.cosign/signature').text();
  const line = {
    Base64Signature,
    Payload: payload.toString('base64'),
    ...(cert === null ? {} : { Cert: cert }),
  };
  return Buffer.from(`${JSON.stringify(line)}\n`);
}

function parsed(bytes: Buffer, what: string): Foreign {
  const read = settled(() => readForeign(bytes));
  if (read.denials === undefined) return read.value;
  throw new SteelyardError(
    'NETWORK',
    `the registry's answer for ${what} cannot be read: ${read.denials[0].message}`,
  );
}

const limit = (message: string): SteelyardError => new SteelyardError('LIMIT', message);
