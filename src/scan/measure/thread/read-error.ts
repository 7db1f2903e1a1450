// What native code says of a file that it could not read, as the error that people and programs get.
import { getSystemErrorName } from 'node:util';
import { SteelyardError } from '../../../rules/error.ts';
import { changed, type FileEntry } from '../../model/file.ts';

/** How a native call ended; `offset`: absolute, where it failed; `errno`: of the system, 0 where it has none. */
interface NativeOutcome {
  readonly outcome: 'done' | 'aborted' | 'truncated' | 'failed';
  readonly offset: number;
  readonly errno: number;
}

/** null: it was read. FILE_CHANGED where it was truncated, else IO. */
export function readError(
  entry: FileEntry,
  { outcome, offset, errno }: NativeOutcome,
): SteelyardError | null {
  if (outcome === 'truncated') return changed(entry, 'it was truncated', offset);
  if (outcome !== 'failed') return null;
  const name = errno === 0 ? 'unknown' : getSystemErrorName(-errno);
  return new SteelyardError('IO', `cannot read the file: ${name}`, { file: entry.path, offset, errno: name });
}
