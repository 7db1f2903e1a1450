// Tensors whose bytes changed, each pair of them read once and held against each other.
import { getSystemErrorName } from 'node:util';
import type { Pair } from '../compare/pairing.ts';
import { type DtypeInfo, dtypeByName } from '../dtype.ts';
import { SteelyardError } from '../error.ts';
import { factorName } from '../inspect/adapter/name.ts';
import { type Difference, planPair, seedOf } from '../measure/difference.ts';
import { DifferencePool } from '../measure/difference-pool.ts';
import type { DifferenceReply } from '../measure/difference-worker.ts';
import { type MeasureOptions, type Progress, threadsOf } from '../measure/measure.ts';
import { changed, type ModelFile } from '../model/file.ts';
import type { TensorProfile } from '../profile/profile.ts';
import { isRewritten } from './conclusion-bits.ts';
import { placeOf } from './match.ts';
import { payloadIn } from './payload.ts';
import type { TensorChange } from './report.ts';
import { reopen, type SideModel } from './side.ts';

export interface TensorChanges {
  readonly tensors: readonly TensorChange[];
  /** What stands in the low bits of a tensor, by the suspect's name. */
  readonly payloads: ReadonlyMap<string, string>;
  readonly errors: readonly SteelyardError[];
}

type Sides = readonly [good: SideModel, suspect: SideModel];
type Options = Pick<MeasureOptions, 'threads' | 'io' | 'signal' | 'onProgress'>;

/** Errors about single files are collected; ABORTED, NATIVE_UNAVAILABLE and INTERNAL are thrown. */
export async function compareTensors(
  pairs: readonly Pair[],
  sides: Sides,
  options: Options,
): Promise<TensorChanges> {
  if (pairs.length === 0) return { tensors: [], payloads: new Map(), errors: [] };
  const pool = new DifferencePool(threadsOf(options), options.signal);
  const files = new OpenFiles(sides);
  const end = telling(pairs, pool, options.onProgress);
  try {
    const tensors = await Promise.all(pairs.map((pair) => changeOf(pair, sides, files, pool, options)));
    const payloads = payloadsOf(tensors, pairs, files);
    return { tensors, payloads, errors: files.held() };
  } finally {
    end();
    await pool.close();
    files.close();
  }
}

async function changeOf(
  pair: Pair,
  sides: Sides,
  files: OpenFiles,
  pool: DifferencePool,
  { io = 'auto' }: Options,
): Promise<TensorChange> {
  const change = { good: placeOf(pair.base), suspect: placeOf(pair.now) };
  const shape = comparable(pair, sides);
  if (typeof shape === 'string') return { ...change, difference: null, reason: shape };
  const opened = files.both(pair);
  if (opened === null) return { ...change, difference: null, reason: UNREAD };
  const plan = planPair(place(opened[0], pair.base), place(opened[1], pair.now), shape);
  const { name } = pair.now;
  const reply = await pool.measure({ plan, shape, seed: seedOf(name), io, spectrum: !isFactor(name) });
  if (reply.outcome === 'done')
    return { ...change, difference: reply.difference as Difference, reason: null };
  files.fail(reply.side, opened[reply.side], reply);
  return { ...change, difference: null, reason: UNREAD };
}

function payloadsOf(
  tensors: readonly TensorChange[],
  pairs: readonly Pair[],
  files: OpenFiles,
): Map<string, string> {
  const found = new Map<string, string>();
  tensors.forEach((change, index) => {
    if (!isRewritten(change)) return;
    const payload = payloadIn(change, pairs[index]!.now, files.both(pairs[index]!)![1]);
    if (payload !== null) found.set(change.suspect.name, payload);
  });
  return found;
}

/** Factors of one update come in many pairs with the same product, so that the spectrum of a factor's change says nothing. */
const isFactor = (name: string): boolean =>
  factorName(name, 'safetensors') !== null || factorName(name, 'gguf') !== null;

const UNREAD = 'a file could not be read; see errors';

const place = (file: ModelFile, { start, dtype }: TensorProfile) => ({
  fd: file.fd,
  size: file.size,
  start,
  dtype: dtypeByName(dtype)!,
});

/** The shape over which the two can be held against each other, or why they cannot. */
function comparable({ base, now }: Pair, sides: Sides): readonly number[] | string {
  const absent = sides.find(({ files }) => files === null);
  if (absent !== undefined) return `of the ${absent.which} model only the profile is there, not the values`;
  for (const { dtype, sha256 } of [base, now]) {
    if (!isDecoded(dtypeByName(dtype))) return `single values of ${dtype} are not decoded`;
    if (sha256 === null) return 'its bytes overlap those of another tensor';
  }
  const shape = sharedShape(base.shape, now.shape);
  if (shape === null) return 'the shapes have no elements in common';
  // Where rows are no whole blocks of one of the dtypes, there is nothing to hold against each other.
  const count = shape.reduce((all, size) => all * size, 1);
  const isWhole = [base, now].every(({ dtype }) => count % dtypeByName(dtype)!.blockCount === 0);
  return isWhole && count > 0 ? shape : 'the shapes have no elements in common';
}

/** Every element is one value. */
const isDecoded = (dtype: DtypeInfo | undefined): boolean =>
  dtype?.coverage === 'values' && dtype.name !== 'C64';

/** The same shape, the rows that both have, or the elements in order where only the shape is another. */
function sharedShape(base: readonly number[], now: readonly number[]): readonly number[] | null {
  if (base.join() === now.join()) return now;
  if (base.length === 2 && now.length === 2 && base[1] === now[1])
    return [Math.min(base[0]!, now[0]!), now[1]!];
  const [before, after] = [base, now].map((shape) => shape.reduce((all, size) => all * size, 1));
  return before === after ? [after!] : null;
}

/** Both sides' files, opened when first needed and held until the end. */
class OpenFiles {
  readonly #sides: Sides;
  readonly #open = [new Map<string, ModelFile>(), new Map<string, ModelFile>()] as const;
  readonly #errors = new Map<string, SteelyardError>();

  constructor(sides: Sides) {
    this.#sides = sides;
  }

  /** null: one of them cannot be opened; the error is kept. */
  both({ base, now }: Pair): readonly [ModelFile, ModelFile] | null {
    const [good, suspect] = [this.#get(0, base.file), this.#get(1, now.file)];
    return good === null || suspect === null ? null : [good, suspect];
  }

  #get(side: 0 | 1, path: string): ModelFile | null {
    const known = this.#open[side].get(path);
    if (known !== undefined) return known;
    return this.#try(side, path, () => {
      const file = reopen(this.#sides[side], path);
      this.#open[side].set(path, file);
      return file;
    });
  }

  fail(side: 0 | 1, { entry }: ModelFile, { outcome, offset, errno }: DifferenceReply): void {
    this.#try(side, entry.path, () => {
      if (outcome === 'truncated') throw changed(entry, 'it was truncated', offset);
      const name = errno === 0 ? 'unknown' : getSystemErrorName(-errno);
      throw new SteelyardError('IO', `cannot read the file: ${name}`, {
        file: entry.path,
        offset,
        errno: name,
      });
    });
  }

  /** All that went wrong, now that nothing is read any more: did every file hold still? */
  held(): SteelyardError[] {
    this.#open.forEach((files, side) => {
      for (const [path, file] of files) this.#try(side as 0 | 1, path, () => file.assertUnchanged());
    });
    return [...this.#errors.values()];
  }

  /** One error per file is enough. */
  #try<T>(side: 0 | 1, path: string, action: () => T): T | null {
    try {
      return action();
    } catch (error) {
      if (!(error instanceof SteelyardError) || error.file === undefined) throw error;
      this.#errors.set(`${side} ${path}`, error);
      return null;
    }
  }

  close(): void {
    for (const files of this.#open) for (const file of files.values()) file.close();
  }
}

const INTERVAL = 100; // ms

/** Reports the bytes read until the function that it returns is called. */
function telling(
  pairs: readonly Pair[],
  pool: DifferencePool,
  onProgress: ((progress: Progress) => void) | undefined,
): () => void {
  const bytesTotal = pairs.reduce(
    (sum, { base, now }) => sum + base.end - base.start + now.end - now.start,
    0,
  );
  const files = new Set(pairs.flatMap(({ base, now }) => [`0 ${base.file}`, `1 ${now.file}`])).size;
  const tell = (): void =>
    onProgress?.({
      filesDone: 0,
      filesTotal: files,
      bytesDone: Math.min(pool.bytesDone, bytesTotal),
      bytesTotal,
    });
  const timer = setInterval(tell, INTERVAL);
  return () => {
    clearInterval(timer);
    tell();
  };
}
