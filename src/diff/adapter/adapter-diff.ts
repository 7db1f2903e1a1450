// Two adapters, module by module.
import { SteelyardError } from '../../rules/error.ts';
import { threadsOf } from '../../scan/measure/measure.ts';
import type { MeasureOptions } from '../../scan/measure/options.ts';
import type { SideModel } from '../side.ts';
import { ModulePool } from './adapter-pool.ts';
import type { AdapterDiff, AdapterSummary, ModuleDiff, ModuleSpectrum } from './adapter-report.ts';
import { goesByHeader, type LoadedAdapter, loadAdapter } from './factors.ts';
import { digestOf, type Known, Members, memberOf, type Spectra } from './many/members.ts';
import { type Member, rankAdapters } from './population.ts';

type Options = Pick<MeasureOptions, 'threads' | 'signal'>;

interface AdapterComparison {
  /** null: not two adapters, or not readable. */
  readonly adapter: AdapterDiff | null;
  readonly errors: readonly SteelyardError[];
}

/**
 * `population`: known-good adapters beside the good one. Errors about single files are collected; ABORTED, NATIVE_UNAVAILABLE
 * and INTERNAL are thrown, and USAGE for a population of what are no adapters.
 */
export async function diffAdapters(
  sides: readonly [good: SideModel, suspect: SideModel],
  population: readonly Known[],
  options: Options,
): Promise<AdapterComparison> {
  try {
    const [good, suspect] = [loadAdapter(sides[0]), loadAdapter(sides[1])];
    if (good === null || suspect === null) {
      if (population.length > 0)
        throw new SteelyardError('USAGE', 'a population is for two low-rank adapters');
      return { adapter: null, errors: [] };
    }
    const adapter = await compareModules(good, suspect, options);
    if (population.length === 0) return { adapter, errors: [] };
    const known = await membersOf(good, adapter, population, options);
    const own = memberOf(
      'suspect',
      suspect,
      spectraBy(adapter, (module) => module.suspect),
    );
    return { adapter: { ...adapter, population: rankAdapters(known, [own])[0]! }, errors: [] };
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
  const pool = new ModulePool(threadsOf(options), options.signal);
  const results = await pool
    .decomposed(
      names.map((name) => [before.get(name) ?? null, after.get(name) ?? null]),
      [good, suspect],
    )
    .finally(() => pool.close());
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

/** The good one and its likes; one that is there twice counts once, or its copies would outvote the others. */
async function membersOf(
  good: LoadedAdapter,
  diff: AdapterDiff,
  population: readonly Known[],
  options: Options,
): Promise<Member[]> {
  const own = memberOf(
    'good',
    good,
    spectraBy(diff, (module) => module.good),
  );
  const pool = new ModulePool(threadsOf(options), options.signal);
  try {
    const members = await new Members(pool, [digestOf(good)]).of(population);
    return [own, ...members];
  } finally {
    await pool.close();
  }
}

const spectraBy = (diff: AdapterDiff, take: (module: ModuleDiff) => ModuleSpectrum | null): Spectra =>
  new Map(diff.modules.map((module) => [module.module, take(module)]));

function summaryOf(
  loaded: LoadedAdapter,
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
    scaling: scalingOf(loaded),
    modules: loaded.adapter.modules.length,
    norm: Math.sqrt(energy),
    layers: [...layers].sort(([a], [b]) => a - b).map(([layer, share]) => ({ layer, share })),
  };
}

function scalingOf({ adapter, scalesUnread }: LoadedAdapter): AdapterSummary['scaling'] {
  const { spelling, config, ggufAlpha, mlx, components, modules } = adapter;
  if (scalesUnread && modules.some((module) => goesByHeader(adapter, module))) return 'unknown';
  if (spelling === 'gguf') return (ggufAlpha ?? 0) === 0 ? 'none' : 'alpha/r';
  if (spelling === 'peft') return config === null ? 'none' : config.rsLora ? 'alpha/sqrt(r)' : 'alpha/r';
  if (spelling === 'mlx') return mlx?.scale == null ? 'none' : 'scale';
  const [first] = components.values();
  if (first !== undefined) return first.rsLora ? 'alpha/sqrt(r)' : 'alpha/r';
  return modules.some(({ parts }) => parts.alpha !== undefined) ? 'alpha/r' : 'none';
}

/** The first number in a module's name: layers.7, h.7, blk.7. */
const layerOf = (module: string): number | null => {
  const number = /(?:^|\.)(\d{1,9})(?:\.|$)/.exec(module)?.[1];
  return number === undefined ? null : Number(number);
};
