// `steelyard peek`: headers of a model at its source, without its weights.
import { Command, Option } from 'commander';
import { jsonText } from '../../document/json/chunks.ts';
import { peek, renderPeek } from '../../pull/peek/peek.ts';
import { type Run, run } from '../run.ts';
import { writeStdout } from '../terminal/output.ts';
import { type SelectionFlags, selectionOf, withSelection } from './selection-options.ts';

interface Flags extends SelectionFlags {
  readonly format: 'text' | 'json';
  readonly all?: true;
}

export function peekCommand(): Command {
  return withSelection(new Command('peek'))
    .summary('show the headers of a model at its source, without fetching it')
    .description(
      'Fetches the headers of the weight files and the files beside them. This is no scan; the output lists what was not read.',
    )
    .argument('<source>', 'as for pull')
    .option('--all', 'text: every file and tensor')
    .addOption(new Option('--format <format>', 'what is printed').choices(['text', 'json']).default('text'))
    .action((source: string, flags: Flags) => run((context) => peeked(source, flags, context)));
}

async function peeked(source: string, flags: Flags, { signal }: Run): Promise<number> {
  const found = await peek(source, { ...selectionOf(flags), env: process.env, signal });
  await writeStdout([flags.format === 'json' ? jsonText(found) : renderPeek(found, flags.all ?? false)]);
  const isBad = found.findings.some(({ severity }) => severity === 'high' || severity === 'critical');
  return isBad ? 1 : 0;
}
