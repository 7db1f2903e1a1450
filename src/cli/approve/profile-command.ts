// `steelyard profile`: a model → the document that later copies are checked against.
import { Command } from 'commander';
import { profile } from '../../profile.ts';
import { profileChunks } from '../../scan/profile/document/document.ts';
import { withSources } from '../option/sources.ts';
import { type Run, run } from '../run.ts';
import { say } from '../terminal/message.ts';
import { checkOutput } from '../terminal/output.ts';

interface Flags {
  readonly output?: string;
  readonly rows?: boolean;
  readonly sketch?: boolean;
  readonly stats: boolean;
  readonly acceptCritical?: boolean;
}

export function profileCommand(): Command {
  return new Command('profile')
    .summary('write the profile of a model, the baseline for later checks')
    .description(
      'Measures a model and writes its profile: digests and statistics, the same on every machine.',
    )
    .argument('<path...>', 'files and folders')
    .option('-o, --output <file>', 'write the profile to a file, whole or not at all')
    .option('--rows', 'also store norm and digest of each row of embeddings and output heads')
    .option(
      '--sketch',
      'also store a sketch of each matrix (64 bytes per row), so that a check can report the rank of a change',
    )
    .option('--no-stats', 'store digests only; a check can then not report how a tensor changed')
    .option('--accept-critical', 'write the profile despite critical findings')
    .action((paths: string[], flags: Flags) => run((context) => written(paths, flags, context)));
}

async function written(
  paths: readonly string[],
  { output, rows = false, sketch = false, stats, acceptCritical = false }: Flags,
  context: Run,
): Promise<number> {
  const { signal, onProgress, measured, write } = context;
  if (output !== undefined) await checkOutput(output, paths);
  const options = { rows, sketch, stats, acceptCritical, signal, onProgress };
  const document = await withSources(
    paths,
    context,
    (found, followed) => profile(found, { ...options, ...(followed === undefined ? {} : { followed }) }),
    { rows, sketch, forensics: false },
  );
  measured();
  await write(output, profileChunks(document));
  if (output !== undefined)
    say(`${document.tensors.length} tensors, ${document.digest}; the profile is in ${output}`);
  return 0;
}
