// The diff as JSON: one line per entry, printable ASCII only, as reports and profiles are.
import { chunked, json, list } from '../../document/json/chunks.ts';
import type { DiffReport } from './diff-report.ts';

export const renderDiffJson = (report: DiffReport): string => [...diffJsonChunks(report)].join('');

/** The same in pieces. */
export const diffJsonChunks = (report: DiffReport): Generator<string, void, undefined> =>
  chunked(lines(report));

const LISTS = ['conclusions', 'structure', 'files', 'metadata', 'tensors'] as const;

function* lines(report: DiffReport): Generator<string, void, undefined> {
  const { schema, tool, complete, outcome, good, suspect } = report;
  yield '{\n';
  for (const [name, value] of Object.entries({ schema, tool, complete, outcome, good, suspect }))
    yield `  "${name}": ${json(value)},\n`;
  for (const name of LISTS) {
    yield* list(name, report[name]);
    yield ',\n';
  }
  yield `  "identical": ${report.identical},\n  "adapter": ${json(report.adapter)},\n`;
  if (report.merge !== undefined) yield `  "merge": ${json(report.merge)},\n`;
  yield* list('errors', report.errors);
  yield '\n}\n';
}
