// How much of a model was looked into, in counts: what the closing lines, a policy and an attestation go by.
import { isUnexamined, type Looked, roleOf, type State } from './kind.ts';

interface Examination<T extends Looked> {
  readonly examined: number;
  readonly identified: number;
  readonly hashed: number;
  /** Files that nobody looked into and that can run or hold weights. */
  readonly unexamined: readonly T[];
  /** Those of them that can run. */
  readonly running: readonly T[];
}

/** A file without a state, as in reports of earlier releases, was only hashed. */
export function examinationOf<T extends Looked>(files: readonly T[]): Examination<T> {
  const unexamined = files.filter(isUnexamined);
  const counted = (state: State): number => files.filter((file) => (file.state ?? 'hashed') === state).length;
  return {
    examined: counted('examined'),
    identified: counted('identified'),
    hashed: counted('hashed'),
    unexamined,
    running: unexamined.filter(({ kind }) => kind !== undefined && roleOf(kind) === 'runs'),
  };
}
