// Which releases contain this? Each release is read as it lies there, with what lies beside it; there is no index that could be stale. What
// is found is found in claims too: a search must not miss what a stranger wrote.

import type { Mbom } from '../../proof/bom/mbom.ts';
import { readMbom } from '../../proof/bom/mbom-document.ts';
import { parseProfile } from '../../scan/profile/document/parse-profile.ts';
import type { Identity } from '../claim/identity.ts';
import { openAll } from '../claim/opened.ts';
import { digestOf, type EvidenceFile, place, sortEvidence } from '../claim/piece.ts';
import { imageFacts } from '../image/image.ts';
import { provenMbom, provenModel } from '../input/release-bytes.ts';
import { settled } from '../verdict/denial.ts';
import { contentOf } from './inside.ts';
import type { Query } from './query.ts';

/** One release on disk. */
export interface ReleaseFiles {
  /** Of the MBOM, as the user would write it. */
  readonly path: string;
  readonly mbom: EvidenceFile;
  /** Files beside it: signatures, profiles, verdicts. */
  readonly beside: readonly EvidenceFile[];
  readonly evidence: readonly EvidenceFile[];
}

export interface Found {
  readonly release: string;
  readonly name: string;
  readonly path: string;
  readonly where: readonly string[];
  /** The last verdict beside it that promoted it. */
  readonly promoted: { readonly environment: string; readonly time: string } | null;
}

/**
 * @returns null: it is not in this release.
 * @throws SteelyardError INVALID_MBOM: the MBOM cannot be read, and may be the one.
 */
export function searchRelease(files: ReleaseFiles, query: Query): Found | null {
  const where =
    query.kind === 'digest' ? digestPlaces(files, query.digest, query.hex) : contentPlaces(files, query);
  if (where.length === 0) {
    assertReadable(files.mbom.bytes);
    return null;
  }
  const mbom = readMbom(files.mbom.bytes);
  return {
    release: files.mbom.digest,
    name: mbom.model.name,
    path: files.path,
    where,
    promoted: lastPromotion(files),
  };
}

const HEAD = /^schema: steelyard\/mbom\/1\n[^\\]*$/;

/** Of an MBOM as we write it the bytes say it all. Any other one is read: an escape could hide what is looked for. */
function assertReadable(bytes: Buffer): void {
  if (!HEAD.test(bytes.toString('latin1'))) readMbom(bytes);
}

function digestPlaces(files: ReleaseFiles, digest: string, hex: string): string[] {
  const { mbom, beside, evidence } = files;
  const places: string[] = [];
  if (mbom.digest === digest) places.push('the release itself');
  const text = mbom.bytes.includes(hex);
  const near = [...beside, ...evidence].filter((file) => file.digest === digest || mentions(file, hex));
  if (!text && near.length === 0) return places;
  const read = readMbom(mbom.bytes);
  if (text) places.push(...inMbom(read, digest, hex));
  for (const file of near) places.push(...inFile(file, digest, hex, read, files));
  return places;
}

/** In the clear, or in the payload of an envelope. */
function mentions({ bytes }: EvidenceFile, hex: string): boolean {
  return bytes.includes(hex) || payloadsOf(bytes).some((payload) => payload.includes(hex));
}

function payloadsOf(bytes: Buffer): Buffer[] {
  if (!bytes.includes('"payload"')) return [];
  const text = bytes.toString('latin1');
  return [...text.matchAll(/"payload":\s*"([A-Za-z0-9+/=]+)"/g)].map(([, payload]) =>
    Buffer.from(payload!, 'base64'),
  );
}

/** What must stand in every document that holds it, in lower case: all of an id; of a package's name the part that is spelled in one way. */
function wordOf(query: Exclude<Query, { kind: 'digest' | 'key' }>): string {
  if (query.kind === 'vulnerability') return query.id.toLowerCase();
  const parts = query.purl.name.toLowerCase().match(/[a-z0-9]+/g) ?? [];
  return parts.reduce((longest, one) => (one.length > longest.length ? one : longest), '');
}

/** An escape of JSON or of a package URL can spell any letter: what has one is read, whatever it seems to hold. */
const ESCAPE = /\\u|%[3-7][0-9a-f]/;

/** Reports and SBOMs are megabytes, and few hold what is looked for: only those are parsed. */
function mayHold({ bytes }: EvidenceFile, word: string): boolean {
  return [bytes, ...payloadsOf(bytes)].some((part) => {
    const text = part.toString('latin1').toLowerCase();
    return text.includes(word) || ESCAPE.test(text);
  });
}

function inMbom(mbom: Mbom, digest: string, hex: string): string[] {
  const parts: readonly (readonly [string, string | undefined])[] = [
    ['the model', mbom.model.digest],
    ['the base model', mbom.baseModel?.digest],
    ['the adapter', mbom.adapter?.digest],
    ['the image', mbom.runtimeImage?.split('@')[1]],
    ['the profile', mbom.profile],
    ['the tensors', mbom.tensors?.digest],
    ['the signing key', mbom.signingKey],
  ];
  const files = [...mbom.files, ...(mbom.config ?? [])].filter((file) => file.sha256 === hex);
  return [
    ...parts.filter(([, one]) => one === digest).map(([what]) => what),
    ...files.map(({ path }) => `file ${path}`),
  ];
}

function inFile(
  file: EvidenceFile,
  digest: string,
  hex: string,
  mbom: Mbom,
  { evidence }: ReleaseFiles,
): string[] {
  if (file.digest === digest) return [`the file ${file.path} itself`];
  const profile = file.bytes.includes('steelyard/profile/1') ? readProfile(file) : null;
  if (profile !== null) {
    // Another model's profile may lie there: only the one that the MBOM names is this release's.
    if (profile.digest !== mbom.profile) return [`${file.path}, which the MBOM does not name`];
    const tensors = profile.tensors.filter(({ sha256 }) => sha256 === digest);
    return tensors.map(({ name }) => `tensor ${name} of profile ${profile.digest}`);
  }
  const image = imagePart(digest, mbom, evidence);
  return [image ?? `mentioned in ${file.path}`].filter((one) => one !== '' && hex !== '');
}

function readProfile({ bytes }: EvidenceFile) {
  try {
    return parseProfile(bytes.toString('utf8'));
  } catch {
    return null; // it is mentioned in a file that is no profile
  }
}

function imagePart(digest: string, { runtimeImage }: Mbom, evidence: readonly EvidenceFile[]): string | null {
  if (runtimeImage === undefined) return null;
  const facts = settled(() => imageFacts(runtimeImage, sortEvidence(evidence))).value;
  for (const { name, manifest, config, layers } of facts?.platforms ?? []) {
    if (manifest === digest) return `the image for ${name}`;
    if (config === digest) return `the configuration of the image for ${name}`;
    const layer = layers.indexOf(digest);
    if (layer >= 0) return `layer ${layer} of the image for ${name}`;
  }
  return null;
}

function contentPlaces(
  { mbom, beside, evidence }: ReleaseFiles,
  query: Exclude<Query, { kind: 'digest' }>,
): string[] {
  if (query.kind === 'key') return signedPlaces(mbom, beside, evidence, query.publicKey);
  const word = wordOf(query);
  return sortEvidence(evidence.filter((file) => mayHold(file, word))).flatMap((piece) =>
    contentOf(piece, query).map((what) => `${what} in ${place(piece.source)}`),
  );
}

/** What a key signed, by its signatures: a hint proves nothing. */
function signedPlaces(
  mbom: EvidenceFile,
  beside: readonly EvidenceFile[],
  evidence: readonly EvidenceFile[],
  publicKey: Buffer,
): string[] {
  const now = new Date();
  const identity: Identity = { name: 'key', trust: { method: 'key', publicKey }, subject: null };
  const bytesOf = (name: string): Buffer | null => beside.find(({ path }) => path === name)?.bytes ?? null;
  const release = {
    mbom,
    mbomSignature: bytesOf(`${mbom.path}.sigstore.json`),
    modelSignature: bytesOf('model.sig'),
    files: [],
    config: [],
    evidence,
    scan: null,
  };
  const claims = openAll(sortEvidence(evidence), [identity], now).claims;
  const model = settled(() => provenModel(release, null, [identity], now));
  return [
    ...(settled(() => provenMbom(release, [identity], now)).value === undefined
      ? []
      : ['the signature of the MBOM']),
    // Its files are not here: that they are missing is said only after the signature held.
    ...(model.denials?.[0].code === 'MISSING_FILE' ? ['the signature of the model'] : []),
    ...claims.map(({ kind, source }) => `${kind} in ${place(source)}`),
  ];
}

function lastPromotion({ beside, mbom }: ReleaseFiles): Found['promoted'] {
  const verdicts = beside
    .filter(({ bytes }) => bytes.includes('steelyard/verdict/1'))
    .flatMap(({ bytes }) => {
      try {
        return [
          JSON.parse(bytes.toString('utf8')) as {
            outcome?: unknown;
            time?: unknown;
            environment?: unknown;
            release?: { digest?: unknown };
          },
        ];
      } catch {
        return [];
      }
    })
    .filter(({ outcome, release }) => outcome === 'promote' && release?.digest === mbom.digest)
    .map(({ environment, time }) => ({ environment: String(environment), time: String(time) }))
    .sort((a, b) => (a.time < b.time ? 1 : -1));
  return verdicts[0] ?? null;
}

export const evidenceFile = (path: string, bytes: Buffer): EvidenceFile => ({
  path,
  bytes,
  digest: digestOf(bytes),
});
