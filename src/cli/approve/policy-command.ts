// `steelyard policy init` and `steelyard policy test`: to write a policy, and to see what it does.
import { statSync } from 'node:fs';
import { Command } from 'commander';
import { draftPolicy } from '../../baseline/policy/draft.ts';
import { policyCoverage } from '../../baseline/policy/matches.ts';
import { judge } from '../../baseline/policy/verdict.ts';
import { painter } from '../../document/text/frame.ts';
import { inert } from '../../document/text/inert.ts';
import { counted } from '../../document/text/quantity.ts';
import { profile } from '../../profile.ts';
import { findingLines } from '../../report/text/findings.ts';
import type { Profile } from '../../scan/profile/profile.ts';
import { readPolicy, readProfile, today } from '../option/comparison-options.ts';
import { type Run, run } from '../run.ts';
import { wantsColour } from '../terminal/colour.ts';
import { say } from '../terminal/message.ts';
import { checkOutput, writeStdout } from '../terminal/output.ts';

export function policyCommands(): Command[] {
  return [
    new Command('init')
      .summary('write a policy that a model keeps')
      .description('Writes a policy that names everything the model has, in as few lines as possible.')
      .argument('<path>', 'a model, or its profile')
      .option('-o, --output <file>', 'write the policy to a file, whole or not at all')
      .action((path: string, flags: { output?: string }) =>
        run((context) => init(path, flags.output, context)),
      ),
    new Command('test')
      .summary('report which line of a policy matches which tensors')
      .description(
        'Reports what each line matches, what no line matches, and what the policy finds. Scans no file.',
      )
      .argument('<policy>', 'the policy')
      .argument('<profile>', 'profile of a model')
      .action((policy: string, path: string) => run(() => test(policy, path))),
  ];
}

async function init(path: string, output: string | undefined, context: Run): Promise<number> {
  if (output !== undefined) await checkOutput(output, [path]);
  const text = draftPolicy(await profileOf(path, context));
  context.measured();
  await context.write(output, [text]);
  if (output !== undefined) say(`the policy is in ${output}`);
  return 0;
}

/** A .json file is a profile: no weight file is called so. */
async function profileOf(path: string, { signal, onProgress }: Run): Promise<Profile> {
  const isProfile = path.endsWith('.json') && statSync(path, { throwIfNoEntry: false })?.isFile() === true;
  return isProfile ? readProfile(path) : profile(path, { stats: false, signal, onProgress });
}

async function test(policyPath: string, profilePath: string): Promise<number> {
  const policy = await readPolicy(policyPath);
  const model = await readProfile(profilePath);
  const paint = painter(wantsColour(process.stdout, process.env));
  const { lines, unmatched } = policyCoverage(policy, model);
  const { findings, verdict } = judge(model, [], [], { policy, today: today() });
  const rows = lines.map(
    ({ line, template, count, example }) =>
      `  line ${String(line).padEnd(4)} ${counted(count, 'tensor').padEnd(14)} ${inert(template)}` +
      (example === null ? '' : paint('dim', `  such as ${inert(example)}`)),
  );
  const rest = unmatched.map((name) => `  ${inert(name)}`);
  await writeStdout([
    `${[
      'Lines',
      ...rows,
      '',
      `No line matches ${counted(unmatched.length, 'tensor')}`,
      ...rest,
      '',
      ...findingLines(findings, paint),
      '',
      `${verdict.outcome.toUpperCase()}  at fail-on ${verdict.failOn}`,
    ].join('\n')}\n`,
  ]);
  return verdict.outcome === 'pass' ? 0 : 1;
}
