// `steelyard canary compare` and `check`: two runs side by side, or a first one alone.
import { Command, Option } from 'commander';
import type { FailOn } from '../../baseline/policy/policy.ts';
import type { Canary, RunFile, Scorer } from '../../canary/canary.ts';
import { SEVERITIES } from '../../rules/rules.ts';
import { readInput } from '../option/input.ts';
import { checkReports, type ReportFlags, withReports, writeReports } from '../option/report-options.ts';
import { type TrustFlags, trustOf, usage, withTrust } from '../option/trust-options.ts';
import { type Run, run } from '../run.ts';
import { say } from '../terminal/message.ts';
import { checkOutput } from '../terminal/output.ts';

const FORMATS = ['text', 'json', 'html'] as const;

interface Flags extends TrustFlags, ReportFlags {
  readonly format: (typeof FORMATS)[number];
  readonly output?: string;
  readonly failOn?: FailOn;
  readonly floor?: string;
  readonly waiver?: readonly string[];
  readonly scorer?: readonly string[];
}

export function compareCommand(): Command {
  return withTrust(rendering(new Command('compare')))
    .summary('what a release says that the one before did not')
    .description(
      'Compares two runs of a suite: links, secrets and demands of the suite; refusals, tools and hosts that are new; and ' +
        'log-probabilities, where a plant shows that changes no text. It cannot see triggers of several words or of meaning that ' +
        'the suite lacks, nor plants that are in both releases.',
    )
    .argument('<old>', 'the run of the previous release')
    .argument('<new>', 'the run of the new one')
    .option('--floor <run>', 'a second run of the previous release; default: the repeats of both runs')
    .option('--waiver <file...>', 'intended changes, signed by who --public-key and its like say')
    .action((old: string, suspect: string, flags: Flags) =>
      run((context) => compare(old, suspect, flags, context)),
    );
}

export function checkCommand(): Command {
  return rendering(new Command('check'))
    .summary('absolute rules alone, for a first release')
    .description(
      'Looks at the answers of one run: links, secrets, personal data, and what its suite demands.',
    )
    .argument('<run>', 'the run of the release')
    .action((suspect: string, flags: Flags) => run((context) => compare(null, suspect, flags, context)));
}

const rendering = (command: Command): Command =>
  withReports(command)
    .addOption(
      new Option('--format <format>', 'json is evidence for the gate, html a page for people')
        .choices(FORMATS)
        .default('text'),
    )
    .option('-o, --output <file>', 'default: stdout')
    .addOption(
      new Option(
        '--fail-on <severity>',
        'exit 1 on findings of this severity or higher; default high',
      ).choices(['none', ...SEVERITIES]),
    )
    .option('--scorer <rule...>', 'a program that scores answers: "toxicity<=0.5: python3 score.py"');

async function compare(oldPath: string | null, path: string, flags: Flags, context: Run): Promise<number> {
  const { format, output, failOn, floor } = flags;
  const { signal, measured, write } = context;
  if (output !== undefined) await checkOutput(output, []);
  await checkReports(flags, []);
  const scorers = (flags.scorer ?? []).map(scorerOf);
  const { compareRuns, openRun, scored } = await import('../../canary/canary.ts');
  const opened: RunFile[] = [];
  const open = (one: string): RunFile => {
    const file = openRun(one);
    opened.push(file);
    return file;
  };
  try {
    const suspect = open(path);
    const old = oldPath === null ? null : open(oldPath);
    const more = { findings: [] as Canary['findings'], inconclusive: [] as Canary['inconclusive'] };
    for (const one of scorers) {
      const { findings, inconclusive } = await scored(suspect, one, signal);
      more.findings.push(...findings);
      more.inconclusive.push(...inconclusive);
    }
    const waiving = await waiversOf(flags, suspect, old);
    const canary = await compareRuns({
      old,
      new: suspect,
      ...(floor === undefined ? {} : { floor: open(floor) }),
      ...(failOn === undefined ? {} : { failOn }),
      ...(waiving === null ? {} : { waive: waiving }),
      more,
      now: new Date(),
      signal,
    });
    measured();
    const { exitCodeOf, rendered } = await import('../../canary/report/report.ts');
    await write(output, [rendered(canary, format)]);
    await writeReports(canary, flags, [], context);
    return exitCodeOf(canary);
  } finally {
    for (const file of opened) file.close();
  }
}

/** A waiver that does not verify is said and accepts nothing: what it would have accepted counts. */
async function waiversOf(flags: Flags, suspect: RunFile, old: RunFile | null) {
  if (flags.waiver === undefined) return null;
  const trust = trustOf(flags);
  const { openWaiver, withWaivers } = await import('../../canary/canary.ts');
  const now = new Date();
  const waivers = flags.waiver.flatMap((file) => {
    const outcome = openWaiver(readInput(file, 'waiver'), trust, now);
    if (outcome.verified) return [outcome.waiver];
    const [{ code, message }] = outcome.refusals;
    say(`the waiver ${file} is not used (${code}): ${message}`);
    return [];
  });
  const sides = {
    suite: suspect.header.suite,
    old: old?.header.release?.bom,
    new: suspect.header.release?.bom,
  };
  return (findings: readonly Canary['findings'][number][]) =>
    withWaivers(findings, sides, waivers, now.toISOString().slice(0, 10));
}

function scorerOf(text: string): Scorer {
  const [, name, most, command] = /^([\w.-]{1,100})<=(-?\d+(?:\.\d+)?): *(\S.*)$/.exec(text) ?? [];
  if (command === undefined)
    throw usage('--scorer needs a name, a limit and a command: "toxicity<=0.5: python3 score.py"');
  const [program, ...args] = command.split(/ +/);
  return { name: name!, most: Number(most), command: [program!, ...args] };
}
