// `steelyard approve`: a person's signed yes, or no, to one release. What does not pass without approvals is not approved.
import { createInterface } from 'node:readline/promises';
import { Command } from 'commander';
import { inert } from '../../document/text/inert.ts';
import { APPROVAL, approvalPredicate } from '../../gate/approval/approval-documents.ts';
import { gate } from '../../gate/gate.ts';
import { durationOf } from '../../gate/release-policy/release-policy.ts';
import type { Verdict } from '../../gate/verdict/verdict.ts';
import { verdictText } from '../../gate/verdict/verdict-text.ts';
import { type AnyKey, signStatement } from '../../proof/sign/sign.ts';
import { writeStatement } from '../../proof/sign/statement/statement.ts';
import { type KeyFlags, signingKey, withKey } from '../option/key-option.ts';
import { usage } from '../option/trust-options.ts';
import { type Run, run } from '../run.ts';
import { say } from '../terminal/message.ts';
import { checkOutput, writeStdout } from '../terminal/output.ts';
import { unreadable, withRelease } from './gate-command.ts';
import { GATE_HELP } from './gate-help.ts';
import { type ReleaseFlags, type ReleaseInput, readRelease } from './release-input.ts';

interface Flags extends ReleaseFlags, KeyFlags {
  readonly output: string;
  readonly reject?: true;
  readonly expires: string;
  readonly comment?: string;
  readonly approver?: string;
}

export function approveCommand(): Command {
  return withKey(withRelease(new Command('approve')), true)
    .summary('sign an approval or a rejection of one release')
    .description(
      'Runs the gate without approvals, shows what will be recorded as reviewed, and signs: this MBOM, this policy, this environment, this ' +
        'evidence, in place of --current. What the gate refuses is not approved; --reject may always be signed.',
    )
    .requiredOption('-o, --output <file>', 'the approval: evidence/approvals/NAME.sigstore.json')
    .option('--reject', 'sign a rejection: the gate then refuses the release, whoever else approves')
    .option('--expires <duration>', 'how long it holds, as 7d', '7d')
    .option('--approver <name>', "signer's name for people to read; never trusted")
    .option('--comment <text>', 'is recorded')
    .action((path: string, flags: Flags) => run((context) => approve(path, flags, context)))
    .addHelpText('after', GATE_HELP);
}

async function approve(path: string, flags: Flags, context: Run): Promise<number> {
  await checkOutput(flags.output, [path]);
  const lifetime = durationOf(flags.expires);
  if (lifetime === null) throw usage('--expires must be a duration, as 12h or 7d');
  const key = await signingKey(flags, process.env);
  const input = await readRelease(path, flags, context);
  const verdict = gate(input.release, input.policy, {
    now: input.now,
    current: input.current,
    withoutApprovals: true,
  });
  const unread = unreadable(input, verdict);
  if (unread !== null && !flags.reject) return unread;
  if (verdict.outcome !== 'promote' && !flags.reject) {
    await writeStdout([verdictText(verdict, input.policy)]);
    say('not approved: the gate refuses the release even before approvals');
    return 1;
  }
  await writeStdout([shown(verdict, flags)]);
  if (!flags.yes) await confirmed(verdict, context);
  await context.write(flags.output, [await signed(input, verdict, flags, lifetime, key)]);
  say(
    `${flags.reject ? 'rejected' : 'approved'} ${verdict.release.digest}; the signature is in ${flags.output}`,
  );
  return 0;
}

function shown({ release, environment, reviewed }: Verdict, { reject }: Flags): string {
  const lines = [
    `${reject ? 'reject' : 'approve'}  ${release.digest} for ${environment}`,
    ...(reject
      ? []
      : ['recorded as reviewed:', ...reviewed.map(({ name, digest }) => `  ${digest}  ${inert(name)}`)]),
  ];
  return `${lines.join('\n')}\n`;
}

/** The first digits of the digest must be typed: a habit of pressing return approves nothing. */
async function confirmed({ release }: Verdict, { signal }: Run): Promise<void> {
  if (!process.stdin.isTTY) throw usage('nobody is there to confirm: use --yes in scripts');
  const wanted = release.digest.slice('sha256:'.length, 'sha256:'.length + 8);
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  try {
    const typed = await terminal.question(
      `type the first 8 digits of the release (after sha256:) to sign: `,
      { signal },
    );
    if (typed.trim() !== wanted) throw usage('that is another release: nothing was signed');
  } finally {
    terminal.close();
  }
}

function signed(
  { release, policy, now, current }: ReleaseInput,
  verdict: Verdict,
  { reject, approver, comment }: Flags,
  lifetime: number,
  key: AnyKey,
): string | Promise<string> {
  const created = now.getTime();
  const predicate = approvalPredicate({
    decision: reject ? 'rejected' : 'approved',
    policy,
    reviewed: verdict.reviewed,
    replaces: current ?? null,
    approver: approver ?? '',
    created,
    expires: created + lifetime,
    ...(comment === undefined ? {} : { comment }),
  });
  const subject = [
    { name: release.mbom.path, digest: { sha256: release.mbom.digest.slice('sha256:'.length) } },
  ];
  return signStatement(writeStatement(subject, APPROVAL, predicate), key);
}
