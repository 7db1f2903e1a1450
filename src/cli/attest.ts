// `steelyard attest`: scan, and sign the verdict as a claim about the model's root digest.
import { Command } from 'commander';
import { attest, type FailOn } from '../index.ts';
import { type KeyFlags, signingKey, withKey } from './key.ts';
import { say } from './message.ts';
import { checkOutput, writeFileWhole } from './output.ts';
import { run } from './run.ts';
import { failOnOption, scanned } from './sign.ts';

interface Flags extends KeyFlags {
  readonly output: string;
  readonly failOn: FailOn;
}

export function attestCommand(): Command {
  return withKey(new Command('attest'))
    .summary('sign the verdict of a scan')
    .description(
      'Scans a model and writes a signed SLSA verification summary about its root digest: PASSED or FAILED, with the number ' +
        'of findings of each rule. Exits with 1 if the scan failed, and attests that; attests nothing if it had no verdict.',
    )
    .argument('<path...>', 'files and folders of one model')
    .requiredOption('-o, --output <file>', 'the attestation: model.intoto.jsonl')
    .addOption(failOnOption())
    .action((paths: string[], flags: Flags) =>
      run(async (now) => {
        await checkOutput(flags.output, paths);
        const key = signingKey(flags, process.env);
        const { report, options } = await scanned(paths, flags, now);
        const { outcome } = report.verdict;
        if (!report.complete) {
          say('not attested: not everything could be looked at; see steelyard scan');
          return outcome === 'fail' ? 1 : 2;
        }
        const { bundle, rootDigest } = attest(report, key, options);
        await writeFileWhole(flags.output, [bundle], now.signal);
        say(`attested ${outcome} for ${rootDigest}; the attestation is in ${flags.output}`);
        return outcome === 'pass' ? 0 : 1;
      }),
    );
}
