// The adapter part of the page's data.
import { inert } from '../../document/text/inert.ts';
import type { AdapterDiff, AdapterSummary, ModuleDiff, ModuleSpectrum } from '../adapter/adapter-report.ts';
import type { PageAdapter, PageAdapterSide, PageModule, PageSpectrum } from './contract.ts';
import { capped, lengths, sentence, short } from './cut.ts';
import { spotOf } from './place.ts';

const MODULES = 5000;
const LAYERS = 1000;

export const adapterOf = ({ good, suspect, modules, population }: AdapterDiff): PageAdapter => ({
  good: summaryOf(good),
  suspect: summaryOf(suspect),
  modules: capped(modules, MODULES, moduleOf),
  population: population && {
    count: population.count,
    rank: population.rank,
    pValue: short(population.pValue),
    adjusted: short(population.adjusted),
    reason: population.reason === null ? null : sentence(population.reason),
    statistics: population.statistics.map(({ name, value, robustZ }) => ({
      name: inert(name),
      value: short(value),
      robustZ: short(robustZ),
    })),
  },
});

const summaryOf = ({ rank, scaling, modules, norm, layers }: AdapterSummary): PageAdapterSide => ({
  rank,
  scaling,
  modules,
  norm: short(norm),
  layers: layers.slice(0, LAYERS).map(({ layer, share }) => ({ layer, share: short(share) })),
});

function moduleOf({ module, layer, good, suspect, pair, reason }: ModuleDiff): PageModule {
  return {
    name: inert(module),
    kind: inert(spotOf(module).module),
    layer: layer ?? -1,
    good: good && spectrumOf(good),
    suspect: suspect && spectrumOf(suspect),
    pair: pair && {
      relative: short(pair.relativeNorm),
      cosine: short(pair.cosine, 8),
      values: lengths(pair.singularValues),
      left: short(pair.overlap.left),
      right: short(pair.overlap.right),
      novel: short(pair.novelEnergy),
    },
    reason: reason === null ? null : sentence(reason),
  };
}

const spectrumOf = (spectrum: ModuleSpectrum): PageSpectrum => ({
  rank: spectrum.rank,
  scale: spectrum.scale,
  values: lengths(spectrum.singularValues),
  norm: short(spectrum.norm),
  energy: short(spectrum.energy),
  entropy: short(spectrum.entropy),
  effectiveRank: short(spectrum.effectiveRank),
  participation: short(spectrum.participation),
  kurtosis: short(spectrum.kurtosis),
});
