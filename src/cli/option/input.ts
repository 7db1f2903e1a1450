// Small files that the user names: keys, certificates, signatures, documents.
import { closeSync, fstatSync, openSync } from 'node:fs';
import { errnoOf, SteelyardError } from '../../rules/error.ts';
import { readAll } from '../../runtime/read-all.ts';

/** Signatures of models with 100,000 files have some 50 MB. A device or a pipe never ends. */
const MAX = 134_217_728;

/** @param what the file is, for messages: 'public key'. Throws NOT_FOUND, NOT_REGULAR, IO, LIMIT. */
export function readInput(path: string, what: string, most: number = MAX): Buffer {
  let descriptor: number | undefined;
  try {
    descriptor = openSync(path, 'r');
    const stat = fstatSync(descriptor);
    if (!stat.isFile())
      throw new SteelyardError('NOT_REGULAR', `the ${what} is not a file: ${path}`, { file: path });
    if (stat.size > most)
      throw new SteelyardError('LIMIT', `the ${what} is larger than ${most} bytes`, { file: path });
    return readAll(descriptor, stat.size);
  } catch (cause) {
    const errno = errnoOf(cause);
    if (errno === undefined || cause instanceof SteelyardError) throw cause;
    const message = `cannot read the ${what} ${path} (${errno})`;
    throw new SteelyardError(errno === 'ENOENT' ? 'NOT_FOUND' : 'IO', message, { file: path, errno, cause });
  } finally {
    if (descriptor !== undefined) closeSync(descriptor);
  }
}
