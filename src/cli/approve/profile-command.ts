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
    .summary('write what a model is: the baseline of later checks')
    .description(
      'Measures a model and writes its profile: digests and statistics, the same on every machine.',
    )
    .argument('<path...>', 'files and folders')
    .option('-o, --output <file>', 'write the profile to a file, whole or not at all')
    .option('--rows', 'also norm and digest of each row of embeddings and output heads')
    .option(
      '--sketch',
      'also a sketch of each matrix, 64 bytes per row: a check can then tell of what rank a change is',
    )
    .option('--no-stats', 'digests alone: a check can then not say how a tensor changed')
    .option('--accept-critical', 'take a model although there are critical findings about it')
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
