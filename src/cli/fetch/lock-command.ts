// `steelyard lock`: pins and digests of a source, in a file for review.
import { Command } from 'commander';
import { lock, writeLock } from '../../pull/receipt/lock.ts';
import { type Run, run } from '../run.ts';
import { checkOutput } from '../terminal/output.ts';
import { type SelectionFlags, selectionOf, withSelection } from './selection-options.ts';

interface Flags extends SelectionFlags {
  readonly output: string;
}

export function lockCommand(): Command {
  return withSelection(new Command('lock'))
    .summary('write pins and digests of a source into a file, for review')
    .description('Lists and pins a model, and writes what its source says of every file. Fetches no weights.')
    .argument('<source>', 'as for pull')
    .requiredOption('-o, --output <file>', 'the lock: model.lock.json')
    .action((source: string, flags: Flags) => run((context) => locked(source, flags, context)));
}

async function locked(source: string, flags: Flags, { signal, write }: Run): Promise<number> {
  await checkOutput(flags.output, []);
  const made = await lock(source, { ...selectionOf(flags), env: process.env, signal });
  await write(flags.output, [writeLock(made)]);
  return 0;
}
