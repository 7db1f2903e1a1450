// `steelyard scan` and `steelyard check`: arguments to options, one scan, one report, an exit code.
import { Command, InvalidArgumentError, Option } from 'commander';
import type { FailOn, Report } from '../../baseline/report.ts';
import { REPORT_FORMATS, type ReportFormat } from '../../document/text/report-format.ts';
import { isSourceUri } from '../../document/text/source-word.ts';
import type { AnyKey } from '../../proof/sign/sign.ts';
import { SteelyardError } from '../../rules/error.ts';
import { SEVERITIES } from '../../rules/rule.ts';
import { loading } from '../../runtime/loading.ts';
import type { FollowSymlinks } from '../../scan/model/links.ts';
import { type ScanOptions, scan } from '../../scan.ts';
import {
  type ComparisonFlags,
  type ExaminationFlags,
  examination,
  readComparison,
  withAccept,
  withComparison,
  withExclude,
} from '../option/comparison-options.ts';
import { inGroups } from '../option/groups.ts';
import { type KeyFlags, signingKey, withKey } from '../option/key-option.ts';
import {
  checkReports,
  type ReportFlags,
  renderedAs,
  withReports,
  writeReports,
} from '../option/report-options.ts';
import { withSources } from '../option/sources.ts';
import { type Run, run } from '../run.ts';
import { wantsColour } from '../terminal/colour.ts';
import { say } from '../terminal/message.ts';
import { checkOutput } from '../terminal/output.ts';

interface Flags extends ComparisonFlags, ExaminationFlags, Partial<KeyFlags>, ReportFlags {
  readonly sign?: string;
  readonly format: 'text' | 'json' | ReportFormat;
  readonly output?: string;
  readonly failOn?: FailOn;
  readonly threads?: number;
  readonly io: 'auto' | 'mmap' | 'pread';
  readonly isolate: 'thread' | 'process';
  readonly timeout?: number;
  readonly followSymlinks?: FollowSymlinks;
  readonly rows?: true;
  readonly forensics?: true;
  readonly progress?: boolean;
  readonly quiet?: true;
  readonly timing?: true;
}

export function scanCommand(): Command {
  const command = new Command('scan')
    .summary('report digests, statistics and findings of weight files')
    .description(
      'Reads every file once and reports its digest, its tensors, their statistics and what is wrong.',
    );
  return inGroups(reporting(withComparison(command, false)), GROUPS);
}

/** The same, for a model that is said to be a certain one. */
export function checkCommand(): Command {
  const command = new Command('check')
    .summary('compare a model with the approved one, and report every difference')
    .description('Scans a model and compares it with the profile of the approved model.');
  return inGroups(reporting(withComparison(command, true)), GROUPS);
}

function reporting(command: Command): Command {
  command.option(
    '--sign <file>',
    'if the verdict is a pass, sign the files with --key and write this signature; links are not followed',
  );
  return withExclude(withReports(withAccept(withKey(command, false))))
    .option('--require-examined', 'fail on every unexamined file that can run or hold weights')
    .argument('<path...>', 'files and folders, or sources as for pull')
    .addOption(
      new Option('--format <format>', 'format of the report')
        .choices(['text', 'json', ...REPORT_FORMATS])
        .default('text'),
    )
    .option('-o, --output <file>', 'write the report to a file, whole or not at all')
    .addOption(
      new Option(
        '--fail-on <severity>',
        "exit 1 on findings of this severity or higher (default: the policy's, else high)",
      ).choices(['none', ...SEVERITIES]),
    )
    .option('--threads <count>', 'worker threads (default: one per core)', positiveInteger)
    .addOption(
      new Option('--io <way>', 'how to read files').choices(['auto', 'mmap', 'pread']).default('auto'),
    )
    .addOption(
      new Option('--isolate <where>', 'measure in threads, or in processes whose crash ends only one file')
        .choices(['thread', 'process'])
        .default('thread'),
    )
    .option(
      '--timeout <seconds>',
      'stop after this many seconds; what was not read becomes an error',
      seconds,
    )
    .option(
      '--follow-symlinks <which>',
      'links in folders: never, within:DIR or always (default: within the folder or its Hub cache)',
      followSymlinks,
    )
    .option('--rows', 'json: also norm and digest of each row of embeddings and output heads')
    .option('--forensics', 'also look for payloads in the values of tensors; several times slower')
    .option('--progress', 'show progress even if stderr is not a terminal')
    .option('--no-progress', 'never show progress')
    .option('--quiet', 'text: only findings of severity low or higher, errors and the summary')
    .option('--timing', 'report seconds and throughput; they differ from run to run')
    .action((paths: string[], flags: Flags) =>
      run((context) => reported(paths, flags, context), flags.progress),
    );
}

/** How the help lists the options; the others come first. */
const GROUPS = {
  'Verdict:': ['baseline', 'mode', 'base', 'policy', 'failOn', 'requireExamined', 'accept'],
  'Output:': ['format', 'output', 'report', 'quiet', 'progress', 'timing'],
  'Reading:': ['threads', 'io', 'isolate', 'timeout', 'followSymlinks', 'exclude', 'rows', 'forensics'],
  'Signing:': ['sign', 'key', 'passwordFile', 'certificateChain'],
};

const EXIT = { pass: 0, fail: 1, error: 2 } as const;

async function reported(paths: readonly string[], flags: Flags, context: Run): Promise<number> {
  if (flags.output !== undefined) await checkOutput(flags.output, paths);
  await checkReports(flags, paths);
  const signing = await signingOf(paths, flags);
  const measuring = measured(paths, flags, context);
  const rendering = loading(import('../terminal/rendering.ts'));
  const signature = signing && loading(import('../prove/signing.ts'));
  const report = await measuring;
  const { rendered } = await rendering;
  context.measured();
  // A scan that won the race against Ctrl-C: the user is still told what they asked for, nothing.
  if (context.signal.aborted) throw new SteelyardError('ABORTED', 'interrupted');
  const colour = flags.output === undefined && wantsColour(process.stdout, process.env);
  const { format } = flags;
  const chunks =
    format === 'text' || format === 'json'
      ? rendered(report, { ...flags, format }, colour)
      : [await renderedAs(report, format, paths)];
  await context.write(flags.output, chunks);
  await writeReports(report, flags, paths, context);
  if (flags.output !== undefined) say(`${report.verdict.outcome}; the report is in ${flags.output}`);
  if (signing === undefined) return EXIT[report.verdict.outcome];
  return (await signature)!.signReport(report, paths, signing.output, signing.key, context);
}

/** undefined: nothing is to be signed. A key is read before hours of scanning. */
async function signingOf(
  paths: readonly string[],
  flags: Flags,
): Promise<{ readonly output: string; readonly key: AnyKey } | undefined> {
  const { sign, key, passwordFile, certificateChain, followSymlinks } = flags;
  if (sign === undefined && [key, passwordFile, certificateChain].every((one) => one === undefined)) return;
  if (sign === undefined || key === undefined)
    throw new SteelyardError('USAGE', '--sign and --key go together');
  if (followSymlinks !== undefined && followSymlinks !== 'never')
    throw new SteelyardError('USAGE', 'links cannot be signed: leave --follow-symlinks out, or --sign');
  if (paths.some(isSourceUri))
    throw new SteelyardError('USAGE', 'what is signed must lie in a folder: pull it first');
  await checkOutput(sign, paths);
  return { output: sign, key: await signingKey({ ...flags, key }, process.env) };
}

async function measured(paths: readonly string[], flags: Flags, context: Run): Promise<Report> {
  const { rows = false, forensics = false, isolate, baseline } = flags;
  // A baseline says itself what is measured.
  const wanted =
    baseline === undefined && isolate !== 'process' ? { rows, forensics, sketch: false } : undefined;
  return withSources(paths, context, (found, followed) => scanned(found, flags, context, followed), wanted);
}

async function scanned(
  paths: readonly string[],
  flags: Flags,
  { signal, onProgress }: Run,
  followed: ScanOptions['followed'] | undefined,
): Promise<Report> {
  const { failOn, io, isolate, rows, timing = false, threads, timeout, sign } = flags;
  // allow_symlinks is false in what is signed, and another verifier refuses links.
  const followSymlinks = sign === undefined ? flags.followSymlinks : 'never';
  return scan(paths, {
    ...(await readComparison(flags)),
    ...examination(flags, sign !== undefined),
    io,
    isolate,
    timing,
    ...(followed === undefined ? {} : { followed }),
    signal,
    onProgress,
    ...(failOn === undefined ? {} : { failOn }),
    ...(rows === undefined ? {} : { rows }),
    ...(flags.forensics === undefined ? {} : { forensics: true }),
    ...(timeout === undefined ? {} : { timeout }),
    ...(followSymlinks === undefined ? {} : { followSymlinks }),
    ...(threads === undefined ? {} : { threads }),
  });
}

function positiveInteger(text: string): number {
  if (!/^[1-9]\d{0,3}$/.test(text)) throw new InvalidArgumentError('It must be an integer from 1 to 9999.');
  return Number(text);
}

function seconds(text: string): number {
  if (!/^\d{1,6}(\.\d{1,3})?$/.test(text) || Number(text) === 0)
    throw new InvalidArgumentError('It must be a number of seconds above 0, below 1000000.');
  return Number(text);
}

function followSymlinks(text: string): FollowSymlinks {
  if (text === 'never' || text === 'always' || /^within:./.test(text)) return text as FollowSymlinks;
  throw new InvalidArgumentError('It must be never, within:DIR or always.');
}
