// `steelyard canary init`, `run` and `fingerprint`: everything that asks a target, and the suite to ask it.

import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { Command, InvalidArgumentError, Option } from 'commander';
import type { RunSummary } from '../../canary/canary.ts';
import { jsonText } from '../../document/json/chunks.ts';
import { PACKAGE_ROOT } from '../../runtime/package.ts';
import { readInput } from '../option/input.ts';
import { openTarget, positive, releaseIn, type TargetFlags, withTarget } from '../option/target-options.ts';
import { type Run, run } from '../run.ts';
import { say } from '../terminal/message.ts';
import { checkOutput } from '../terminal/output.ts';

export function initCommand(): Command {
  return new Command('init')
    .summary('write a suite to start from')
    .description(
      'Writes the default suite: 30 sensitive prompts (billing, passwords, secrets, links, downloads) and 60 controls, in English ' +
        "and German. Fill in your organisation's hosts under links.allow, and add what your users ask.",
    )
    .option('-o, --output <file>', 'the suite; default: stdout')
    .action(({ output }: { output?: string }) =>
      run(async ({ write }) => {
        if (output !== undefined) await checkOutput(output, []);
        await write(output, [readFileSync(join(PACKAGE_ROOT, 'policies', 'canary-suite.yaml'), 'utf8')]);
        return 0;
      }),
    );
}

interface RunFlags extends TargetFlags {
  readonly suite: string;
  readonly bom?: string;
  readonly output: string;
  readonly resume?: true;
  readonly repeat: number;
  readonly store: 'redacted' | 'full';
  readonly budget?: number;
}

export function runCommand(): Command {
  return withTarget(new Command('run'))
    .summary('ask a release every prompt of a suite')
    .description(
      'Asks the target every prompt and writes each answer with its log-probabilities (steelyard/canary-run/1). By default each ' +
        'prompt is asked twice: the two show how much the target varies by itself. Secrets are taken out before anything is written.',
    )
    .requiredOption('--suite <file>', 'the staged prompts')
    .option('--bom <file>', 'the MBOM of the release that answers; without it a comparison has no verdict')
    .requiredOption('-o, --output <file>', 'the run: new.run.jsonl')
    .option('--resume', 'go on with a run that was cut off')
    .option('--repeat <number>', 'how often each prompt is asked', whole, 2)
    .option('--budget <seconds>', 'for all of it; what is missing can be resumed', positive)
    .addOption(
      new Option('--store <what>', 'full: write secrets, too')
        .choices(['redacted', 'full'])
        .default('redacted'),
    )
    .action((flags: RunFlags) => run((context) => runTheSuite(flags, context)));
}

function whole(text: string): number {
  if (/^[1-9]\d{0,2}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('it must be a whole number from 1 to 999');
}

async function runTheSuite(flags: RunFlags, { signal, measured }: Run): Promise<number> {
  const { suite: path, bom, output, resume, repeat, store, budget } = flags;
  const { parseSuite, runSuite } = await import('../../canary/canary.ts');
  const suite = parseSuite(readInput(path, 'suite'), path, (file) =>
    readInput(join(dirname(path), file), 'system prompt'),
  );
  const named = bom === undefined ? null : await releaseIn(bom);
  const { target, hashed } = await openTarget(flags, named?.mbom ?? null, process.env);
  try {
    const summary = await runSuite(suite, target, output, {
      release: named?.release ?? null,
      hashed,
      store,
      repeat,
      resume: resume ?? false,
      now: new Date(),
      signal,
      ...(budget === undefined ? {} : { budget: budget * 1000 }),
    });
    measured();
    return told(summary, output);
  } finally {
    await target.close();
  }
}

function told({ header, end, complete, stopped, foreign, claims }: RunSummary, output: string): number {
  const { logprobs, topK, eosEntry } = header.capabilities;
  const capabilities = logprobs
    ? `log-probabilities top ${topK} ${eosEntry === false ? 'without' : 'with'} end of answer`
    : 'no log-probabilities';
  say(
    `${end.answered}/${end.asked} answers of ${header.prompts} prompts, ${capabilities}; the run is in ${output}`,
  );
  if (foreign > 0) say(`canary/model-sha: headers of ${foreign} answers name another release than the MBOM`);
  if (claims.length > 1)
    say(`canary/mixed-fleet: ${claims.length} different sets of headers: more than one model answers here`);
  if (stopped !== null) say(`stopped: ${stopped}; go on with --resume`);
  else if (!complete) say(`${end.failed} answers are missing; ask for them with --resume`);
  if (foreign > 0 || claims.length > 1) return 1;
  return complete ? 0 : 2;
}

interface FingerprintFlags extends TargetFlags {
  readonly bom: string;
  readonly output: string;
}

export function fingerprintCommand(): Command {
  return withTarget(new Command('fingerprint'))
    .summary('record how a release answers, so that drift can be seen')
    .description(
      'Asks three harmless prompts twice and writes the first 16 tokens of each answer with their log-probabilities ' +
        '(steelyard/fingerprint/1). Sign it beside the MBOM: a header can be copied by any proxy, a fingerprint only repeated ' +
        'by who runs the weights.',
    )
    .requiredOption('--bom <file>', 'the MBOM of the release that answers')
    .requiredOption('-o, --output <file>', 'the fingerprint')
    .action((flags: FingerprintFlags) => run((context) => fingerprint(flags, context)));
}

async function fingerprint(flags: FingerprintFlags, { signal, write }: Run): Promise<number> {
  const { bom, output } = flags;
  await checkOutput(output, []);
  const [{ takeFingerprint }, { mbom, release }] = await Promise.all([
    import('../../canary/canary.ts'),
    releaseIn(bom),
  ]);
  const { target, hashed } = await openTarget(flags, mbom, process.env);
  try {
    const taken = await takeFingerprint(target, { release, hashed, now: new Date(), signal });
    await write(output, [jsonText(taken)]);
    say(
      `the fingerprint of ${release.bom} is in ${output}; tied by ${taken.tie}, floor ${taken.floor.toExponential(1)}`,
    );
    return 0;
  } finally {
    await target.close();
  }
}
