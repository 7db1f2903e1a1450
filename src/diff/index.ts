// `steelyard/diff`: what importers see of the comparison of two models.
export type {
  AdapterDiff,
  AdapterSummary,
  ModuleDiff,
  ModuleSpectrum,
  PopulationRank,
} from './adapter/adapter-report.ts';
export {
  type PopulationOptions,
  type PopulationReport,
  rankSuspects,
  type SuspectRank,
} from './adapter/many/many.ts';
export type { MergeCheck, MergedModule } from './adapter/merge/merge-report.ts';
export { type DiffOptions, diff } from './diff.ts';
export { renderPage } from './page/page.ts';
export { diffJsonChunks, renderDiffJson } from './report/diff-json.ts';
export type * from './report/diff-report.ts';
export { type DiffTextOptions, renderDiffText } from './report/diff-text.ts';
export { populationJsonChunks, renderPopulationText } from './report/population-text.ts';
export type { ModelSource } from './side.ts';
