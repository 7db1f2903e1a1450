// Tensors whose bytes changed, each pair of them read once and held against each other.
import type { Pair } from '../baseline/compare/pairing.ts';
import { SteelyardError } from '../rules/error.ts';
import { factorName } from '../scan/adapter/spelling/spelling.ts';
import { type DtypeInfo, dtypeByName } from '../scan/dtype.ts';
import { type Difference, planPair, seedOf } from '../scan/measure/difference/difference.ts';
import { DifferencePool } from '../scan/measure/difference/difference-pool.ts';
import type { DifferenceReply } from '../scan/measure/difference/difference-worker.ts';
import { threadsOf } from '../scan/measure/measure.ts';
import type { MeasureOptions } from '../scan/measure/options.ts';
import { readError } from '../scan/measure/thread/read-error.ts';
import { ticking } from '../scan/measure/ticker.ts';
import type { ModelFile } from '../scan/model/file.ts';
import type { TensorProfile } from '../scan/profile/profile.ts';
import { isRewritten } from './conclusion/bits.ts';
import { payloadIn } from './conclusion/payload.ts';
import { placeOf } from './match.ts';
import type { TensorChange } from './report/diff-report.ts';
import { reopen, type SideModel } from './side.ts';

interface TensorChanges {
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
  const change = { good: placeOf(pair.good), suspect: placeOf(pair.suspect) };
  const shape = comparable(pair, sides);
  if (typeof shape === 'string') return { ...change, difference: null, reason: shape };
  const opened = files.both(pair);
  if (opened === null) return { ...change, difference: null, reason: UNREAD };
  const plan = planPair(place(opened[0], pair.good), place(opened[1], pair.suspect), shape);
  const { name } = pair.suspect;
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
    const payload = payloadIn(change, pairs[index]!.suspect, files.both(pairs[index]!)![1]);
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
function comparable({ good, suspect }: Pair, sides: Sides): readonly number[] | string {
  const absent = sides.find(({ files }) => files === null);
  if (absent !== undefined) return `of the ${absent.which} model only the profile is there, not the values`;
  for (const { dtype, sha256 } of [good, suspect]) {
    if (!isDecoded(dtypeByName(dtype))) return `single values of ${dtype} are not decoded`;
    if (sha256 === null) return 'its bytes overlap those of another tensor';
  }
  const shape = sharedShape(good.shape, suspect.shape);
  if (shape === null) return 'the shapes have no elements in common';
  // Where rows are no whole blocks of one of the dtypes, there is nothing to hold against each other.
  const count = shape.reduce((all, size) => all * size, 1);
  const isWhole = [good, suspect].every(({ dtype }) => count % dtypeByName(dtype)!.blockCount === 0);
  return isWhole && count > 0 ? shape : 'the shapes have no elements in common';
}

/** Every element is one value. */
const isDecoded = (dtype: DtypeInfo | undefined): boolean =>
  dtype?.coverage === 'values' && dtype.name !== 'C64';

/** The same shape, the rows that both have, or the elements in order where only the shape is another. */
function sharedShape(good: readonly number[], suspect: readonly number[]): readonly number[] | null {
  if (good.join() === suspect.join()) return suspect;
  if (good.length === 2 && suspect.length === 2 && good[1] === suspect[1])
    return [Math.min(good[0]!, suspect[0]!), suspect[1]!];
  const [before, after] = [good, suspect].map((shape) => shape.reduce((all, size) => all * size, 1));
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
  both(pair: Pair): readonly [ModelFile, ModelFile] | null {
    const [good, suspect] = [this.#get(0, pair.good.file), this.#get(1, pair.suspect.file)];
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

  fail(side: 0 | 1, { entry }: ModelFile, reply: DifferenceReply): void {
    const error = readError(entry, reply);
    if (error !== null) this.#errors.set(`${side} ${entry.path}`, error);
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

/** Reports the bytes read until the function that it returns is called. */
function telling(
  pairs: readonly Pair[],
  pool: DifferencePool,
  onProgress: MeasureOptions['onProgress'],
): () => void {
  const bytesTotal = pairs.reduce(
    (sum, { good, suspect }) => sum + good.end - good.start + suspect.end - suspect.start,
    0,
  );
  const files = new Set(pairs.flatMap(({ good, suspect }) => [`0 ${good.file}`, `1 ${suspect.file}`])).size;
  return ticking(onProgress, () => ({
    filesDone: 0,
    filesTotal: files,
    bytesDone: Math.min(pool.bytesDone, bytesTotal),
    bytesTotal,
  }));
}
