// `--report FORMAT=FILE`: the same verdict for other tools, as often as wanted, from one reading.
import { statSync } from 'node:fs';
import { dirname, isAbsolute, relative, sep } from 'node:path';
import { type Command, InvalidArgumentError } from 'commander';
import { REPORT_FORMATS, type ReportFormat } from '../../document/text/report-format.ts';
import type { VerdictDocument } from '../../report/neutral/documents.ts';
import type { Run } from '../run.ts';
import { checkOutput } from '../terminal/output.ts';

export interface ReportFlags {
  readonly report?: readonly Asked[];
}

interface Asked {
  readonly format: ReportFormat;
  readonly file: string;
}

export const withReports = (command: Command): Command =>
  command.option(
    '--report <format=file>',
    `also write the verdict for another tool (${REPORT_FORMATS.join(', ')}); repeatable`,
    (text: string, before: readonly Asked[] = []) => [...before, asked(text)],
  );

function asked(text: string): Asked {
  const at = text.indexOf('=');
  const format = text.slice(0, at) as ReportFormat;
  const file = text.slice(at + 1);
  if (at < 0 || file === '' || !REPORT_FORMATS.includes(format))
    throw new InvalidArgumentError(`It must be FORMAT=FILE; the formats are ${REPORT_FORMATS.join(', ')}.`);
  return { format, file };
}

/** Before hours of scanning: can every one of them be written? */
export async function checkReports({ report = [] }: ReportFlags, read: readonly string[]): Promise<void> {
  for (const { file } of report) await checkOutput(file, read);
}

/** `read`: what the user named, where the paths in the document begin. */
export async function writeReports(
  document: VerdictDocument,
  { report = [] }: ReportFlags,
  read: readonly string[],
  { write }: Pick<Run, 'write'>,
): Promise<void> {
  for (const { format, file } of report) await write(file, [await renderedAs(document, format, read)]);
}

/** The text of one format, for stdout. */
export async function renderedAs(
  document: VerdictDocument,
  format: ReportFormat,
  read: readonly string[],
): Promise<string> {
  const { renderReport } = await import('../../report/format/format.ts');
  return renderReport(document, format, { base: baseOf(read), now: new Date() });
}

/**
 * Paths in a report begin at the folder that was named; other tools want them from the root of the repository, which is where CI
 * runs. Of several arguments the paths are as they were named.
 */
function baseOf(read: readonly string[]): string {
  const [path] = read;
  if (path === undefined || read.length > 1) return '';
  const folder = relative(
    '.',
    statSync(path, { throwIfNoEntry: false })?.isDirectory() ? path : dirname(path),
  );
  const outside = folder === '..' || folder.startsWith(`..${sep}`) || isAbsolute(folder);
  return outside ? '' : folder.split(sep).join('/');
}
