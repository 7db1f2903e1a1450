// The profile as a document, `steelyard/profile/1`: what a baseline is kept as. Canonical: the same model gives the same bytes.
import { createHash } from 'node:crypto';
import { chunked, profileLines } from './json.ts';
import type { Profile } from './profile.ts';

export const PROFILE_SCHEMA = 'steelyard/profile/1';

/** A profile with the digest that names it. */
export interface ProfileDocument extends Profile {
  readonly schema: typeof PROFILE_SCHEMA;
  /** `sha256:…` over everything that follows it in the document: names, dtypes, shapes, digests and statistics. */
  readonly digest: string;
}

/** Measured numbers as they come, or without them: smaller, but a comparison can then say only that a tensor changed. */
export function toDocument(profile: Profile, options: { readonly stats?: boolean } = {}): ProfileDocument {
  const { files } = profile;
  const tensors =
    options.stats === false ? profile.tensors.map((one) => ({ ...one, stats: null })) : profile.tensors;
  return { schema: PROFILE_SCHEMA, digest: digestOf({ files, tensors }), files, tensors };
}

/** The document's text, in pieces. */
export const profileChunks = (document: ProfileDocument): Generator<string, void, undefined> =>
  chunked(lines(document));

function* lines({ digest, ...profile }: ProfileDocument): Generator<string, void, undefined> {
  yield prologue(digest);
  yield* body(profile);
}

const prologue = (digest: string): string =>
  `{\n  "schema": "${PROFILE_SCHEMA}",\n  "digest": "${digest}",\n`;

function* body(profile: Profile): Generator<string, void, undefined> {
  yield* profileLines(profile);
  yield '\n}\n';
}

function digestOf(profile: Profile): string {
  const hash = createHash('sha256');
  for (const chunk of chunked(body(profile))) hash.update(chunk);
  return `sha256:${hash.digest('hex')}`;
}

/**
 * Whether the document is the one its digest names. `text` is what it was read from: if that is canonical, it need not be
 * written once more; if somebody reformatted it, its content still has the same digest.
 */
export function isIntact(document: ProfileDocument, text: string): boolean {
  const start = prologue(document.digest);
  if (text.startsWith(start)) {
    const hash = createHash('sha256').update(text.slice(start.length)).digest('hex');
    if (document.digest === `sha256:${hash}`) return true;
  }
  return digestOf(document) === document.digest;
}
