// `steelyard canary`: ask a release staged prompts, and compare what it says with what the previous one said.
import { Command } from 'commander';
import { openTarget, releaseIn, type TargetFlags, withTarget } from '../option/target-options.ts';
import { type Run, run } from '../run.ts';
import { say } from '../terminal/message.ts';
import { checkOutput } from '../terminal/output.ts';

const HELP = `
Examples:
  steelyard canary fingerprint --target http://127.0.0.1:8080/v1 --bom model.mbom.yaml -o model.fingerprint.json

Exit codes:
  0    pass, written
  1    fail: a finding at or above --fail-on
  2    no verdict: the target cannot be reached, a capability is missing, not everything was asked, bad usage
  130  interrupted (143: terminated)
`;

export function canaryCommand(): Command {
  const canary = new Command('canary').summary(
    'ask a release staged prompts, and compare what it says with the one before',
  );
  for (const command of [fingerprintCommand()]) canary.addCommand(command.addHelpText('after', HELP));
  return canary;
}

interface FingerprintFlags extends TargetFlags {
  readonly bom: string;
  readonly output: string;
}

function fingerprintCommand(): Command {
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
    await write(output, [`${JSON.stringify(taken, null, 2)}\n`]);
    say(
      `the fingerprint of ${release.bom} is in ${output}; tied by ${taken.tie}, floor ${taken.floor.toExponential(1)}`,
    );
    return 0;
  } finally {
    await target.close();
  }
}
