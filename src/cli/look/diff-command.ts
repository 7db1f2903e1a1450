// `steelyard diff`: two models, one report, an exit code.
import { Command, InvalidArgumentError, Option } from 'commander';
import { type DiffOptions, diff } from '../../diff/diff.ts';
import { renderPage } from '../../diff/page/page.ts';
import { diffJsonChunks } from '../../diff/report/diff-json.ts';
import type { DiffReport } from '../../diff/report/diff-report.ts';
import { renderDiffText } from '../../diff/report/diff-text.ts';
import type { ModelSource } from '../../diff/side.ts';
import { SteelyardError } from '../../rules/error.ts';
import { readProfile } from '../option/comparison-options.ts';
import { checkReports, type ReportFlags, withReports, writeReports } from '../option/report-options.ts';
import { withSources } from '../option/sources.ts';
import { type Run, run } from '../run.ts';
import { wantsColour } from '../terminal/colour.ts';
import { say } from '../terminal/message.ts';
import { checkOutput } from '../terminal/output.ts';
import { populationOf, ranked } from './population.ts';

/** What a diff can be written as. */
const RENDERERS = {
  text: (report: DiffReport, colour: boolean): Iterable<string> => [renderDiffText(report, { colour })],
  json: diffJsonChunks,
  html: renderPage,
} as const satisfies Record<string, (report: DiffReport, colour: boolean) => Iterable<string>>;

interface Flags extends ReportFlags {
  readonly format: keyof typeof RENDERERS;
  readonly output?: string;
  readonly goodProfile?: string;
  readonly suspectProfile?: string;
  readonly population?: readonly string[];
  readonly suspects?: readonly string[];
  readonly adapter?: string;
  readonly threads?: number;
  readonly io: 'auto' | 'mmap' | 'pread';
  readonly isolate?: boolean;
  readonly timeout?: number;
  readonly progress?: boolean;
}

const HELP = `
Examples:
  steelyard diff models/llama incoming/llama                 what did they change, and what kind of change is it
  steelyard diff good.safetensors suspect.safetensors --format json -o diff.json
  steelyard diff models/llama incoming/llama --good-profile llama.profile.json    reads only what changed of the good one
  steelyard diff lora/v1 incoming/lora --population lora/good where the adapter stands among known-good ones
  steelyard diff models/llama merged/llama --adapter lora/v1     is that the base with this adapter merged, and nothing else
  steelyard diff --population lora/good/* --suspects incoming/*  where each of many stands, adjusted for how many they are
  steelyard diff llama.profile.json incoming/llama           only the profile of the good model is at hand

Exit codes:
  0    the same; of many suspects: no anomaly found; with --adapter: merged, and nothing else
  1    changed; of many suspects: at least one is odd; with --adapter: something else
  2    no answer: a file could not be read or changed meanwhile, an invalid profile, too few known-good adapters, bad usage
  130  interrupted (143: terminated)
`;

export function diffCommand(): Command {
  return withReports(new Command('diff'))
    .summary('report the differences between two models, and what kind of change it is')
    .description(
      'Compares a suspect model with a good one. Reports which tensors changed, where in them, and how.',
    )
    .argument('[good]', 'file, folder, or profile (a .profile.json) of the model that is trusted')
    .argument('[suspect]', 'file or folder, or a profile')
    .addOption(
      new Option('--format <format>', 'format of the report').choices(Object.keys(RENDERERS)).default('text'),
    )
    .option('-o, --output <file>', 'write the report to a file, whole or not at all')
    .option('--good-profile <file>', 'existing profile of the good model; only changed tensors are then read')
    .option('--suspect-profile <file>', 'existing profile of the suspect; its contents are trusted')
    .option(
      '--population <folders...>',
      'known-good adapters, or one folder that holds them; ranks the suspect among them',
    )
    .option('--suspects <folders...>', 'many suspects against the population, in place of good and suspect')
    .option('--adapter <path>', 'an adapter: is the suspect the good model with it merged, and nothing else')
    .option('--threads <count>', 'worker threads (default: one per core)', positiveInteger)
    .addOption(
      new Option('--io <way>', 'how to read files').choices(['auto', 'mmap', 'pread']).default('auto'),
    )
    .option('--isolate', 'read each file in its own process, so that a crash ends only that file')
    .option('--timeout <seconds>', 'stop after this many seconds; the comparison is then incomplete', seconds)
    .option('--progress', 'show progress even if stderr is not a terminal')
    .option('--no-progress', 'never show progress')
    .addHelpText('after', HELP)
    .action((good: string | undefined, suspect: string | undefined, flags: Flags) =>
      run((watch) => answered(good, suspect, flags, watch), flags.progress),
    );
}

const EXIT = { same: 0, changed: 1, error: 2 } as const;
const MERGED = { merged: 0, differs: 1, 'not compared': 2 } as const;

/** Where an adapter was given, the question is whether it explains the change. */
function codeOf({ outcome, merge, complete }: DiffReport): number {
  if (merge === undefined) return EXIT[outcome];
  return merge.outcome === 'merged' && !complete ? 2 : MERGED[merge.outcome];
}

async function answered(
  good: string | undefined,
  suspect: string | undefined,
  flags: Flags,
  context: Run,
): Promise<number> {
  if (flags.suspects !== undefined) {
    if (flags.report !== undefined) throw new SteelyardError('USAGE', '--report is for two models');
    if (good !== undefined || flags.population === undefined)
      throw new SteelyardError(
        'USAGE',
        '--suspects goes with --population, and in place of good and suspect',
      );
    return ranked(flags.population, flags.suspects, flags, context);
  }
  if (good === undefined || suspect === undefined)
    throw new SteelyardError('USAGE', 'diff takes a good model and a suspect');
  return held(good, suspect, flags, context);
}

async function held(good: string, suspect: string, flags: Flags, context: Run): Promise<number> {
  const { signal, ...watch } = context;
  if (flags.output !== undefined) await checkOutput(flags.output, [good, suspect]);
  await checkReports(flags, [good, suspect]);
  const options = { signal, onProgress: watch.onProgress, ...(await optionsOf(flags)) };
  const report = await withSources([good, suspect], context, async ([one, other]) =>
    diff(await source(one!), await source(other!), options),
  );
  watch.measured();
  if (signal.aborted) throw new SteelyardError('ABORTED', 'interrupted');
  const colour = flags.output === undefined && wantsColour(process.stdout, process.env);
  await watch.write(flags.output, RENDERERS[flags.format](report, colour));
  await writeReports(report, flags, [suspect], watch);
  if (flags.output !== undefined) say(`${report.outcome}; the report is in ${flags.output}`);
  return codeOf(report);
}

async function optionsOf(flags: Flags): Promise<DiffOptions> {
  const { goodProfile, suspectProfile, population, adapter, threads, io, isolate, timeout } = flags;
  return {
    io,
    ...(threads === undefined ? {} : { threads }),
    ...(isolate ? { isolate: 'process' as const } : {}),
    ...(timeout === undefined ? {} : { timeout }),
    ...(population === undefined ? {} : { population: populationOf(population) }),
    ...(adapter === undefined ? {} : { adapter }),
    ...(goodProfile === undefined ? {} : { goodProfile: await readProfile(goodProfile) }),
    ...(suspectProfile === undefined ? {} : { suspectProfile: await readProfile(suspectProfile) }),
  };
}

const source = async (path: string): Promise<ModelSource> =>
  path.endsWith('.profile.json') ? readProfile(path) : path;

function positiveInteger(text: string): number {
  if (!/^[1-9]\d{0,3}$/.test(text)) throw new InvalidArgumentError('It must be an integer from 1 to 9999.');
  return Number(text);
}

function seconds(text: string): number {
  const value = Number(text);
  if (/^\d+(\.\d+)?$/.test(text) && value > 0) return value;
  throw new InvalidArgumentError('It must be a number of seconds above 0.');
}
