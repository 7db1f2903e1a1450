// `steelyard gate`: is this release promoted?

import { Command, Option } from 'commander';
import { jsonText } from '../../document/json/chunks.ts';
import { gate } from '../../gate/gate.ts';
import { readPromotion } from '../../gate/verdict/promotion.ts';
import { attestVerdict } from '../../gate/verdict/summary.ts';
import type { Verdict } from '../../gate/verdict/verdict.ts';
import { verdictText } from '../../gate/verdict/verdict-text.ts';
import { readInput } from '../option/input.ts';
import { type KeyFlags, signingKey, withKey } from '../option/key-option.ts';
import { checkReports, type ReportFlags, withReports, writeReports } from '../option/report-options.ts';
import { usage } from '../option/trust-options.ts';
import { type Run, run } from '../run.ts';
import { say } from '../terminal/message.ts';
import { checkOutput, writeStdout } from '../terminal/output.ts';
import { GATE_HELP } from './gate-help.ts';
import { type ReleaseFlags, type ReleaseInput, readRelease } from './release-input.ts';

interface Flags extends ReleaseFlags, Partial<KeyFlags>, ReportFlags {
  readonly output?: string;
  readonly format: 'text' | 'json';
  readonly attest?: string;
  readonly recheck?: string;
}

export const withRelease = (command: Command): Command =>
  command
    .argument('<release>', 'the folder with model.mbom.yaml, model/ and evidence/; or the MBOM')
    .requiredOption('--policy <file>', 'what the release must show (steelyard/gate/1); it lies elsewhere')
    .option('--evidence <folder>', 'the evidence (default: evidence/ beside the MBOM)')
    .option('--root <folder>', 'the model (default: model/ beside the MBOM)')
    .option('--current <digest>', 'the release that runs now, or none')
    .option('--now <time>', 'judge as of this time (default: now)');

export function gateCommand(): Command {
  return withReports(withKey(withRelease(new Command('gate')), false))
    .summary('decide whether a release is promoted')
    .description(
      'Verifies the MBOM, the model, the image, every control of the policy, the approvals and the recalls. Refuses what is missing, ' +
        'unsigned, too old or about something else. Asks no network and runs nothing.',
    )
    .addOption(
      new Option('--format <format>', 'of the verdict on stdout').choices(['text', 'json']).default('text'),
    )
    .option('-o, --output <file>', 'write the verdict (steelyard/verdict/1), whole or not at all')
    .option('--attest <file>', 'sign the verdict as a SLSA verification summary; needs --key')
    .option('--recheck <verdict>', 'check a promoted release again, without new approvals; for a nightly job')
    .action((path: string, flags: Flags) => run((context) => decide(path, flags, context)))
    .addHelpText('after', GATE_HELP);
}

async function decide(path: string, flags: Flags, context: Run): Promise<number> {
  const { output, attest, key } = flags;
  if ((attest === undefined) !== (key === undefined)) throw usage('--attest and --key go together');
  for (const file of [output, attest]) if (file !== undefined) await checkOutput(file, [path]);
  await checkReports(flags, [path]);
  const signer = key === undefined ? undefined : await signingKey({ ...flags, key }, process.env);
  const input = await readRelease(path, flags, context);
  const verdict = gate(input.release, input.policy, optionsOf(input, flags.recheck));
  const unread = unreadable(input, verdict);
  if (unread !== null) return unread;
  const json = jsonText(verdict);
  if (output !== undefined) await context.write(output, [json]);
  if (attest !== undefined) await context.write(attest, [await attestVerdict(verdict, signer!)]);
  await writeReports(verdict, flags, [], context);
  await writeStdout([flags.format === 'json' ? json : verdictText(verdict, input.policy)]);
  return verdict.outcome === 'promote' ? 0 : 1;
}

/** What was promoted is judged again: by newer evidence, recalls and clock, in place of the release that it replaced. */
function optionsOf({ release, now, current }: ReleaseInput, recheck: string | undefined) {
  if (recheck === undefined) return { now, current };
  const before = readPromotion(readInput(recheck, 'verdict'), recheck);
  if (before.release !== release.mbom.digest)
    throw usage(`${recheck} is the verdict of another release: ${before.release}`);
  return { now, current: before.current, withoutApprovals: true };
}

/** A file that could not be read is not missing. Any other refusal is beyond doubt, and beats the error. */
export function unreadable({ errors }: ReleaseInput, { refusals }: Verdict): number | null {
  if (errors.length === 0) return null;
  for (const { code, file, message } of errors) say(`error ${code}: ${file}: ${message}`);
  const unread = new Set(errors.map(({ file }) => file));
  const sure = refusals.some(({ code, file }) => code !== 'MISSING_FILE' || !unread.has(file ?? ''));
  if (sure) return null;
  say('no verdict: not every file of the model could be read');
  return 2;
}
