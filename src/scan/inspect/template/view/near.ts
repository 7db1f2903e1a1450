// The known template that a text was made from: by the digests of the pieces between two tags, because texts are not kept. What is new
// in it can be shown, and what is gone can be counted.
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { PACKAGE_ROOT } from '../../../../runtime/package.ts';
import { type Known, knownTemplate } from '../known.ts';

export interface Near {
  readonly known: Known;
  /** Pieces that the known template does not have: where each begins, in UTF-16 units, and what it says. */
  readonly added: readonly { readonly at: number; readonly text: string }[];
  /** How many pieces of the known template are gone. */
  readonly gone: number;
}

/** Digits of a piece's SHA-256 that are kept. */
const DIGITS = 6;
/** A template with fewer pieces has nothing that it could be recognised by. */
const LEAST = 6;
/** Of all different pieces of the two, the share that both must have. */
const SHARE = 0.6;

let pieces: ReadonlyMap<string, readonly string[]> | undefined;

/** null: it is like none. */
export function nearTemplate(text: string): Near | null {
  const mine = piecesOf(text);
  const digests = new Set(mine.map(({ digest }) => digest));
  if (digests.size < LEAST) return null;
  let best: { digest: string; shared: number; theirs: readonly string[] } | undefined;
  let most = SHARE;
  for (const [digest, theirs] of knownPieces()) {
    const shared = theirs.filter((piece) => digests.has(piece)).length;
    const share = shared / (digests.size + theirs.length - shared);
    if (share < most) continue;
    most = share;
    best = { digest, shared, theirs };
  }
  const known = best === undefined ? undefined : knownTemplate(best.digest);
  if (best === undefined || known === undefined) return null;
  const theirs = new Set(best.theirs);
  const added = mine.filter(({ digest }) => !theirs.has(digest)).map(({ at, text }) => ({ at, text }));
  return { known, added, gone: best.theirs.length - best.shared };
}

function piecesOf(source: string): { at: number; text: string; digest: string }[] {
  const found: { at: number; text: string; digest: string }[] = [];
  let at = 0;
  for (const piece of source.replace(/\r\n?/g, '\n').split(/(?=\{[%{#])/)) {
    const text = piece.trim();
    const digest = createHash('sha256').update(text).digest('hex').slice(0, DIGITS);
    if (text !== '') found.push({ at: at + piece.indexOf(text), text, digest });
    at += piece.length;
  }
  return found;
}

function knownPieces(): ReadonlyMap<string, readonly string[]> {
  pieces ??= new Map(
    Object.entries(list()).map(([digest, all]) => [digest, all.match(/.{6}/g) ?? []] as const),
  );
  return pieces;
}

const list = (): Record<string, string> =>
  JSON.parse(readFileSync(join(PACKAGE_ROOT, 'policies', 'known-templates', 'known-pieces.json'), 'utf8'));
