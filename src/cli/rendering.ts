// What a report is written as.
import { jsonChunks } from '../report/json.ts';
import type { Report } from '../report/report.ts';
import { renderText } from '../report/text.ts';

export interface RenderingFlags {
  readonly format: 'text' | 'json';
  readonly quiet?: true;
}

export const rendered = (
  report: Report,
  { format, quiet }: RenderingFlags,
  colour: boolean,
): Iterable<string> =>
  format === 'json' ? jsonChunks(report) : [renderText(report, { colour, quiet: quiet ?? false })];
