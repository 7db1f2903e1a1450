// What a report is written as.

import type { Report } from '../../baseline/report.ts';
import { jsonChunks } from '../../report/report-json.ts';
import { renderText } from '../../report/text/text.ts';

interface RenderingFlags {
  readonly format: 'text' | 'json';
  readonly quiet?: true;
}

export const rendered = (
  report: Report,
  { format, quiet }: RenderingFlags,
  colour: boolean,
): Iterable<string> =>
  format === 'json' ? jsonChunks(report) : [renderText(report, { colour, quiet: quiet ?? false })];
