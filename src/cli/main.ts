#!/usr/bin/env node
// The command line's entry: commands, help, and what bad usage exits with.
import { existsSync } from 'node:fs';
import { Command, CommanderError } from 'commander';

import { isSourceUri } from '../document/text/source-word.ts';
import { assertNamed } from '../runtime/folder.ts';
import { VERSION } from '../runtime/package.ts';
import { scanCommand } from './look/scan-command.ts';
import { say, sayError } from './terminal/message.ts';

const SCAN_HELP = `
Examples:
  steelyard model.safetensors                   one file, a report for people; short for steelyard scan
  steelyard scan models/llama                   every file of a folder
  steelyard scan --format json -o report.json . the same report for programs, whole or not at all
  steelyard scan --quiet --fail-on medium .     a gate for CI: says little, exits with 1 from medium on

Exit codes:
  0    pass: every weight file was examined, no finding at or above --fail-on; other files were only hashed
  1    fail: a finding at or above --fail-on; a malformed file is one, of severity critical
  2    no verdict: a file could not be read or changed meanwhile, a limit, nothing to examine, bad usage
  130  interrupted (143: terminated)
`;

const HELP = `
Examples:
  steelyard models/llama                        look into a model before anyone loads it: short for steelyard scan
  steelyard demo try                            write a small model, an edited twin, an adapter and keys to try commands on
  steelyard COMMAND --help                      options and examples of a command

Exit codes:
  0    pass
  1    a definite no
  2    no verdict: something could not be looked at, bad usage
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
program.addCommand(
  scanCommand().copyInheritedSettings(program).addHelpText('after', SCAN_HELP).helpGroup('Look:'),
);
const argv = await withScan(process.argv);
const [, , name] = argv;
if (name !== 'scan') await (await import('./commands.ts')).addCommands(program, name);

/** Commander puts its suggestion on a second line; the rest of a message may quote a file name that looks like an option. */
const oneLine = (message: string): string =>
  message
    .trimEnd()
    .replace(/^error: /, 'error USAGE: ')
    .replace(/\n\(Did you mean ([^\n]+)\?\)$/, ' (did you mean $1?)')
    .replace(/unknown command ('.*')$/, 'unknown command $1, and no file or folder of that name');

// A reader that went away (head, less) must not kill the process: an unheard stream error would, with a stack trace and
// exit code 1. What it means for a report is decided where the report is written.
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined);

try {
  for (const argument of process.argv.slice(2)) assertNamed(argument);
  await program.parseAsync(argv);
} catch (error) {
  // Commander exits with 1 for bad usage; here 1 means that a model failed.
  if (error instanceof CommanderError) process.exitCode = error.exitCode === 0 ? 0 : 2;
  else {
    sayError(error);
    process.exitCode = 2;
  }
}

/** `steelyard models/llama` scans it. A command's name always wins over a path: `steelyard ./gate` scans a folder called gate. */
async function withScan(args: readonly string[]): Promise<string[]> {
  const [node, script, first, ...rest] = args as [string, string, ...string[]];
  const isWord = first !== undefined && first !== 'scan' && first !== 'help' && !first.startsWith('-');
  if (!isWord || !(existsSync(first) || isSourceUri(first))) return [...args];
  const { COMMAND_NAMES } = await import('./commands.ts');
  return COMMAND_NAMES.includes(first) ? [...args] : [node, script, 'scan', first, ...rest];
}
