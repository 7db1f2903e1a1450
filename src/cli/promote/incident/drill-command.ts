// `steelyard drill`: what would the gate do if a control were taken away? Exit 1 if anything would have been promoted.

import { dirname } from 'node:path';
import { Command, Option } from 'commander';
import { jsonText } from '../../../document/json/chunks.ts';
import { inert } from '../../../document/text/inert.ts';
import { gate } from '../../../gate/gate.ts';
import {
  type DrillResult,
  drillsFor,
  recallOf,
  runDrill,
  type Scene,
} from '../../../gate/incident/drill/drill.ts';
import { searchRelease } from '../../../gate/incident/find.ts';
import { readQuery } from '../../../gate/incident/query.ts';
import { readReleaseFiles } from '../../../gate/incident/walk.ts';
import { mbomIn } from '../../../gate/input/folder.ts';
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
  readonly incident?: true;
}

export function drillCommand(): Command {
  return withRelease(new Command('drill'))
    .summary('take each control away in memory, and see the gate refuse')
    .description(
      'Judges the release as it is, which must promote, and then with one thing changed at a time: evidence deleted, changed, unsigned, ' +
        'too old; a trusted report that says no; too few approvals; recalls. Writes nothing, and asks no network.',
    )
    .addOption(new Option('--format <format>', 'of the table').choices(['text', 'json']).default('text'))
    .option(
      '--incident',
      'rehearse instead: find a file of the release, recall it, see the gate refuse; with the time each took',
    )
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
  if (flags.incident) return rehearse(path, scene, flags);
  const results: DrillResult[] = [];
  for (const one of drillsFor(scene, verdict)) {
    context.signal.throwIfAborted();
    results.push(runDrill(one, scene));
  }
  const promoted = results.filter(({ outcome }) => outcome === 'PROMOTED').length;
  await writeStdout([flags.format === 'json' ? jsonText({ drills: results }) : table(results, promoted)]);
  return promoted === 0 ? 0 : 1;
}

/** Find → recall → the gate refuses, in memory, and the commands for it. */
async function rehearse(path: string, scene: Scene, { policy }: Flags): Promise<number> {
  const [file] = scene.release.files.filter(({ format }) => format !== null).concat(scene.release.files);
  const digest = file!.sha256;
  const folder = dirname(path.endsWith('.mbom.yaml') ? path : mbomIn(path));
  const begun = performance.now();
  const query = readQuery(digest, () => Buffer.alloc(0));
  const found = searchRelease(readReleaseFiles(path.endsWith('.mbom.yaml') ? path : mbomIn(path)), query);
  const searched = performance.now();
  const result = runDrill(recallOf(digest, `recalls: ${file!.path} is recalled`), scene);
  const refused = performance.now();
  const milliseconds = (from: number, to: number): string => `${Math.round(to - from)} ms`;
  await writeStdout([
    [
      `found in ${milliseconds(begun, searched)}: ${inert(found?.where[0] ?? 'nowhere')}`,
      `recalled and judged in ${milliseconds(searched, refused)}: ${result.outcome}, ${result.codes.join(', ')}`,
      'in an incident:',
      `  steelyard find ${digest} ${inert(folder)}`,
      `  steelyard recall ${digest} --reason "…" --list recalls.intoto.jsonl --key security.pem`,
      `  steelyard gate ${inert(path)} --policy ${inert(policy)} --recheck verdict.json`,
      '',
    ].join('\n'),
  ]);
  return found !== null && result.outcome === 'blocked' ? 0 : 1;
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
