// `steelyard pull`: a model from a source to a folder, verified and scanned on its way, or not at all.
import { createHash } from 'node:crypto';
import { Command, InvalidArgumentError, Option } from 'commander';
import type { FailOn } from '../../baseline/policy/policy.ts';
import { inertJson, type PullOptions, type PullResult, pull, renderPull } from '../../pull/pull.ts';
import { SEVERITIES } from '../../rules/rules.ts';
import { policyIn, today } from '../option/comparison-options.ts';
import { readInput } from '../option/input.ts';
import { type KeyFlags, signingKey, withKey } from '../option/key-option.ts';
import { type Run, run } from '../run.ts';
import { checkOutput, writeStdout } from '../terminal/output.ts';
import { rendered } from '../terminal/rendering.ts';

interface Flags extends Partial<KeyFlags> {
  readonly output: string;
  readonly sha256?: string;
  readonly include?: readonly string[];
  readonly exclude?: readonly string[];
  readonly policy?: string;
  readonly failOn?: FailOn;
  readonly connections?: number;
  readonly maxSize?: number;
  readonly endpoint?: string;
  readonly dryRun?: true;
  readonly keepQuarantine?: true;
  readonly format: 'text' | 'json';
  readonly report?: string;
  readonly progress?: boolean;
}

export function pullCommand(): Command {
  const command = new Command('pull')
    .summary('get a model from a source: verified and scanned on the way, or not at all')
    .description(
      'Lists and pins a model, fetches it into a quarantine, scans it there and compares every digest. Only what passes is moved ' +
        'to its place, with a receipt beside it (DIR.pull.json).',
    )
    .argument(
      '<source>',
      'hf://ORG/NAME[@REV], s3://BUCKET/KEY, oci://HOST/REPO:TAG, ollama://NAME, https://…',
    )
    .requiredOption('-o, --output <folder>', 'where the model is put; it must not be there')
    .option('--sha256 <hex>', 'what the one file has to be', digest)
    .option('--include <glob>', 'only files of such a path (may be given again)', collect)
    .option('--exclude <glob>', 'no files of such a path (may be given again)', collect)
    .option('--policy <file>', 'what a model must be')
    .addOption(
      new Option(
        '--fail-on <severity>',
        "refuse findings at or above it (default: the policy's, else high)",
      ).choices(['none', ...SEVERITIES]),
    )
    .option('--connections <count>', 'connections at a time (default: 8)', positive)
    .option('--max-size <bytes>', 'refuse a model that has more bytes', positive)
    .option('--endpoint <url>', "instead of the store's own address: a mirror of the Hub, an S3 server")
    .option('--dry-run', 'say what would come and what is expected of it; fetch no weights')
    .option('--keep-quarantine', 'keep what was refused, to be looked at')
    .option('--report <file>', 'also write the report of the scan, as JSON')
    .addOption(new Option('--format <format>', 'what is printed').choices(['text', 'json']).default('text'))
    .option('--progress', 'show progress although stderr is not a terminal')
    .option('--no-progress', 'show no progress although it is');
  return withKey(command, false).action((source: string, flags: Flags) =>
    run((context) => pulled(source, flags, context), flags.progress),
  );
}

const EXIT = { pass: 0, fail: 1, error: 2 } as const;

async function pulled(source: string, flags: Flags, context: Run): Promise<number> {
  if (flags.report !== undefined) await checkOutput(flags.report, []);
  const result = await pull(source, {
    ...(await optionsOf(flags)),
    signal: context.signal,
    onProgress: context.onProgress,
  });
  context.measured();
  if (flags.report !== undefined && result.report !== null)
    await context.write(flags.report, rendered(result.report, { format: 'json' }, false));
  await writeStdout(flags.format === 'json' ? [jsonOf(result)] : textOf(result, flags.output));
  return EXIT[result.outcome];
}

async function optionsOf(flags: Flags): Promise<PullOptions> {
  const { output, sha256, policy, key, include, exclude, failOn, connections, maxSize, endpoint } = flags;
  const rules = policy === undefined ? undefined : readInput(policy, 'policy');
  return {
    output,
    env: process.env,
    ...(sha256 === undefined ? {} : { sha256 }),
    ...(include === undefined ? {} : { include }),
    ...(exclude === undefined ? {} : { exclude }),
    ...(rules === undefined
      ? {}
      : { policy: await policyIn(rules, policy), policyDigest: digestOf(rules), today: today() }),
    ...(failOn === undefined ? {} : { failOn }),
    ...(connections === undefined ? {} : { connections }),
    ...(maxSize === undefined ? {} : { maxSize }),
    ...(endpoint === undefined ? {} : { endpoint }),
    ...(key === undefined ? {} : { key: signingKey({ ...flags, key }, process.env) }),
    dryRun: flags.dryRun ?? false,
    keepQuarantine: flags.keepQuarantine ?? false,
  };
}

/** The scan's findings, then what the pull says. */
function textOf(result: PullResult, output: string): string[] {
  const scan =
    result.report === null ? [] : [...rendered(result.report, { format: 'text', quiet: true }, false), '\n'];
  return [...scan, renderPull(result, output)];
}

function jsonOf({ outcome, source, files, expected, findings, receipt, quarantine }: PullResult): string {
  const listed = files.map((file) => ({
    path: file.path,
    size: file.size,
    expected: expected.get(file.path) ?? [],
  }));
  return inertJson({ outcome, source, files: listed, findings, receipt, quarantine });
}

const digestOf = (bytes: Buffer): string => `sha256:${createHash('sha256').update(bytes).digest('hex')}`;

const collect = (value: string, all: readonly string[] = []): string[] => [...all, value];

function digest(text: string): string {
  const [, hex] = /^(?:sha256:)?([0-9a-f]{64})$/.exec(text) ?? [];
  if (hex === undefined) throw new InvalidArgumentError('It must be 64 lower-case hexadecimal digits.');
  return hex;
}

function positive(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 1)
    throw new InvalidArgumentError('It must be a whole number above 0.');
  return value;
}
