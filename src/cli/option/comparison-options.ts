// What a model is held against: --baseline, --mode, --base, --policy.
import { type Command, InvalidArgumentError, Option } from 'commander';
import { MODES, type Mode } from '../../baseline/compare/mode.ts';
import type { Policy } from '../../baseline/policy/policy.ts';
import type { ProfileDocument } from '../../scan/profile/document/document.ts';
import type { ScanOptions } from '../../scan.ts';
import { readInput } from './input.ts';

export interface ComparisonFlags {
  readonly baseline?: string;
  readonly mode?: Mode;
  readonly base?: string;
  readonly policy?: string;
}

export interface ExaminationFlags {
  readonly requireExamined?: true;
  readonly accept?: readonly string[];
  readonly exclude?: readonly string[];
}

const digest = (text: string, others: readonly string[] = []): string[] => {
  if (!/^sha256:[0-9a-f]{64}$/.test(text))
    throw new InvalidArgumentError('It must be sha256: and 64 hexadecimal digits, as the report has them.');
  return [...others, text];
};

/** `--accept`: where files that nobody looked into must be listed. */
export const withAccept = (command: Command): Command =>
  command.option('--accept <sha256:…>', 'accept an unexamined file by its digest; may be repeated', digest);

/** `--exclude`: what is left out and recorded. */
export const withExclude = (command: Command): Command =>
  command.option(
    '--exclude <glob>',
    'exclude files without weights, code or settings, and record it; may be repeated',
    (glob: string, others: readonly string[] = []) => [...others, glob],
  );

/** `listed`: the command vouches for the model, so that each such file must be accepted. */
export const examination = (
  { requireExamined, accept, exclude }: ExaminationFlags,
  listed: boolean,
): Pick<ScanOptions, 'unexamined' | 'accept' | 'exclude'> => ({
  ...(exclude === undefined ? {} : { exclude }),
  ...(requireExamined && accept === undefined
    ? { unexamined: 'forbid' as const }
    : listed || accept !== undefined
      ? { unexamined: 'listed' as const }
      : {}),
  ...(accept === undefined ? {} : { accept }),
});

export function withComparison(command: Command, required: boolean): Command {
  const baseline = new Option('--baseline <file>', 'profile of the approved model');
  return command
    .addOption(required ? baseline.makeOptionMandatory() : baseline)
    .addOption(
      new Option(
        '--mode <mode>',
        'the same artefact, the same weights converted, or a fine-tune (default: exact)',
      ).choices(MODES),
    )
    .option('--base <file>', 'profile of the base model of an adapter')
    .option('--policy <file>', 'what a model must be, which findings weigh otherwise, which are accepted');
}

/** Profiles of 100,000 tensors with their statistics have some 300 MB. */
const PROFILE = 500_000_000;

export async function readComparison({
  baseline,
  mode,
  base,
  policy,
}: ComparisonFlags): Promise<Partial<ScanOptions>> {
  return {
    ...(baseline === undefined ? {} : { baseline: await readProfile(baseline) }),
    ...(mode === undefined ? {} : { mode }),
    ...(base === undefined ? {} : { base: await readProfile(base) }),
    ...(policy === undefined ? {} : { policy: await readPolicy(policy), today: today() }),
  };
}

// The readers of our own documents come with schema libraries; a scan that needs none of them starts without them.
export async function readProfile(path: string): Promise<ProfileDocument> {
  const { parseProfile } = await import('../../scan/profile/document/parse-profile.ts');
  return parseProfile(readInput(path, 'baseline', PROFILE).toString('utf8'));
}

export async function policyIn(bytes: Buffer, name?: string): Promise<Policy> {
  const { parsePolicy } = await import('../../baseline/policy/document/parse-policy.ts');
  return parsePolicy(bytes.toString('utf8'), name);
}

export const readPolicy = (path: string): Promise<Policy> => policyIn(readInput(path, 'policy'), path);

/** In UTC, so that one policy expires at one moment everywhere. */
export const today = (): string => new Date().toISOString().slice(0, 10);
