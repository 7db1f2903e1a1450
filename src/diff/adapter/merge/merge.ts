// Is this model that one with this adapter merged into it? W + s·B·A is computed and held against what stands there, so that an edit
// that hides behind a merge is what is left.

import { ownError } from '../../../baseline/compare/conversion.ts';
import { SteelyardError } from '../../../rules/error.ts';
import { type AdapterModule, type AdapterTensor, sizeOf } from '../../../scan/adapter/module.ts';
import { missingParts } from '../../../scan/adapter/parts.ts';
import { updateShape } from '../../../scan/adapter/update.ts';
import { BaseModel } from '../../../scan/inspect/adapter/base.ts';
import { threadsOf } from '../../../scan/measure/measure.ts';
import type { MeasureOptions } from '../../../scan/measure/options.ts';
import type { ModelFile } from '../../../scan/model/file.ts';
import type { TensorProfile } from '../../../scan/profile/profile.ts';
import { reopen, type SideModel } from '../../side.ts';
import { Pool } from '../adapter-pool.ts';
import { type LoadedAdapter, loadAdapter, moduleOf, openWeights, partsOf } from '../factors.ts';
import type { MergeCheck, MergedModule } from './merge-report.ts';
import type { MergeJob, MergeResult } from './merge-worker.ts';

/** Who merges does it at one strength. */
const EVEN = 1.02;

type Sides = readonly [good: SideModel, suspect: SideModel];

/** Single values are read of these. */
const READ: ReadonlySet<string> = new Set(['F64', 'F32', 'F16', 'BF16']);

/** `changed`: names of the suspect's tensors that are not the same byte for byte. Throws USAGE where there is no adapter. */
export async function checkMerge(
  side: SideModel,
  sides: Sides,
  changed: ReadonlySet<string>,
  options: Pick<MeasureOptions, 'threads' | 'signal'>,
): Promise<MergeCheck> {
  const adapter = loadAdapter(side);
  if (adapter === null)
    throw new SteelyardError('USAGE', 'what was given as the adapter is none that can be read');
  const base = new BaseModel(sides[0].profile, adapter.adapter);
  const merge = new Merge(
    adapter,
    sides,
    new Pool('diff/adapter/merge/merge-worker', threadsOf(options), options.signal),
  );
  try {
    const modules = await merge.modules(base);
    const own = new Set(modules.map(({ tensor }) => tensor));
    const others = [...changed].filter((name) => !own.has(name)).length;
    return { outcome: outcomeOf(modules, others), others, modules };
  } finally {
    await merge.close();
  }
}

function outcomeOf(modules: readonly MergedModule[], others: number): MergeCheck['outcome'] {
  const has = (outcome: MergedModule['outcome']): boolean => modules.some((one) => one.outcome === outcome);
  if (has('differs') || has('unchanged') || others > 0) return 'differs';
  const strengths = modules.flatMap(({ strength }) => strength ?? []);
  const [least, most] = [Math.min(...strengths), Math.max(...strengths)];
  if (most > least * EVEN) return 'differs';
  return modules.length === 0 || has('not compared') ? 'not compared' : 'merged';
}

/** A module and its weight on both sides, or why there is none. */
interface Site {
  readonly good: TensorProfile;
  readonly suspect: TensorProfile;
  readonly shape: readonly [number, number];
  readonly transposed: boolean;
}

class Merge {
  readonly #adapter: LoadedAdapter;
  readonly #sides: Sides;
  readonly #pool: Pool<MergeJob, MergeResult>;
  readonly #open = new Map<string, ModelFile>();
  readonly #suspects: ReadonlyMap<string, TensorProfile>;

  constructor(adapter: LoadedAdapter, sides: Sides, pool: Pool<MergeJob, MergeResult>) {
    this.#adapter = adapter;
    this.#sides = sides;
    this.#pool = pool;
    this.#suspects = new Map(sides[1].profile.tensors.map((tensor) => [tensor.name, tensor]));
  }

  async modules(base: BaseModel): Promise<MergedModule[]> {
    const weights = openWeights(this.#adapter);
    this.#open.set('adapter', weights);
    const sites = this.#adapter.adapter.modules.map((module) => ({ module, site: this.#site(base, module) }));
    const there = sites.flatMap(({ module, site }) => (typeof site === 'string' ? [] : [{ module, site }]));
    const results = await this.#pool.all(
      there.map(
        ({ module, site }) =>
          () =>
            this.#job(module, site, weights),
      ),
    );
    for (const file of this.#open.values()) file.assertUnchanged();
    const found = new Map(there.map(({ module, site }, i) => [module, told(module, site, results[i]!)]));
    return sites.map(({ module, site }) => found.get(module) ?? refused(module, base, site as string));
  }

  /** Or why nothing can be compared. */
  #site(base: BaseModel, module: AdapterModule): Site | string {
    const good = base.find(module.name)?.tensor ?? null;
    if (good === null) return 'the base has no such weight, or it is packed';
    const suspect = this.#suspects.get(good.name);
    if (suspect === undefined) return 'the suspect has no tensor of that name';
    if (good.shape.join() !== suspect.shape.join()) return 'the weight has another shape on either side';
    const parts = Object.values(module.parts);
    const packed = [good, suspect, ...parts].find(({ dtype }) => !READ.has(dtype));
    if (packed !== undefined) return `single values of ${packed.dtype} are not read here`;
    if (this.#sides.some(({ files }) => files === null)) return 'of one model only the profile is there';
    const shape = [good.shape[0] ?? 1, sizeOf(good.shape.slice(1))] as const;
    const update = this.#shapeOf(module);
    if (typeof update === 'string') return update;
    if (update === null) return { good, suspect, shape, transposed: false };
    if (update.join() === shape.join()) return { good, suspect, shape, transposed: this.#isTurned(module) };
    if (update.join() === shape.toReversed().join()) return { good, suspect, shape, transposed: true };
    return 'the update does not fit the weight';
  }

  /** [out, in]; null: it acts along one side; a string: why it cannot be taken. */
  #shapeOf(module: AdapterModule): readonly number[] | string | null {
    if (missingParts(module) !== null) return 'a factor is missing';
    if (module.family === 'ia3') return null;
    const loaded = moduleOf(this.#adapter, module);
    if ('reason' in loaded) return loaded.reason;
    const shape = updateShape(module, this.#adapter.adapter.spelling === 'gguf');
    return Array.isArray(shape) ? loaded.shape : 'the factors cannot be multiplied';
  }

  /** Of a square weight the shape does not say which way it stands; the configuration does. */
  #isTurned(module: AdapterModule): boolean {
    return module.embedding || (this.#adapter.adapter.config?.fanInFanOut ?? false);
  }

  #job(module: AdapterModule, site: Site, weights: ModelFile): MergeJob {
    const loaded = moduleOf(this.#adapter, module);
    const dtypes = Object.values(module.parts).map(({ dtype }) => ownError(dtype) ?? 0);
    return {
      good: this.#place(0, site.good),
      suspect: this.#place(1, site.suspect),
      shape: site.shape,
      transposed: site.transposed,
      family: module.family,
      parts: partsOf(weights, { parts: module.parts as Readonly<Record<string, AdapterTensor>> }),
      flat: 'flat' in loaded && loaded.flat,
      bByRank: 'flat' in loaded && loaded.bByRank,
      scale: 'reason' in loaded ? 1 : loaded.scale,
      factorError: Math.max(...dtypes),
    };
  }

  #place(which: 0 | 1, { file, start, dtype }: TensorProfile): MergeJob['good'] {
    const key = `${which} ${file}`;
    const known = this.#open.get(key) ?? reopen(this.#sides[which], file);
    this.#open.set(key, known);
    return { fd: known.fd, start, dtype };
  }

  async close(): Promise<void> {
    await this.#pool.close();
    for (const file of this.#open.values()) file.close();
  }
}

const NOTHING = { strength: null, rest: null, room: null, rows: null } as const;

function refused({ name }: AdapterModule, base: BaseModel, reason: string): MergedModule {
  return {
    module: name,
    tensor: base.find(name)?.tensor?.name ?? null,
    outcome: 'not compared',
    ...NOTHING,
    reason,
  };
}

function told({ name }: AdapterModule, { suspect }: Site, result: MergeResult): MergedModule {
  const { finite, changed, update, strength, rest, room, rows } = result;
  const place = { module: name, tensor: suspect.name };
  if (!finite)
    return { ...place, outcome: 'not compared', ...NOTHING, reason: 'there are values that are not finite' };
  // An update of zeros, or one that rounds to nothing, changes nothing.
  const isIn = changed || update <= room;
  const outcome = !isIn ? 'unchanged' : rest <= room && rows === 0 ? 'merged' : 'differs';
  return { ...place, outcome, strength, rest, room, rows, reason: null };
}
