// Are the files still the ones that were verified? Asked once a second at most, however many requests there are.
import { readFile } from 'node:fs/promises';
import { inert } from '../../document/text/inert.ts';
import { SteelyardError } from '../../rules/error.ts';
import {
  type Headers,
  headersOf,
  type Provenance,
  readProvenance,
  UNKNOWN_HEADERS,
} from './provenance-document.ts';
import { sameStat, statOf, statsOf } from './stat.ts';

export interface Standing {
  readonly known: boolean;
  readonly headers: Headers;
  /** Why nothing is known, for people; null where it is known. */
  readonly reason: string | null;
}

/** One answer serves a second: clients learn of a change within two, with a proxy that asks every half second. */
const MOST_AGE = 1000;

/**
 * Looks at the document and at each file it names. Whatever cannot be looked at makes the answer `unknown`; a new document, which
 * only a new verification writes, makes it known again.
 */
export function standingOf(path: string, age: number = MOST_AGE): () => Promise<Standing> {
  let asked = Number.NEGATIVE_INFINITY;
  let answer: Promise<Standing> | null = null;
  const documents = documentAt(path);
  return () => {
    // Monotonic: a clock that is set back must not keep an old answer alive.
    const now = performance.now();
    if (answer === null || now - asked >= age) {
      asked = now;
      answer = documents().then(look).catch(unknown);
    }
    return answer;
  };
}

/** Reads the document again only when another one has taken its place. */
function documentAt(path: string): () => Promise<Provenance> {
  let last: { readonly stat: Awaited<ReturnType<typeof statOf>>; readonly value: Provenance } | null = null;
  return async () => {
    const stat = await statOf(path);
    if (last !== null && sameStat(last.stat, stat)) return last.value;
    const value = readProvenance(await readFile(path), path);
    last = { stat, value };
    return value;
  };
}

async function look(provenance: Provenance): Promise<Standing> {
  const places = [...provenance.files, ...provenance.folders];
  const stats = await statsOf(
    provenance.root,
    places.map(({ path }) => path),
  );
  const changed = places.find(({ stat }, index) => !sameStat(stat, stats[index]!));
  if (changed === undefined) return { known: true, headers: headersOf(provenance), reason: null };
  return unknown(new SteelyardError('FILE_CHANGED', `${changed.path} is not as it was verified`));
}

const unknown = (error: unknown): Standing => ({
  known: false,
  headers: UNKNOWN_HEADERS,
  reason: inert(error instanceof Error ? error.message : String(error)),
});
