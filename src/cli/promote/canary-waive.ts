// `steelyard canary waive`: somebody accepts an intended change, signed and until a day.
import { Command } from 'commander';
import { readInput } from '../option/input.ts';
import { type KeyFlags, signingKey, withKey } from '../option/key-option.ts';
import { type Run, run } from '../run.ts';
import { say } from '../terminal/message.ts';
import { checkOutput } from '../terminal/output.ts';

interface Flags extends KeyFlags {
  readonly because: string;
  readonly owner: string;
  readonly expires: string;
  readonly prompt?: readonly string[];
  readonly output: string;
}

export function waiveCommand(): Command {
  return withKey(new Command('waive'), true)
    .summary('accept an intended change, signed and until a day')
    .description(
      'Signs that the findings of a comparison are intended. The waiver binds to the suite, the prompts and the digests of both ' +
        'releases: it does not move to the next one.',
    )
    .argument('<canary>', 'the comparison: compare --format json')
    .requiredOption('--because <reason>', 'why, for whoever reads it in a year')
    .requiredOption('--owner <name>', 'who answers for it')
    .requiredOption('--expires <day>', 'the last day: 2027-03-01')
    .option('--prompt <id...>', 'only findings about these prompts')
    .requiredOption('-o, --output <file>', 'the waiver')
    .action((canary: string, flags: Flags) => run((context) => waiveFindings(canary, flags, context)));
}

async function waiveFindings(path: string, flags: Flags, { write }: Run): Promise<number> {
  const { because, owner, expires, prompt, output } = flags;
  await checkOutput(output, []);
  const { parseCanary, waive } = await import('../../canary/canary.ts');
  const canary = parseCanary(readInput(path, 'canary'));
  const bundle = await waive(canary, await signingKey(flags, process.env), {
    reason: because,
    owner,
    expires,
    ...(prompt === undefined ? {} : { prompts: prompt }),
  });
  await write(output, [bundle]);
  say(`the waiver for ${canary.new.release?.bom} is in ${output}; it ends after ${expires}`);
  return 0;
}
