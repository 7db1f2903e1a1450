// Every command but scan, with its help.
import { Command } from 'commander';
import { attestCommand } from './attest.ts';
import { bomCommands } from './bom.ts';
import { diffCommand } from './diff.ts';
import { policyCommands } from './policy.ts';
import { profileCommand } from './profile.ts';
import { explainCommand, rulesCommand } from './rules.ts';
import { checkCommand } from './scan.ts';
import { schemaCommand } from './schema.ts';
import { signCommand } from './sign.ts';
import { verifyCommand } from './verify.ts';

const BASELINE_HELP = `
Examples:
  steelyard profile models/llama --rows -o llama.profile.json      the baseline, from a model you trust
  steelyard check incoming/llama --baseline llama.profile.json     is it that model, and what departs
  steelyard check tuned/ --baseline llama.profile.json --mode derived
  steelyard policy init llama.profile.json -o llama.policy.yaml    a policy that the model keeps
  steelyard policy test llama.policy.yaml llama.profile.json       which line matches which tensors
  steelyard scan incoming/llama --policy llama.policy.yaml

Exit codes:
  0    written; pass
  1    fail: a finding at or above --fail-on
  2    no verdict: a file could not be read, no baseline of a broken model, an invalid profile or policy, bad usage
  130  interrupted (143: terminated)
`;

const PROOF_HELP = `
Examples:
  steelyard sign models/llama --key key.pem -o model.sig
  steelyard scan models/llama --sign model.sig --key key.pem --format json -o report.json    the same, with the report
  steelyard sign models/llama --key key.pem -o new.sig --reuse model.sig --public-key pub.pem --changed models/llama/README.md
  steelyard verify models/llama --signature model.sig --public-key pub.pem --scan
  steelyard bom create models/llama -o model.mbom.yaml --runtime-image img@sha256:…
  steelyard sign model.mbom.yaml --key key.pem -o model.mbom.yaml.sigstore.json
  steelyard bom verify model.mbom.yaml --root models/llama --signature model.mbom.yaml.sigstore.json --public-key pub.pem
  steelyard attest models/llama --key key.pem -o model.intoto.jsonl

Exit codes:
  0    signed, verified
  1    refused: nothing is proven, or the scan failed; lines begin with stable codes (UNSIGNED, DIGEST_MISMATCH, …)
  2    no verdict: a file could not be read, bad usage
  130  interrupted (143: terminated)
`;

export function addCommands(program: Command): void {
  const add = (parent: Command, commands: readonly Command[], help?: string): void => {
    for (const command of commands) {
      command.copyInheritedSettings(program);
      parent.addCommand(help === undefined ? command : command.addHelpText('after', help));
    }
  };
  const policy = new Command('policy').summary('write and try out a policy: what a model must be');
  const bom = new Command('bom').summary('declare what a model is made of: the MBOM');
  add(program, [profileCommand(), checkCommand()], BASELINE_HELP);
  add(program, [diffCommand(), policy, schemaCommand()]);
  add(policy, policyCommands(), BASELINE_HELP);
  add(program, [signCommand(), verifyCommand(), attestCommand()], PROOF_HELP);
  add(program, [bom, rulesCommand(), explainCommand()]);
  add(bom, bomCommands(), PROOF_HELP);
}
