#!/usr/bin/env node
// The command line's entry: commands, help, and what bad usage exits with.
import { Command, CommanderError } from 'commander';
import { VERSION } from '../index.ts';
import { attestCommand } from './attest.ts';
import { bomCommands } from './bom.ts';
import { say, sayError } from './message.ts';
import { policyCommands } from './policy.ts';
import { profileCommand } from './profile.ts';
import { explainCommand, rulesCommand } from './rules.ts';
import { checkCommand, scanCommand } from './scan.ts';
import { schemaCommand } from './schema.ts';
import { signCommand } from './sign.ts';
import { verifyCommand } from './verify.ts';

const HELP = `
Examples:
  steelyard scan model.safetensors              one file, a report for people
  steelyard scan models/llama                   every file of a folder
  steelyard scan --format json -o report.json . the same report for programs, whole or not at all
  steelyard scan --quiet --fail-on medium .     a gate for CI: says little, exits with 1 from medium on

Exit codes:
  0    pass: everything was looked at, no finding at or above --fail-on
  1    fail: a finding at or above --fail-on; a malformed file is one, of severity critical
  2    no verdict: a file could not be read or changed meanwhile, a limit, nothing to scan, bad usage
  130  interrupted (143: terminated)
`;

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
  steelyard verify models/llama --signature model.sig --public-key pub.pem
  steelyard bom create models/llama -o model.mbom.yaml --runtime-image img@sha256:…
  steelyard sign model.mbom.yaml --key key.pem -o model.mbom.yaml.sigstore.json
  steelyard bom verify model.mbom.yaml models/llama --signature model.mbom.yaml.sigstore.json --public-key pub.pem
  steelyard attest models/llama --key key.pem -o model.intoto.jsonl

Exit codes:
  0    signed, verified
  1    refused: nothing is proven, or the scan failed; lines begin with stable codes (UNSIGNED, DIGEST_MISMATCH, …)
  2    no verdict: a file could not be read, bad usage
  130  interrupted (143: terminated)
`;

const program = new Command('steelyard')
  .description(
    'Weighs a model before anyone runs it: digests, statistics and findings of safetensors and GGUF files.',
  )
  .version(VERSION, '-V, --version', 'print the version')
  .helpOption('-h, --help', 'print help')
  .addHelpText('after', HELP)
  .configureHelp({ helpWidth: 100 })
  .configureOutput({ outputError: (message) => say(oneLine(message)) })
  .exitOverride();
program.addCommand(scanCommand().copyInheritedSettings(program).addHelpText('after', HELP));
for (const command of [profileCommand(), checkCommand()])
  program.addCommand(command.copyInheritedSettings(program).addHelpText('after', BASELINE_HELP));
const policy = new Command('policy')
  .summary('write and try out a policy: what a model must be')
  .copyInheritedSettings(program);
for (const command of policyCommands())
  policy.addCommand(command.copyInheritedSettings(program).addHelpText('after', BASELINE_HELP));
program.addCommand(policy);
program.addCommand(schemaCommand().copyInheritedSettings(program));
const bom = new Command('bom')
  .summary('declare what a model is made of: the MBOM')
  .copyInheritedSettings(program);
for (const command of [signCommand(), verifyCommand(), attestCommand()])
  program.addCommand(command.copyInheritedSettings(program).addHelpText('after', PROOF_HELP));
for (const command of bomCommands())
  bom.addCommand(command.copyInheritedSettings(program).addHelpText('after', PROOF_HELP));
program.addCommand(bom);
for (const command of [rulesCommand(), explainCommand()]) {
  program.addCommand(command.copyInheritedSettings(program));
}

/** Commander puts its suggestion on a second line; the rest of a message may quote a file name that looks like an option. */
const oneLine = (message: string): string =>
  message
    .trimEnd()
    .replace(/^error: /, 'error USAGE: ')
    .replace(/\n\(Did you mean ([^\n]+)\?\)$/, ' (did you mean $1?)');

// A reader that went away (head, less) must not kill the process: an unheard stream error would, with a stack trace and
// exit code 1. What it means for a report is decided where the report is written.
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined);

try {
  await program.parseAsync();
} catch (error) {
  // Commander exits with 1 for bad usage; here 1 means that a model failed.
  if (error instanceof CommanderError) process.exitCode = error.exitCode === 0 ? 0 : 2;
  else {
    sayError(error);
    process.exitCode = 2;
  }
}
