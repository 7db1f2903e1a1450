// What of a folder is no part of the model: Git's own files and the Hub client's, and what the user leaves out. Never weights or code:
// whoever can name files for a scan to pass over would name those.
import { matchesGlob } from '../../document/text/glob.ts';
import { SteelyardError } from '../../rules/error.ts';
import { isDocument, mayHoldTemplate } from './companion.ts';
import { isLoadable } from './loadable.ts';

/** Files that were not looked at, by what left them out. */
export interface LeftOut {
  /** A glob of the user's, or the name of a folder that is always left out. */
  readonly pattern: string;
  readonly files: number;
  /** Of the user's globs: which files. */
  readonly paths?: readonly string[];
}

/** As signatures leave them out, at the top of the model only; what is called like weights or code stays. */
const ALWAYS = ['.git', '.cache/huggingface'];

export class Exclusion {
  readonly #always: readonly string[];
  readonly #globs: readonly string[];
  readonly #counts = new Map<string, number>();
  readonly #paths = new Map<string, string[]>();

  /** `everything`: for who compares all files with those that were declared. */
  constructor(globs: readonly string[], everything: boolean) {
    this.#always = everything ? [] : ALWAYS;
    this.#globs = globs.map((glob) => glob.replace(/^\.\//, '').replace(/\/+$/, ''));
  }

  /** Whether a folder's own programs keep a file, which is counted then. `inside`: relative to the folder that was named. */
  isKeptByTools(inside: string): boolean {
    const pattern = this.#always.find((one) => inside === one || inside.startsWith(`${one}/`));
    if (pattern === undefined || isLoadable(inside)) return false;
    this.#counts.set(pattern, (this.#counts.get(pattern) ?? 0) + 1);
    return true;
  }

  /** The glob that leaves out a path, or a folder that it lies in; one without a slash holds at any depth. */
  globOf(path: string): string | undefined {
    if (this.#globs.length === 0) return undefined;
    const folders = prefixes(path);
    return this.#globs.find((glob) =>
      folders.some((one) => matchesGlob(glob.includes('/') ? glob : `**/${glob}`, one)),
    );
  }

  leaveOut(glob: string, path: string): void {
    const paths = this.#paths.get(glob) ?? [];
    paths.push(path);
    this.#paths.set(glob, paths);
  }

  list(): LeftOut[] {
    return [
      ...[...this.#counts].map(([pattern, files]) => ({ pattern, files })),
      ...this.#globs.flatMap((pattern) => {
        const paths = this.#paths.get(pattern)?.sort();
        return paths === undefined ? [] : [{ pattern, files: paths.length, paths }];
      }),
    ];
  }
}

/** By its name: what is loaded or run, or decides what is. */
export const isNeeded = (path: string): boolean =>
  isLoadable(path) || isDocument(path) || mayHoldTemplate(path) || /\.(json|ya?ml|model|vocab)$/i.test(path);

export const notToBeLeftOut = (path: string): SteelyardError =>
  new SteelyardError(
    'USAGE',
    `${path} cannot be left out: it holds weights, code or settings, or may; move it out of the folder`,
    { file: path },
  );

/** a, a/b, a/b/c */
function prefixes(path: string): string[] {
  const found = [path];
  for (let at = path.lastIndexOf('/'); at > 0; at = path.lastIndexOf('/', at - 1))
    found.push(path.slice(0, at));
  return found;
}
