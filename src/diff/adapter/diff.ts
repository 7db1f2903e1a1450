// Two adapters, module by module.
import { SteelyardError } from '../../error.ts';
import type { AdapterModule } from '../../inspect/adapter/adapter.ts';
import { type MeasureOptions, threadsOf } from '../../measure/measure.ts';
import type { ModelFile } from '../../model/file.ts';
import type { SideModel } from '../side.ts';
import { ModulePool } from './pool.ts';
import type { AdapterDiff, AdapterSummary, ModuleDiff, ModuleSpectrum } from './report.ts';
import {
  type LoadedAdapter,
  type LoadedModule,
  loadAdapter,
  moduleOf,
  openWeights,
  readFactors,
} from './weights.ts';
import type { Factors, ModuleResult } from './worker.ts';

type Options = Pick<MeasureOptions, 'threads' | 'signal'>;

export interface AdapterComparison {
  /** null: not two adapters, or not readable. */
  readonly adapter: AdapterDiff | null;
  readonly errors: readonly SteelyardError[];
}

/** Errors about single files are collected; ABORTED, NATIVE_UNAVAILABLE and INTERNAL are thrown. */
export async function diffAdapters(
  sides: readonly [good: SideModel, suspect: SideModel],
  options: Options,
): Promise<AdapterComparison> {
  try {
    const [good, suspect] = [loadAdapter(sides[0]), loadAdapter(sides[1])];
    const adapter = good === null || suspect === null ? null : await compareModules(good, suspect, options);
    return { adapter, errors: [] };
  } catch (error) {
    if (error instanceof SteelyardError && error.file !== undefined)
      return { adapter: null, errors: [error] };
    throw error;
  }
}

async function compareModules(
  good: LoadedAdapter,
  suspect: LoadedAdapter,
  options: Options,
): Promise<AdapterDiff> {
  const before = new Map(good.adapter.modules.map((module) => [module.name, module]));
  const after = new Map(suspect.adapter.modules.map((module) => [module.name, module]));
  const names = [...after.keys(), ...[...before.keys()].filter((name) => !after.has(name))];
  const results = await decomposed(
    names.map((name) => [before.get(name) ?? null, after.get(name) ?? null]),
    [good, suspect],
    options,
  );
  const modules = results.map(
    (result, i): ModuleDiff => ({ module: names[i]!, layer: layerOf(names[i]!), ...result }),
  );
  return {
    good: summaryOf(good, modules, (module) => module.good),
    suspect: summaryOf(suspect, modules, (module) => module.suspect),
    modules,
    population: null,
  };
}

/** The spectra of one adapter, in the order of its modules. */
export async function spectraOf(adapter: LoadedAdapter, options: Options): Promise<ModuleResult[]> {
  const pairs = adapter.adapter.modules.map((module): Modules => [null, module]);
  return decomposed(pairs, [adapter, adapter], options);
}

type Modules = readonly [good: AdapterModule | null, suspect: AdapterModule | null];

async function decomposed(
  pairs: readonly Modules[],
  adapters: readonly [LoadedAdapter, LoadedAdapter],
  options: Options,
): Promise<ModuleResult[]> {
  const files: ModelFile[] = [];
  const pool = new ModulePool(threadsOf(options), options.signal);
  try {
    for (const adapter of adapters) files.push(openWeights(adapter));
    const loaded = pairs.map((pair) => pair.map((module, i) => module && moduleOf(adapters[i]!, module)));
    const read = (module: ReturnType<typeof moduleOf> | null, file: ModelFile): Factors | null =>
      module === null || 'reason' in module ? null : readFactors(file, module);
    const results = await pool.all(
      loaded.map(([good, suspect]) => () => ({
        good: read(good!, files[0]!),
        suspect: read(suspect!, files[1]!),
      })),
    );
    for (const file of files) file.assertUnchanged();
    return results.map((result, i) => ({ ...result, reason: reasonOf(loaded[i]!) ?? result.reason }));
  } finally {
    await pool.close();
    for (const file of files) file.close();
  }
}

const reasonOf = (sides: readonly (LoadedModule | { reason: string } | null)[]): string | null =>
  sides
    .map((side) => (side !== null && 'reason' in side ? side.reason : null))
    .find((reason) => reason !== null) ?? null;

function summaryOf(
  { adapter }: LoadedAdapter,
  modules: readonly ModuleDiff[],
  spectrumOf: (module: ModuleDiff) => ModuleSpectrum | null,
): AdapterSummary {
  const known = modules.flatMap((module) => {
    const spectrum = spectrumOf(module);
    return spectrum === null ? [] : [{ layer: module.layer, spectrum }];
  });
  const energy = known.reduce((sum, { spectrum }) => sum + spectrum.norm ** 2, 0);
  const ranks = new Set(known.map(({ spectrum }) => spectrum.rank));
  const layers = new Map<number, number>();
  for (const { layer, spectrum } of known)
    if (layer !== null && energy > 0)
      layers.set(layer, (layers.get(layer) ?? 0) + spectrum.norm ** 2 / energy);
  return {
    rank: ranks.size === 1 ? [...ranks][0]! : null,
    scaling: scalingOf(adapter),
    modules: adapter.modules.length,
    norm: Math.sqrt(energy),
    layers: [...layers].sort(([a], [b]) => a - b).map(([layer, share]) => ({ layer, share })),
  };
}

function scalingOf({ format, config, ggufAlpha }: LoadedAdapter['adapter']): AdapterSummary['scaling'] {
  if (format === 'gguf') return (ggufAlpha ?? 0) === 0 ? 'none' : 'alpha/r';
  return config === null ? 'none' : config.rsLora ? 'alpha/sqrt(r)' : 'alpha/r';
}

/** The first number in a module's name: layers.7, h.7, blk.7. */
const layerOf = (module: string): number | null => {
  const number = /(?:^|\.)(\d{1,9})(?:\.|$)/.exec(module)?.[1];
  return number === undefined ? null : Number(number);
};
