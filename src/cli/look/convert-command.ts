// `steelyard convert`: a verdict that was written as JSON, for another tool, without reading a weight again.
import { Command, Option } from 'commander';
import { REPORT_FORMATS, type ReportFormat } from '../../document/text/report-format.ts';
import { readInput } from '../option/input.ts';
import { type Run, run } from '../run.ts';
import { checkOutput } from '../terminal/output.ts';

interface Flags {
  readonly to: ReportFormat;
  readonly output?: string;
  readonly base?: string;
}

const HELP = `
Examples:
  steelyard scan models/llama --format json -o report.json
  steelyard convert report.json --to sarif --base models/llama -o steelyard.sarif
  steelyard convert verdict.json --to markdown >> "$GITHUB_STEP_SUMMARY"

Exit codes:
  0    written; the verdict itself decides nothing here
  2    not a verdict of this program, bad usage
`;

/** A report of 100,000 tensors has 120 MB. */
const SIZE = 2 ** 29;

export function convertCommand(): Command {
  return new Command('convert')
    .summary('write a JSON verdict in the format of another tool')
    .description(
      'Reads what scan, check, lint, gate, canary compare, drift or diff wrote as JSON, and writes the same verdict in another format.',
    )
    .argument('<file>', 'the JSON document')
    .addOption(new Option('--to <format>', 'what it becomes').choices(REPORT_FORMATS).makeOptionMandatory())
    .option('--base <folder>', 'where the files of the document lie, from the root of the repository')
    .option('-o, --output <file>', 'default: stdout')
    .addHelpText('after', HELP)
    .action((file: string, flags: Flags) => run((context) => convert(file, flags, context)));
}

async function convert(file: string, { to, output, base }: Flags, { write }: Run): Promise<number> {
  if (output !== undefined) await checkOutput(output, [file]);
  const { readVerdict } = await import('../../report/neutral/reading.ts');
  const { renderReport } = await import('../../report/format/format.ts');
  const document = readVerdict(readInput(file, 'verdict', SIZE), file);
  await write(output, [await renderReport(document, to, { base, now: new Date() })]);
  return 0;
}
