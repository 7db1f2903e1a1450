// The list of recalls: signed lines that withdraw digests, and after them a heartbeat over everything above it. Without the heartbeat, a
// list that somebody cut, or an old one, would look like one in which nothing is recalled.

import { digestOf, type EvidenceFile, linesOf, place } from '../claim/piece.ts';
import type { Claim } from '../claim/proven-claim.ts';
import { matches, readPurl } from '../evidence/purl.ts';
import { type GatePolicy, milliseconds } from '../release-policy/release-policy.ts';
import { type Denial, deny, settled } from '../verdict/denial.ts';
import { type CountedEvidence, timeText } from '../verdict/verdict.ts';

interface RecallQuestion {
  readonly policy: GatePolicy;
  readonly now: number;
  readonly claims: readonly Claim[];
  readonly files: readonly EvidenceFile[];
  /** Everything that the release is made of: digest, and what it is. */
  readonly parts: ReadonlyMap<string, string>;
  /** Package URLs that the SBOMs show. */
  readonly packages: readonly string[];
}

interface Recalls {
  readonly evidence: readonly CountedEvidence[];
  readonly denials: readonly Denial[];
  readonly limits: readonly number[];
}

interface Recall {
  readonly claim: Claim;
  readonly reason: string;
  readonly packages: readonly string[];
  /** Of a heartbeat: when the list was whole. null: it recalls something. */
  readonly heartbeat: number | null;
}

const SKEW = 5 * 60_000;

export function recalls(question: RecallQuestion): Recalls {
  const { policy, now, claims, files } = question;
  const { signedBy, maxAge } = policy.json.recalls;
  const denials: Denial[] = [];
  const read = claims
    .filter(({ kind, by }) => kind === 'recall' && signedBy.includes(by))
    .flatMap((claim): Recall[] => {
      const tried = settled(() => readRecall(claim));
      if (tried.denials === undefined) return [tried.value];
      denials.push(...tried.denials.map((one) => ({ ...one, file: place(claim.source) })));
      return [];
    });
  const lists = [...new Set(read.map(({ claim }) => claim.source.file))];
  const wholes = lists.flatMap((path) => wholeAt(files.find((file) => file.path === path)!, read) ?? []);
  const fresh = wholes.filter(({ time }) => time <= now + SKEW && now - time <= milliseconds(maxAge));
  if (fresh.length === 0) denials.push(stale(wholes.length > 0, lists.length > 0));
  for (const recall of read) denials.push(...recalled(recall, question));
  return {
    evidence: fresh.map(({ claim, time }) => ({
      ...claim.source,
      kind: 'recall',
      by: claim.by,
      signer: claim.signer,
      time: timeText(time),
      database: null,
    })),
    denials,
    limits: fresh.length === 0 ? [] : [Math.max(...fresh.map(({ time }) => time)) + milliseconds(maxAge)],
  };
}

function stale(old: boolean, there: boolean): Denial {
  const message = old
    ? 'the list of recalls is too old, or dated later than now'
    : there
      ? 'the list of recalls does not end with a heartbeat over all of it: it was cut'
      : 'there is no list of recalls that a listed identity signed';
  return { code: 'RECALLS_STALE', message };
}

/** The heartbeat in the last line of a list, if it is over everything above it. */
function wholeAt(
  file: EvidenceFile,
  read: readonly Recall[],
): { readonly time: number; readonly claim: Claim } | null {
  const last = linesOf(file.bytes).at(-1)!;
  const end = file.path.endsWith('.jsonl') ? last.line : null;
  const found = read.find(
    ({ claim, heartbeat }) =>
      heartbeat !== null && claim.source.file === file.path && claim.source.line === end,
  );
  if (found === undefined) return null;
  const above = file.bytes.subarray(0, last.bytes.byteOffset - file.bytes.byteOffset);
  return found.claim.subjects![0] === digestOf(above) ? { time: found.heartbeat!, claim: found.claim } : null;
}

function readRecall(claim: Claim): Recall {
  const list = claim.body.get('list');
  if (!list.absent) {
    claim.body.only('list');
    const time = list.only('sequence', 'timeCreated').get('timeCreated').time();
    if (claim.subjects!.length !== 1)
      deny('MALFORMED_EVIDENCE', 'a heartbeat has one subject, the lines above it');
    return {
      claim,
      reason: '',
      packages: [],
      heartbeat: time ?? list.get('timeCreated').wrong('must be a time'),
    };
  }
  claim.body.only('timeCreated', 'reason', 'severity', 'advisory', 'packages');
  return {
    claim,
    reason: claim.body.get('reason').text(),
    packages: claim.body
      .get('packages')
      .maybeList()
      .map((one) => one.text()),
    heartbeat: null,
  };
}

function recalled(
  { claim, reason, packages, heartbeat }: Recall,
  { parts, packages: shown }: RecallQuestion,
): Denial[] {
  if (heartbeat !== null) return [];
  const file = place(claim.source);
  const digests = claim.subjects!.flatMap((digest): Denial[] => {
    const part = parts.get(digest);
    return part === undefined
      ? []
      : [{ code: 'RECALLED', file, message: `${part} was recalled: ${reason}`, actual: digest }];
  });
  const seen = packages.length === 0 ? [] : shown.flatMap((text) => readPurl(text) ?? []);
  const named = packages.flatMap((text): Denial[] => {
    const wanted = readPurl(text);
    if (wanted === null || !seen.some((one) => matches(wanted, one))) return [];
    return [
      { code: 'RECALLED', file, message: `a package of the image was recalled: ${reason}`, actual: text },
    ];
  });
  return [...digests, ...named];
}
