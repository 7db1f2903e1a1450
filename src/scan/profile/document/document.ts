// The profile as a document, `steelyard/profile/1`: what a baseline is kept as. Canonical: the same model gives the same bytes.
import { createHash } from 'node:crypto';
import { chunked } from '../../../document/json/chunks.ts';
import type { Profile } from '../profile.ts';
import { profileLines } from './profile-lines.ts';

export const PROFILE_SCHEMA = 'steelyard/profile/1';

/** A profile with the digest that names it. */
export interface ProfileDocument extends Profile {
  readonly schema: typeof PROFILE_SCHEMA;
  /** `sha256:…` over everything that follows it in the document: names, dtypes, shapes, digests and statistics. */
  readonly digest: string;
}

/** Measured numbers as they come, or without them: smaller, but a comparison can then say only that a tensor changed. */
export function toDocument(profile: Profile, options: { readonly stats?: boolean } = {}): ProfileDocument {
  // What a scan found out about a file's content is for its report: a baseline says what the model is.
  const files = profile.files.map(({ kind, state, ...file }) => file);
  const tensors =
    options.stats === false ? profile.tensors.map((one) => ({ ...one, stats: null })) : profile.tensors;
  const text: string[] = [];
  const digest = digestOf(kept(body({ files, tensors }), text));
  const document = { schema: PROFILE_SCHEMA, digest, files, tensors } as const;
  unwritten.set(document, text);
  return document;
}

/** What the digest of a new document was taken of, until it is written: to make it again would take as long once more. */
const unwritten = new WeakMap<ProfileDocument, readonly string[]>();

/** The document's text, in pieces. */
export function* profileChunks(document: ProfileDocument): Generator<string, void, undefined> {
  const text = unwritten.get(document) ?? body(document);
  unwritten.delete(document);
  yield prologue(document.digest);
  yield* text;
}

const prologue = (digest: string): string =>
  `{\n  "schema": "${PROFILE_SCHEMA}",\n  "digest": "${digest}",\n`;

const body = (profile: Profile): Iterable<string> => chunked(lines(profile));

function* lines(profile: Profile): Generator<string, void, undefined> {
  yield* profileLines(profile);
  yield '\n}\n';
}

/** Keeps each chunk when it was used: it is one string by then, and no longer all the lines that it was made of. */
function* kept(chunks: Iterable<string>, text: string[]): Generator<string, void, undefined> {
  for (const chunk of chunks) {
    yield chunk;
    text.push(chunk);
  }
}

function digestOf(text: Iterable<string>): string {
  const hash = createHash('sha256');
  for (const chunk of text) hash.update(chunk);
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
  return digestOf(body(document)) === document.digest;
}
