// Where bytes lie until they are trusted: a folder beside the one they are for, on the same file system, that only its owner can
// look into. It becomes the model by one rename, or it never does.
import {
  closeSync,
  constants,
  existsSync,
  fstatSync,
  fsyncSync,
  lstatSync,
  mkdirSync,
  openSync,
  renameSync,
  rmSync,
  statfsSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { errnoOf, SteelyardError } from '../../rules/error.ts';
import { entriesOf, filesBelow } from '../../runtime/folder.ts';
import { claim, release } from './claim.ts';
import { forgetLedger, type Ledger, readLedger, writeLedger } from './ledger.ts';

export class Quarantine {
  /** Where the model will be. */
  readonly output: string;
  /** `.NAME.part` beside it. */
  readonly folder: string;
  /** The model's folder inside. */
  readonly model: string;

  private constructor(output: string) {
    this.output = resolve(output);
    if (basename(this.output) === '')
      throw new SteelyardError('USAGE', 'the root of the file system is no model');
    this.folder = join(dirname(this.output), `.${basename(this.output)}.part`);
    this.model = join(this.folder, 'model');
  }

  /** Throws USAGE (another pull is at work, a folder that is not ours), IO. What an earlier pull left is kept. */
  static open(output: string): Quarantine {
    const quarantine = new Quarantine(output);
    attempt(quarantine.folder, () => {
      mkdirSync(dirname(quarantine.output), { recursive: true });
      makePrivate(quarantine.folder);
      claim(quarantine.folder);
      makePrivate(quarantine.model);
    });
    return quarantine;
  }

  /** What an earlier pull of the same listing finished; null: there is nothing, or it was another listing. */
  resume(listing: string): Ledger | null {
    const ledger = readLedger(this.folder);
    if (ledger?.listing === listing) return ledger;
    this.clear();
    return null;
  }

  record(ledger: Ledger): void {
    attempt(this.folder, () => writeLedger(this.folder, ledger));
  }

  /** Starts over. */
  clear(): void {
    attempt(this.folder, () => {
      rmSync(this.model, { recursive: true, force: true });
      makePrivate(this.model);
    });
  }

  /** Throws NO_SPACE before the disk is full rather than after. */
  assertRoom(bytes: number): void {
    const { bavail, bsize } = attempt(this.folder, () => statfsSync(this.folder));
    const wanted = Math.ceil(bytes * 1.05);
    if (bavail * bsize >= wanted) return;
    const message = `the model needs ${wanted} bytes and the disk has ${bavail * bsize} left; free some, or name another folder`;
    throw new SteelyardError('NO_SPACE', message, { file: this.output });
  }

  /** A file of the model, for writing. A link that lies in its place is not followed. */
  openFile(path: string): number {
    const absolute = join(this.model, path);
    return attempt(path, () => {
      mkdirSync(dirname(absolute), { recursive: true, mode: 0o700 });
      const descriptor = openSync(
        absolute,
        constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW,
        0o600,
      );
      const stat = fstatSync(descriptor);
      if (stat.isFile() && stat.nlink === 1) return descriptor;
      closeSync(descriptor);
      throw new SteelyardError('IO', 'what lies in the quarantine is not a file of ours', { file: path });
    });
  }

  /** A file of the model, for reading. */
  readFile(path: string): number {
    return attempt(path, () => openSync(join(this.model, path), constants.O_RDONLY | constants.O_NOFOLLOW));
  }

  /**
   * What is in the quarantine, durable, becomes the model: there is a moment before it and one after it, none between.
   * `documents`: what is written beside it, by the ending of the name. They come first, so that no model is without them.
   */
  commit(documents: ReadonlyMap<string, string>): void {
    attempt(this.output, () => {
      syncTree(this.model);
      putBeside(this.output, documents, this.folder);
      renameSync(this.model, this.output); // replaces an empty folder, and no other
      syncFolder(dirname(this.output));
    });
    this.remove();
  }

  /** Documents for a model that is at its place already. */
  document(documents: ReadonlyMap<string, string>): void {
    attempt(this.output, () => putBeside(this.output, documents, this.folder));
  }

  /** Removes everything that was fetched. */
  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** Leaves what was fetched: for the next pull, or, if it was refused, to be looked at and not to be used again. */
  leave(isRefused: boolean): void {
    if (isRefused) forgetLedger(this.folder);
    release(this.folder);
  }
}

/** Whole or not at all: written in the quarantine, renamed to where they belong. */
function putBeside(output: string, documents: ReadonlyMap<string, string>, folder: string): void {
  for (const [ending, text] of documents) {
    const temporary = join(folder, `document${ending}`);
    writeFileSync(temporary, text, { mode: 0o644 });
    sync(temporary, constants.O_RDONLY);
    renameSync(temporary, `${output}${ending}`);
  }
}

/** Whether there is something at the output that a pull must not replace. */
export function isTaken(output: string): boolean {
  try {
    return !lstatSync(output).isDirectory() || entriesOf(output).length > 0;
  } catch {
    return existsSync(output);
  }
}

/** Whether a folder has these files, of these sizes, and nothing else. */
export function holdsExactly(
  folder: string,
  files: readonly { readonly path: string; readonly size: number }[],
): boolean {
  if (!lstatSync(folder).isDirectory()) return false;
  const sizes = new Map(files.map(({ path, size }) => [path, size]));
  const found = filesBelow(folder);
  return (
    found.length === files.length &&
    found.every(({ path }) => {
      const stat = lstatSync(join(folder, path));
      return stat.isFile() && stat.size === sizes.get(path);
    })
  );
}

/** A folder for its owner alone. One that somebody else made, or can write to, holds what they like. */
function makePrivate(folder: string): void {
  try {
    mkdirSync(folder, { mode: 0o700 });
  } catch (error) {
    if (errnoOf(error) !== 'EEXIST') throw error;
  }
  const stat = lstatSync(folder);
  if (stat.isDirectory() && stat.uid === process.getuid?.() && (stat.mode & 0o077) === 0) return;
  throw new SteelyardError('USAGE', `${folder} is in the way and not a private folder of yours; remove it`);
}

function syncTree(folder: string): void {
  for (const { name, what } of entriesOf(folder)) {
    const path = join(folder, name);
    if (what.isDirectory()) syncTree(path);
    else sync(path, constants.O_RDONLY | constants.O_NOFOLLOW);
  }
  syncFolder(folder);
}

function sync(path: string, flags: number): void {
  const descriptor = openSync(path, flags);
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

/** Some file systems cannot sync folders; that is no failure. */
function syncFolder(folder: string): void {
  try {
    sync(folder, constants.O_RDONLY);
  } catch (error) {
    if (!['EINVAL', 'ENOTSUP', 'EPERM', 'EBADF'].includes(errnoOf(error) ?? '')) throw error;
  }
}

function attempt<T>(file: string, action: () => T): T {
  try {
    return action();
  } catch (cause) {
    if (cause instanceof SteelyardError) throw cause;
    throw writeError(cause, file);
  }
}

/** Of a file system that does not do what it is asked to. */
export function writeError(cause: unknown, file: string): SteelyardError {
  const errno = errnoOf(cause);
  if (errno === undefined) throw cause;
  const full = errno === 'ENOSPC' || errno === 'EDQUOT';
  const message = full ? 'the disk is full' : `cannot be written: ${errno}`;
  return new SteelyardError(full ? 'NO_SPACE' : 'IO', message, { file, errno, cause });
}
