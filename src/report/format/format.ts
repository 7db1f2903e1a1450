// One verdict, many formats. The door of this room.
import type { ReportFormat } from '../../document/text/report-format.ts';
import type { VerdictDocument } from '../neutral/documents.ts';
import type { FormatOptions } from './location.ts';

/**
 * Writes what a verdict says in a format of other tools. The same document and options give the same text.
 *
 * - `sarif`: SARIF 2.1.0, within the limits of GitHub code scanning.
 * - `junit`: JUnit XML as Jenkins reads it.
 * - `markdown`: GitHub-flavoured, for the summary of a job.
 * - `annotations`: workflow commands of GitHub Actions.
 * - `gitlab-code-quality`, `gitlab-sast`: GitLab's reports; the second needs `now`.
 *
 * @throws SteelyardError USAGE without a time where the format needs one, or if the document judges nothing.
 */
export async function renderReport(
  document: VerdictDocument,
  format: ReportFormat,
  options: FormatOptions = {},
): Promise<string> {
  const { written } = await import('./table.ts');
  return written(document, format, options);
}
