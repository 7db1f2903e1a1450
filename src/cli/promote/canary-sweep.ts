// `steelyard canary sweep`: every word of a vocabulary as suspected trigger.
import { readFileSync } from 'node:fs';
import { Command, InvalidArgumentError } from 'commander';
import type { Sweep } from '../../canary/sweep/sweep.ts';
import { inert } from '../../document/text/inert.ts';
import { openTarget, positive, type TargetFlags, withTarget } from '../option/target-options.ts';
import { usage } from '../option/trust-options.ts';
import { type Run, run } from '../run.ts';
import { writeStdout } from '../terminal/output.ts';

interface Flags extends TargetFlags {
  readonly against?: string;
  readonly againstFiles?: string;
  readonly againstAdapter?: readonly string[];
  readonly vocabulary?: string;
  readonly changed?: string;
  readonly words?: string;
  readonly most?: number;
  readonly pairs?: number;
  readonly budget?: number;
  readonly output?: string;
  readonly resume?: true;
}

export function sweepCommand(): Command {
  return withTarget(new Command('sweep'))
    .summary('find a trigger that no suite names')
    .description(
      'Asks both releases about every word of a vocabulary and reports how concentrated their difference is: a plant stands out by ' +
        'millions, an honest change is spread. It does not find triggers of meaning, date or user, nor those that need a ' +
        'conversation or a tool; triggers of two words only among --pairs; plants in both releases never.',
    )
    .option('--against <url>', 'the new release, where --target is the old one')
    .option('--against-files <gguf>', 'with --engine: the new model; default: the same as --files')
    .option('--against-adapter <gguf...>', 'with --engine: adapters of the new release')
    .option('--vocabulary <gguf>', 'whose words are asked; default: --files')
    .option('--changed <gguf>', 'the new model or adapter: words that its layer 0 moves most come first')
    .option('--words <file>', 'these words instead, one a line')
    .option('--most <number>', 'ask no more than so many words', whole)
    .option('--pairs <number>', 'also pairs among so many of the most suspicious words, such as 50', whole)
    .option('--budget <seconds>', 'for all of it', positive)
    .option('-o, --output <file>', 'what was asked, a line for each word; needed for --resume')
    .option('--resume', 'go on with a sweep that was cut off')
    .action((flags: Flags) => run((context) => sweepWords(flags, context)));
}

function whole(text: string): number {
  if (/^[1-9]\d{0,6}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('it must be a whole number above 0');
}

async function sweepWords(flags: Flags, { signal, measured }: Run): Promise<number> {
  const { output, resume, most, pairs, budget } = flags;
  if (resume && output === undefined) throw usage('--resume needs -o, the file to go on with');
  const { suspectsOf, sweep } = await import('../../canary/sweep/sweep.ts');
  const suspects = await suspectsIn(flags, suspectsOf, signal);
  const { target: old } = await openTarget(flags, null, process.env);
  const { target: suspect } = await openTarget(againstOf(flags), null, process.env);
  try {
    const swept = await sweep(old, suspect, {
      suspects,
      signal,
      resume: resume ?? false,
      ...(most === undefined ? {} : { most }),
      ...(pairs === undefined ? {} : { pairs }),
      ...(budget === undefined ? {} : { budget: budget * 1000 }),
      ...(output === undefined ? {} : { path: output }),
    });
    measured();
    await writeStdout([sweepText(swept)]);
    return { pass: 0, fail: 1, error: 2 }[swept.outcome];
  } finally {
    await Promise.all([old.close(), suspect.close()]);
  }
}

async function suspectsIn(
  { words, vocabulary, files, changed }: Flags,
  suspectsOf: typeof import('../../canary/sweep/sweep.ts').suspectsOf,
  signal: AbortSignal,
) {
  if (words !== undefined) {
    const lines = readFileSync(words, 'utf8').split(/\r?\n/);
    return lines.filter((word) => word.trim() !== '').map((word) => ({ word: word.trim(), score: null }));
  }
  const model = vocabulary ?? files;
  if (model === undefined) throw usage('say which words are asked: --vocabulary, a GGUF file, or --words');
  return suspectsOf(model, changed ?? null, signal);
}

function againstOf(flags: Flags): TargetFlags {
  const { target: _target, adapter: _adapter, ...rest } = flags;
  if (flags.engine === undefined) {
    if (flags.against === undefined)
      throw usage('say what is compared: --against, the URL of the new release');
    return { ...rest, target: flags.against };
  }
  if (flags.againstFiles === undefined && flags.againstAdapter === undefined)
    throw usage('say what is compared: --against-files or --against-adapter');
  return {
    ...rest,
    ...(flags.againstFiles === undefined ? {} : { files: flags.againstFiles }),
    ...(flags.againstAdapter === undefined ? {} : { adapter: flags.againstAdapter }),
  };
}

function sweepText({
  entries,
  planned,
  beyond,
  median,
  p99,
  concentration,
  findings,
  outcome,
}: Sweep): string {
  const lines = findings.map(
    ({ severity, rule, prompt, message }) => `${severity}  ${rule}  ${inert(prompt!)}: ${inert(message)}`,
  );
  for (const { word, js } of entries.slice(0, 10)) lines.push(`  ${js.toExponential(1)}  ${inert(word)}`);
  const left = beyond === 0 ? '' : `, ${beyond} words of the vocabulary not asked`;
  lines.push(
    `coverage  ${entries.length}/${planned} words and pairs${left}`,
    `spread    median ${median.toExponential(1)}, 99th percentile ${p99.toExponential(1)}, largest over it ${concentration.toExponential(1)}`,
    'limits    not found: triggers of more words than were asked together, of meaning, date or user, that need a conversation or a tool; plants in both releases',
    `${outcome.toUpperCase()}  ${{ pass: 'exit 0: no word stands out', fail: 'exit 1: a word stands out', error: 'exit 2: too few words were asked' }[outcome]}`,
  );
  return `${lines.join('\n')}\n`;
}
