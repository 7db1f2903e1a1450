// Waivers: findings that somebody has accepted for certain bytes. By content, not by position: a waiver for a tensor does not
// accept another one that takes its name.

import { quoted } from '../../document/violations.ts';
import { type Finding, toFinding } from '../../rules/finding.ts';
import type { Profile } from '../../scan/profile/profile.ts';
import type { Policy, Waiver } from './policy.ts';

/** `findings` with those marked that are accepted, and then what there is to say about the waivers. */
export function waive(
  findings: readonly Finding[],
  profile: Profile,
  { waivers, severity }: Policy,
  today: string,
): Finding[] {
  if (waivers.length === 0) return [...findings];
  const known = new Map(waivers.map((waiver) => [keyOf(waiver.rule, waiver.subject), waiver]));
  const subjectOf = subjects(profile);
  const used = new Set<Waiver>();
  const marked = findings.map((finding) => {
    const subject = subjectOf(finding);
    const waiver = subject === undefined ? undefined : known.get(keyOf(finding.rule, subject));
    if (waiver === undefined) return finding;
    used.add(waiver);
    const { reason, owner, expires } = waiver;
    return expires < today ? finding : { ...finding, waived: { reason, owner, expires } };
  });
  const told = waivers.flatMap((waiver) => {
    if (!used.has(waiver)) return [about('policy/waiver-unused', waiver, 'no such finding about such bytes')];
    return waiver.expires < today
      ? [about('policy/waiver-expired', waiver, `expired after ${waiver.expires}`)]
      : [];
  });
  return [...marked, ...told].map((finding) => {
    const own = severity.get(finding.rule);
    return own === undefined ? finding : { ...finding, severity: own };
  });
}

const keyOf = (rule: string, subject: string): string => `${rule} ${subject}`;

function about(
  rule: 'policy/waiver-unused' | 'policy/waiver-expired',
  waiver: Waiver,
  what: string,
): Finding {
  const message = `line ${waiver.line} of the policy, ${waiver.rule} of ${quoted(waiver.owner)}: ${what}`;
  return toFinding({ rule, file: '', message, expected: waiver.subject });
}

/** The digest of what a finding is about: its tensor, else its file. */
function subjects({ files, tensors }: Profile): (finding: Finding) => string | undefined {
  const fileDigests = new Map(files.map(({ path, sha256 }) => [path, sha256]));
  const tensorDigests = new Map(
    tensors.map(({ file, name, sha256 }) => [JSON.stringify([file, name]), sha256]),
  );
  return ({ file, tensor }) =>
    tensor === undefined
      ? fileDigests.get(file)
      : (tensorDigests.get(JSON.stringify([file, tensor])) ?? undefined);
}
