// Where the report goes: a file that is there whole or not at all, or stdout with backpressure.
import { randomBytes } from 'node:crypto';
import { unlinkSync } from 'node:fs';
import { access, constants, lstat, open, rename, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { chunked } from '../../document/json/chunks.ts';
import { errnoOf, SteelyardError } from '../../rules/error.ts';

/**
 * Checks before hours of scanning that `path` can become the report. Refuses a symlink (a link planted in a shared folder
 * would choose which file of ours is replaced), anything but a regular file, and the very files that are to be scanned.
 */
export async function checkOutput(path: string, scanned: readonly string[]): Promise<void> {
  const folder = dirname(path);
  await access(folder, constants.W_OK).catch((cause) => {
    throw failed(`cannot write ${path}: no access to its folder`, path, cause, NAME_ANOTHER);
  });
  const existing = await lstatOrNull(path);
  if (existing === null) return;
  if (existing.isSymbolicLink())
    throw new SteelyardError('USAGE', `${path} is a symlink; name its target with --output`, { file: path });
  if (!existing.isFile())
    throw new SteelyardError('NOT_REGULAR', `${path} is not a regular file; leave --output out for stdout`, {
      file: path,
    });
  const same = await Promise.all(
    scanned.map(async (one) => {
      const other = await stat(one).catch(() => null); // the scan will say what is wrong with it
      return other !== null && other.dev === existing.dev && other.ino === existing.ino;
    }),
  );
  if (same.includes(true) || WEIGHTS.test(path))
    throw new SteelyardError('USAGE', `--output ${path} would replace a weight file; name another file`, {
      file: path,
    });
}

const NAME_ANOTHER = '; name another file with --output';
const WEIGHTS = /\.(safetensors|gguf)$/i;

/** Writes all of `chunks` to `path`, or leaves what was there: temporary file, fsync, rename, fsync of the folder. */
export async function writeFileWhole(
  path: string,
  chunks: Iterable<string>,
  signal: AbortSignal,
): Promise<void> {
  const folder = dirname(path);
  const temporary = join(folder, `.steelyard-${randomBytes(8).toString('hex')}.tmp`);
  const remove = (): void => {
    try {
      unlinkSync(temporary);
    } catch {
      // It was never made, or renamed already.
    }
  };
  process.once('exit', remove); // a second Ctrl-C exits at once
  try {
    const existing = await lstatOrNull(path);
    const handle = await open(temporary, 'wx', 0o600);
    try {
      // To wait for each of the 1,850 chunks of 100,000 tensors took as long as to write them.
      for (const piece of chunked(chunks, 1 << 20)) {
        signal.throwIfAborted();
        await handle.writeFile(piece);
      }
      // Nobody else could read it while it was half; a file that is replaced keeps its permissions.
      await handle.chmod(existing?.isFile() ? existing.mode & 0o777 : 0o666 & ~process.umask());
      await handle.sync();
    } finally {
      await handle.close();
    }
    signal.throwIfAborted();
    await rename(temporary, path); // replaces a symlink that appeared meanwhile, never follows it
    await syncFolder(folder);
  } catch (cause) {
    remove();
    // Not whenever it is aborted: what failed after the renaming was written.
    if (cause === signal.reason) throw new SteelyardError('ABORTED', 'interrupted', { cause });
    throw failed(`cannot write the report to ${path}`, path, cause, NAME_ANOTHER);
  } finally {
    process.removeListener('exit', remove);
  }
}

/** Without it a crash of the machine could forget the rename. Some file systems cannot sync folders; that is no failure. */
async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } catch (error) {
    if (!['EINVAL', 'ENOTSUP', 'EPERM', 'EBADF'].includes(errnoOf(error) ?? '')) throw error;
  } finally {
    await handle.close();
  }
}

/** Writes to stdout, never more than one chunk ahead of the reader. A reader that left (head, less) is no error. */
export async function writeStdout(chunks: Iterable<string>): Promise<void> {
  for (const chunk of chunks) {
    const error = await new Promise<Error | null | undefined>((resolve) =>
      process.stdout.write(chunk, resolve),
    );
    if (!error) continue;
    if (errnoOf(error) === 'EPIPE') return;
    throw failed('cannot write the report to stdout', undefined, error);
  }
}

function failed(message: string, file: string | undefined, cause: unknown, advice = ''): SteelyardError {
  const errno = errnoOf(cause);
  return new SteelyardError('IO', `${message}${errno === undefined ? '' : ` (${errno})`}${advice}`, {
    ...(file === undefined ? {} : { file }),
    ...(errno === undefined ? {} : { errno }),
    cause,
  });
}

const lstatOrNull = (path: string) =>
  lstat(path).catch((error) => {
    if (errnoOf(error) === 'ENOENT') return null;
    throw failed(`cannot look at ${path}`, path, error);
  });
