// `steelyard pull`: a model from a source to a folder, verified and scanned on its way, or not at all.

import { createHash } from 'node:crypto';
import { Command, InvalidArgumentError, Option } from 'commander';
import type { FailOn } from '../../baseline/policy/policy.ts';
import { jsonText } from '../../document/json/chunks.ts';
import { type PullOptions, type PullResult, pull, renderPull, type SignedMbom } from '../../pull/pull.ts';
import { type Lock, readLock } from '../../pull/receipt/lock.ts';
import { SteelyardError } from '../../rules/error.ts';
import { SEVERITIES } from '../../rules/rules.ts';
import { policyIn, today } from '../option/comparison-options.ts';
import { readInput } from '../option/input.ts';
import { type KeyFlags, signingKey, withKey } from '../option/key-option.ts';
import { type Run, run } from '../run.ts';
import { checkOutput, writeStdout } from '../terminal/output.ts';
import { rendered } from '../terminal/rendering.ts';
import { type SelectionFlags, selectionOf, withSelection } from './selection-options.ts';

/** Of 100,000 files some 20 MB. */
const LOCK = 64 * 2 ** 20;

interface Flags extends Partial<KeyFlags>, SelectionFlags {
  readonly output: string;
  readonly lock?: string;
  readonly sha256?: string;
  readonly bom?: string;
  readonly bomSignature?: string;
  readonly bomKey?: string;
  readonly policy?: string;
  readonly zone?: string;
  readonly failOn?: FailOn;
  readonly connections?: number;
  readonly maxSize?: number;
  readonly dryRun?: true;
  readonly keepQuarantine?: true;
  readonly format: 'text' | 'json';
  readonly report?: string;
  readonly progress?: boolean;
}

export function pullCommand(): Command {
  const command = new Command('pull')
    .summary('fetch a model from a source, verify and scan it; keep it only if it passes')
    .description(
      'Lists and pins a model, fetches it into a quarantine, scans it there and compares every digest. Only what passes is moved ' +
        'to its place, with a receipt beside it (DIR.pull.json). --key signs the receipt too (DIR.pull.intoto.jsonl).',
    )
    .argument(
      '[source]',
      'hf://ORG/NAME[@REV], s3://BUCKET/KEY, oci://HOST/REPO:TAG, ollama://NAME, https://…',
    )
    .requiredOption('-o, --output <folder>', 'where the model is put; it must not be there')
    .option('--lock <file>', 'lock file from steelyard lock: the source, and the digest of every file')
    .option('--sha256 <hex>', 'digest that the one file must have', digest)
    .option('--bom <file>', 'the MBOM: the files of the model and their digests')
    .option('--bom-signature <file>', 'the signature over the MBOM, checked first')
    .option('--bom-key <file>', 'the public key (PEM) that must have signed the MBOM')
    .option('--policy <file>', 'what a model must be, and where it may come from')
    .option('--zone <name>', 'the zone of the policy (default: its only one)')
    .addOption(
      new Option(
        '--fail-on <severity>',
        "refuse findings of this severity or higher (default: the policy's, else high)",
      ).choices(['none', ...SEVERITIES]),
    )
    .option('--connections <count>', 'connections at a time (default: 8)', positive)
    .option('--max-size <bytes>', 'refuse a model that has more bytes', positive)
    .option('--dry-run', 'list the files and their expected digests; fetch no weights')
    .option('--keep-quarantine', 'keep refused files for inspection')
    .option('--report <file>', 'also write the report of the scan, as JSON')
    .addOption(new Option('--format <format>', 'what is printed').choices(['text', 'json']).default('text'))
    .option('--progress', 'show progress even if stderr is not a terminal')
    .option('--no-progress', 'never show progress');
  return withKey(withSelection(command), false).action((source: string | undefined, flags: Flags) =>
    run((context) => pulled(source, flags, context), flags.progress),
  );
}

const EXIT = { pass: 0, fail: 1, error: 2 } as const;

async function pulled(named: string | undefined, flags: Flags, context: Run): Promise<number> {
  if (flags.report !== undefined) await checkOutput(flags.report, []);
  const lock = flags.lock === undefined ? null : readLock(readInput(flags.lock, 'lock', LOCK));
  const source = named ?? lock?.source;
  if (source === undefined) throw usage('name a source, or a lock with --lock');
  const { signal, onProgress } = context;
  const result = await pull(source, { ...(await optionsOf(flags, lock)), signal, onProgress });
  context.measured();
  if (flags.report !== undefined && result.report !== null)
    await context.write(flags.report, rendered(result.report, { format: 'json' }, false));
  await writeStdout(flags.format === 'json' ? [jsonOf(result)] : textOf(result, flags.output));
  return EXIT[result.outcome];
}

async function optionsOf(flags: Flags, lock: Lock | null): Promise<PullOptions> {
  const { output, sha256, policy, zone, key, failOn, connections, maxSize } = flags;
  const rules = policy === undefined ? undefined : readInput(policy, 'policy');
  const mbom = mbomOf(flags);
  return {
    output,
    env: process.env,
    ...selectionOf(flags),
    ...(lock === null ? {} : { lock }),
    ...(mbom === null ? {} : { mbom }),
    ...(sha256 === undefined ? {} : { sha256 }),
    ...(rules === undefined
      ? {}
      : { policy: await policyIn(rules, policy), policyDigest: digestOf(rules), today: today() }),
    ...(zone === undefined ? {} : { zone }),
    ...(failOn === undefined ? {} : { failOn }),
    ...(connections === undefined ? {} : { connections }),
    ...(maxSize === undefined ? {} : { maxSize }),
    ...(key === undefined ? {} : { key: await signingKey({ ...flags, key }, process.env) }),
    dryRun: flags.dryRun ?? false,
    keepQuarantine: flags.keepQuarantine ?? false,
  };
}

/** An MBOM that nobody signed declares nothing: the three come together. */
function mbomOf({ bom, bomSignature, bomKey }: Flags): SignedMbom | null {
  const given = [bom, bomSignature, bomKey].filter((file) => file !== undefined);
  if (given.length === 0) return null;
  if (bom === undefined || bomSignature === undefined || bomKey === undefined)
    throw usage('--bom, --bom-signature and --bom-key go together');
  return {
    document: readInput(bom, 'MBOM'),
    bundle: readInput(bomSignature, 'signature'),
    trust: { method: 'key', publicKey: readInput(bomKey, 'public key') },
  };
}

/** The scan's findings, then what the pull says. */
function textOf(result: PullResult, output: string): string[] {
  const { report } = result;
  const scan = report === null ? [] : [...rendered(report, { format: 'text', quiet: true }, false), '\n'];
  return [...scan, renderPull(result, output)];
}

function jsonOf({ outcome, source, files, expected, findings, receipt, quarantine }: PullResult): string {
  const listed = files.map(({ path, size }) => ({ path, size, expected: expected.get(path) ?? [] }));
  return jsonText({ outcome, source, files: listed, findings, receipt, quarantine });
}

const usage = (message: string): SteelyardError => new SteelyardError('USAGE', message);

const digestOf = (bytes: Buffer): string => `sha256:${createHash('sha256').update(bytes).digest('hex')}`;

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
