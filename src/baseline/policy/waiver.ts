// Waivers: findings that somebody has accepted for certain bytes in a certain place. Neither accepts another tensor that takes the name,
// nor the same bytes under another name, where they can be another model.

import { quoted } from '../../document/violations.ts';
import { type Finding, toFinding } from '../../rules/finding.ts';
import type { Profile, TensorProfile } from '../../scan/profile/profile.ts';
import { PatternTrie } from './pattern/trie.ts';
import type { Policy, WaivedTensor, Waiver } from './policy.ts';

/** `findings` with those marked that are accepted, and then what there is to say about the waivers. */
export function waive(
  findings: readonly Finding[],
  profile: Profile,
  { waivers, severity }: Policy,
  today: string,
): Finding[] {
  if (waivers.length === 0) return [...findings];
  const waiverOf = waiverFinder(waivers, profile);
  const used = new Set<Waiver>();
  const marked = findings.map((finding) => {
    const waiver = waiverOf(finding);
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

const keyOf = (rule: string, subject: string | null | undefined): string => `${rule} ${subject}`;

function about(
  rule: 'policy/waiver-unused' | 'policy/waiver-expired',
  waiver: Waiver,
  what: string,
): Finding {
  const message = `line ${waiver.line} of the policy, ${waiver.rule} of ${quoted(waiver.owner)}: ${what}`;
  return toFinding({ rule, file: '', message, expected: waiver.subject });
}

/** By rule and digest first; where it stands, what it is called and how it is read must be what was accepted. */
function waiverFinder(
  waivers: readonly Waiver[],
  { files, tensors }: Profile,
): (finding: Finding) => Waiver | undefined {
  const known = new Map<string, Waiver[]>();
  for (const waiver of waivers) {
    const key = keyOf(waiver.rule, waiver.subject);
    const others = known.get(key);
    if (others === undefined) known.set(key, [waiver]);
    else others.push(waiver);
  }
  const tries = new Map(
    waivers.flatMap(({ tensor }) => (tensor === null ? [] : [[tensor, new PatternTrie([tensor.pattern])]])),
  );
  const digests = new Map(files.map(({ path, sha256 }) => [path, sha256]));
  const named = new Map(tensors.map((tensor) => [JSON.stringify([tensor.file, tensor.name]), tensor]));
  return ({ rule, file, tensor: name }) => {
    const tensor = name === undefined ? undefined : named.get(JSON.stringify([file, name]));
    return (
      known.get(keyOf(rule, digests.get(file)))?.find((one) => one.tensor === null && one.file === file) ??
      known
        .get(keyOf(rule, tensor?.sha256))
        ?.find((one) => (one.file ?? file) === file && isWaived(tensor!, one, tries))
    );
  };
}

function isWaived(
  { name, dtype, shape }: TensorProfile,
  { tensor }: Waiver,
  tries: ReadonlyMap<WaivedTensor, PatternTrie>,
): boolean {
  if (tensor === null || tensor.dtype !== dtype || `${tensor.shape}` !== `${shape}`) return false;
  return tries.get(tensor)!.match(name).length > 0;
}
