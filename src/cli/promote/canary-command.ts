// `steelyard canary`: ask a release staged prompts, and compare what it says with what the previous one said.
import { Command } from 'commander';
import { checkCommand, compareCommand } from './canary-compare.ts';
import { fingerprintCommand, initCommand, runCommand } from './canary-run.ts';
import { sweepCommand } from './canary-sweep.ts';
import { waiveCommand } from './canary-waive.ts';

const HELP = `
Examples:
  steelyard canary init -o canary-suite.yaml                         a suite to start from
  steelyard canary run --suite canary-suite.yaml --target http://127.0.0.1:8080/v1 --bom model.mbom.yaml -o new.run.jsonl
  steelyard canary compare old.run.jsonl new.run.jsonl --format html -o canary.html
  steelyard canary check first.run.jsonl                             a first release has nothing to be compared with
  steelyard canary sweep --target http://127.0.0.1:8080/v1 --against http://127.0.0.1:8081/v1 --vocabulary base.gguf --changed lora.gguf
  steelyard canary waive canary.json --because "refund wording" --owner "A. Lee" --expires 2027-03-01 --key key.pem -o w.sigstore.json
  steelyard canary fingerprint --target http://127.0.0.1:8080/v1 --bom model.mbom.yaml -o model.fingerprint.json

Exit codes:
  0    pass, written
  1    fail: a finding at or above --fail-on
  2    no verdict: the target cannot be reached, a capability is missing, not everything was asked, bad usage
  130  interrupted (143: terminated); a run can be resumed
`;

export function canaryCommand(): Command {
  const canary = new Command('canary').summary(
    'ask staged prompts, and compare what a release says with the one before',
  );
  const commands = [
    initCommand(),
    runCommand(),
    compareCommand(),
    checkCommand(),
    sweepCommand(),
    waiveCommand(),
    fingerprintCommand(),
  ];
  for (const command of commands) canary.addCommand(command.addHelpText('after', HELP));
  return canary;
}
