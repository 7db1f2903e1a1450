// What is compared of an adapter with others: per module three numbers that do not depend on how it was factored, and what has to be
// the same before any of them can be compared.
import { quoted } from '../../document/violations.ts';
import type { ModuleSpectrum } from './adapter-report.ts';
import type { LoadedAdapter } from './factors.ts';

/** ln ‖ΔW‖, logit(σ₁² / Σσ²) and −Σp ln p / ln r, in this order. */
export const STATISTICS = ['ln norm', 'logit energy', 'entropy'] as const;
/** What a deviation is at least, in the same order: what another seed does to a clean adapter. */
export const FLOORS = [0.01, 0.01, 0.003] as const;

export type Numbers = readonly [number, number, number];

export interface Features {
  /** In order; the same of all that are exchangeable. */
  readonly modules: readonly string[];
  readonly values: readonly Numbers[];
  /** Standard deviation over modules of ‖ΔW‖ / √(out · in). */
  readonly spread: number;
  /** Base model, and per module rank, scale and shape. */
  readonly recipe: readonly string[];
}

/** Or why it cannot be compared with others. */
export function featuresOf(
  { adapter: { config, modules } }: LoadedAdapter,
  spectra: readonly (ModuleSpectrum | null)[],
): Features | string {
  if (config === null) return 'it has no adapter_config.json, so base model and scale are not known';
  if (config.base === null) return 'its configuration does not name the base model';
  const order = modules.map(({ name }, i) => ({ name, spectrum: spectra[i] ?? null }));
  order.sort((a, b) => (a.name < b.name ? -1 : 1));
  const values: Numbers[] = [];
  const recipe = [`base model ${quoted(config.base)}`];
  const sizes: number[] = [];
  for (const { name, spectrum } of order) {
    if (spectrum === null) return `the update of ${quoted(name)} could not be taken`;
    if (spectrum.norm === 0) return `the update of ${quoted(name)} is zero`;
    const { rank, scale, shape, norm, energy, entropy } = spectrum;
    const share = Math.min(energy!, 1 - 1e-12); // rank one: all of it
    values.push([Math.log(norm), Math.log(share / (1 - share)), entropy ?? 0]);
    recipe.push(`${quoted(name)}: rank ${rank}, scale ${scale}, [${shape.join(', ')}]`);
    sizes.push(norm / Math.sqrt(shape[0] * shape[1]));
  }
  return { modules: order.map(({ name }) => name), values, spread: deviation(sizes), recipe };
}

/** Where two recipes differ; null: their adapters are exchangeable, as far as can be told. */
export function difference(one: Features, other: Features): string | null {
  if (one.modules.length !== other.modules.length)
    return `${one.modules.length} modules and ${other.modules.length}`;
  const at = one.recipe.findIndex((line, i) => line !== other.recipe[i]);
  return at < 0 ? null : `${one.recipe[at]}, and ${other.recipe[at]}`;
}

export function median(numbers: readonly number[]): number {
  const sorted = Float64Array.from(numbers).sort();
  const half = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[half]! : (sorted[half - 1]! + sorted[half]!) / 2;
}

/** 0.6745 (x − median) / MAD (Iglewicz and Hoaglin 1993). */
export function robustZ(numbers: readonly number[], floor: number): (x: number) => number {
  const middle = median(numbers);
  const spread = Math.max(median(numbers.map((x) => Math.abs(x - middle))), floor);
  return (x) => (0.6745 * (x - middle)) / spread;
}

function deviation(numbers: readonly number[]): number {
  const mean = numbers.reduce((sum, x) => sum + x, 0) / numbers.length;
  return Math.sqrt(numbers.reduce((sum, x) => sum + (x - mean) ** 2, 0) / numbers.length);
}
