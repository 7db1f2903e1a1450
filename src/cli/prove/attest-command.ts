// `steelyard attest`: scan, and sign the verdict as a claim about the model's root digest.
import { createHash } from 'node:crypto';
import { Command, Option } from 'commander';
import type { FailOn } from '../../baseline/policy/policy.ts';
import { attest, PREDICATES, type Predicate } from '../../proof/sign/attestation.ts';
import { scan } from '../../scan.ts';
import {
  type ExaminationFlags,
  examination,
  policyIn,
  today,
  withAccept,
  withExclude,
} from '../option/comparison-options.ts';
import { readInput } from '../option/input.ts';
import { type KeyFlags, signingKey, withKey } from '../option/key-option.ts';
import { naming } from '../option/naming.ts';
import { type Run, run } from '../run.ts';
import { say } from '../terminal/message.ts';
import { checkOutput } from '../terminal/output.ts';
import { excludedOf } from './excluded.ts';
import { failOnOption } from './sign-command.ts';
import { sayUnseen } from './unseen.ts';

interface Flags extends KeyFlags, Pick<ExaminationFlags, 'accept' | 'exclude'> {
  readonly output: string;
  readonly failOn?: FailOn;
  readonly policy?: string;
  readonly predicate: Predicate;
}

export function attestCommand(): Command {
  return withExclude(withAccept(withKey(new Command('attest'), true)))
    .summary('sign the verdict of a scan')
    .description(
      'Scans a model and writes a signed statement about its root digest: a SLSA verification summary (PASSED or FAILED) or a ' +
        'simple verification result (what passed), with the number of findings of each rule. Exits with 1 if the scan failed, ' +
        'and attests that; attests nothing if it had no verdict.',
    )
    .argument('<path...>', 'files and folders of one model')
    .requiredOption('-o, --output <file>', 'the attestation: model.intoto.jsonl')
    .addOption(
      new Option('--predicate <form>', 'SLSA VSA v1 or in-toto SVR v0.2').choices(PREDICATES).default('vsa'),
    )
    .option('--policy <file>', 'what the model must be; its digest is attested')
    .addOption(failOnOption())
    .action((paths: string[], flags: Flags) => run((now) => attestation(paths, flags, now)));
}

async function attestation(
  paths: readonly string[],
  { output, policy, predicate, failOn, accept, exclude, ...keyFlags }: Flags,
  { signal, onProgress, measured, write }: Run,
): Promise<number> {
  await checkOutput(output, paths);
  const key = await signingKey(keyFlags, process.env);
  const rules = policy === undefined ? undefined : readInput(policy, 'policy');
  const report = await scan(paths, {
    ...(rules === undefined ? {} : { policy: await policyIn(rules, policy), today: today() }),
    ...(failOn === undefined ? {} : { failOn }),
    ...examination({ ...(accept && { accept }), ...(exclude && { exclude }) }, true),
    followSymlinks: 'never',
    signal,
    onProgress,
  });
  measured();
  const { outcome } = report.verdict;
  if (!report.complete) {
    say('not attested: not everything could be looked at; see steelyard scan');
    return outcome === 'fail' ? 1 : 2;
  }
  const { name, ignore } = naming(paths, output);
  const { bundle, rootDigest } = await attest(report, key, {
    name,
    ignore: [...ignore, ...excludedOf(report)],
    predicate,
    ...(rules === undefined ? {} : { policyDigest: digestOf(rules) }),
  });
  await write(output, [bundle]);
  sayUnseen(report);
  say(`attested ${outcome} for ${rootDigest}; the attestation is in ${output}`);
  return outcome === 'pass' ? 0 : 1;
}

const digestOf = (bytes: Buffer): string => `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
