// Templates that public projects hold as those of a model family: facts, by the digest of the normalised text. To be known lowers
// no finding; it says that the text is not one of somebody's own.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { PACKAGE_ROOT } from '../../../runtime/package.ts';

export interface Known {
  readonly family: string;
  readonly digest: string;
  /** The public repository that holds it, and since when. */
  readonly source: string;
  readonly path: string;
  readonly date: string;
}

let known: ReadonlyMap<string, Known> | undefined;

/** Read when it is first asked for: only what has findings is looked up. */
export function knownTemplate(digest: string): Known | undefined {
  known ??= new Map(list().map((one) => [one.digest, one]));
  return known.get(digest);
}

const list = (): Known[] =>
  JSON.parse(readFileSync(join(PACKAGE_ROOT, 'policies', 'known-templates', 'known-templates.json'), 'utf8'));
