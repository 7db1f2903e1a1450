// Which symlinks are followed. A model is often an archive of a stranger, and a link in it may lead to any file of this
// machine, whose digest and header would then stand in a report that goes elsewhere. The judgement is about where a link
// ends, by its real path, never about what it says: a chain of links that each look harmless leads out all the same.
import { existsSync, statSync } from 'node:fs';
import { basename, dirname, join, resolve, sep } from 'node:path';
import { errnoOf, SteelyardError } from '../../rules/error.ts';
import { linkTarget, realPath } from '../../runtime/folder.ts';

/**
 * `within:DIR`: links may also lead into DIR. Default: within the folders that were named. `cache`: only those by which a cache
 * of the Hub keeps its files.
 */
export type FollowSymlinks = 'never' | 'cache' | 'always' | `within:${string}`;

export const followCheck = (value: unknown): string | null =>
  ['never', 'cache', 'always'].includes(value as string) || /^within:./s.test(String(value))
    ? null
    : 'never, cache, always or within:FOLDER';

export class Links {
  readonly #never: boolean;
  /** Real paths of folders that links may lead into; null: any. */
  readonly #folders: readonly string[] | null;
  /** Repos of a cache of the Hub. */
  readonly #repos: readonly string[];

  /** `folders`: absolute, they exist. Throws USAGE if DIR does not. */
  constructor(follow: FollowSymlinks | undefined, folders: readonly string[]) {
    this.#never = follow === 'never';
    const more = follow?.startsWith('within:') ? [realFolder(follow.slice('within:'.length))] : [];
    const roots = folders.map(realPath);
    this.#repos = roots.flatMap(hubRepo);
    const own =
      follow === 'cache' ? this.#repos.map((repo) => join(repo, 'blobs')) : [...roots, ...this.#repos];
    this.#folders = follow === 'always' ? null : [...own, ...more];
  }

  /**
   * The real path of the regular file that a link in a folder leads to.
   * @param file the link's name in errors. Throws NOT_REGULAR, with advice.
   */
  follow(link: string, file: string): string {
    const refuse = (why: string, advice: string): SteelyardError =>
      new SteelyardError('NOT_REGULAR', `${why}; ${advice}`, { file });
    let real: string;
    try {
      real = realPath(link);
      if (statSync(real).isDirectory())
        // Links to folders make a tree of any size out of a few of them.
        throw refuse(
          'a link to a folder, which is not followed',
          'name the folder itself, or remove the link',
        );
      if (!statSync(real).isFile()) throw refuse('a link that leads to no regular file', REMOVE);
    } catch (error) {
      if (error instanceof SteelyardError) throw new SteelyardError(error.code, error.message, { file });
      throw refuse(`a link that leads to no file (${errnoOf(error) ?? 'unknown'})`, REMOVE);
    }
    if (this.#never) throw refuse('a link, and links are not to be followed', COPY);
    if (this.#folders?.every((folder) => !isWithin(folder, real)) && !this.#isSharedBlob(link, real))
      throw refuse(`a link that leads out of the model, to ${real}`, ALLOW);
    return real;
  }

  /**
   * huggingface_hub 2.x keeps one store of blobs for all repos of a cache: the link of a snapshot leads to the repo's own blobs/, and the
   * link that lies there leads on. A link that leads into the store by another way is not one of the cache's.
   */
  #isSharedBlob(link: string, real: string): boolean {
    const first = resolve(dirname(link), linkTarget(link));
    return this.#repos.some((repo) => {
      const shared = join(dirname(repo), 'blobs');
      return (
        realPath(dirname(first)) === join(repo, 'blobs') &&
        isWithin(shared, real) &&
        existsSync(join(shared, '.huggingface-shared-blobs'))
      );
    });
  }
}

const REMOVE = 'remove it from the model, or name the files to scan';
const COPY = 'put the file in its place: cp -rL copies a snapshot of a Hub cache with its files';
const ALLOW = 'put the file in its place, or allow the link with --follow-symlinks within:DIR or always';

function realFolder(folder: string): string {
  try {
    const real = realPath(resolve(folder));
    if (folder !== '' && statSync(real).isDirectory()) return real;
  } catch {
    // Said below.
  }
  throw new SteelyardError('USAGE', `follow symlinks within ${folder || 'what'}: there is no such folder`);
}

// A cache of the Hub keeps models--ORG--NAME/snapshots/REVISION/config.json as a link to ../../blobs/DIGEST.
export function hubRepo(root: string): string[] {
  for (let folder = root; dirname(folder) !== folder; folder = dirname(folder)) {
    const repo = dirname(dirname(folder));
    if (basename(dirname(folder)) === 'snapshots' && basename(repo).startsWith('models--')) return [repo];
  }
  return [];
}

const isWithin = (folder: string, path: string): boolean =>
  path.startsWith(folder.endsWith(sep) ? folder : folder + sep);
