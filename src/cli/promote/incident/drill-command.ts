// `steelyard drill`: what would the gate do if a control were taken away? Exit 1 if anything would have been promoted.
import { Command, Option } from 'commander';
import { inert } from '../../../document/text/inert.ts';
import { gate } from '../../../gate/gate.ts';
import { type DrillResult, drillsFor, runDrill } from '../../../gate/incident/drill/drill.ts';
import { verdictText } from '../../../gate/verdict/verdict-text.ts';
import { SteelyardError } from '../../../rules/error.ts';
import { type Run, run } from '../../run.ts';
import { say } from '../../terminal/message.ts';
import { writeStdout } from '../../terminal/output.ts';
import { withRelease } from '../gate-command.ts';
import { GATE_HELP } from '../gate-help.ts';
import { type ReleaseFlags, readRelease } from '../release-input.ts';

interface Flags extends ReleaseFlags {
  readonly format: 'text' | 'json';
}

export function drillCommand(): Command {
  return withRelease(new Command('drill'))
    .summary('take each control away in memory, and see the gate refuse')
    .description(
      'Judges the release as it is, which must promote, and then with one thing changed at a time: evidence deleted, changed, unsigned, ' +
        'too old; a trusted report that says no; too few approvals; recalls. Writes nothing, and asks no network.',
    )
    .addOption(new Option('--format <format>', 'of the table').choices(['text', 'json']).default('text'))
    .action((path: string, flags: Flags) => run((context) => drill(path, flags, context)))
    .addHelpText('after', GATE_HELP);
}

async function drill(path: string, flags: Flags, context: Run): Promise<number> {
  const { release, policy, now, current, errors } = await readRelease(path, flags, context);
  if (errors.length > 0)
    throw new SteelyardError('IO', `not every file of the model could be read: ${errors[0]!.message}`);
  const scene = { release, policy, now: now.getTime(), current };
  const verdict = gate(release, policy, { now, current });
  if (verdict.outcome !== 'promote') {
    await writeStdout([verdictText(verdict, policy)]);
    say('no drill: the release must promote before anything is taken away from it');
    return 2;
  }
  const results: DrillResult[] = [];
  for (const one of drillsFor(scene, verdict)) {
    context.signal.throwIfAborted();
    results.push(runDrill(one, scene));
  }
  const promoted = results.filter(({ outcome }) => outcome === 'PROMOTED').length;
  await writeStdout([
    flags.format === 'json' ? `${JSON.stringify({ drills: results }, null, 2)}\n` : table(results, promoted),
  ]);
  return promoted === 0 ? 0 : 1;
}

function table(results: readonly DrillResult[], promoted: number): string {
  const lines = results.map(({ name, outcome, codes }) => {
    const how = outcome === 'PROMOTED' ? 'PROMOTED' : outcome === 'blocked' ? 'blocked ' : 'blocked*';
    return `${how}  ${inert(name).padEnd(62)}  ${codes.slice(0, 3).join(', ')}`;
  });
  const end =
    promoted === 0
      ? `${results.length} drills, all blocked   exit 0`
      : `${promoted} of ${results.length} drills would have been promoted   exit 1`;
  const note = results.some(({ outcome }) => outcome === 'blocked by another code')
    ? ['* blocked, but by another code than the one that this drill is for']
    : [];
  return `${[...lines, ...note, end].join('\n')}\n`;
}
