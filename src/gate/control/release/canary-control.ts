// The control `canary`: staged prompts, answered by the release that runs and by this one, show no difference that fails. The comparison
// must name this release, know that it asked it, and be of the suite that the policy names.

import { CanarySchema } from '../../../canary/compare/canary-schema.ts';
import type { Foreign } from '../../claim/foreign.ts';
import type { Claim } from '../../claim/proven-claim.ts';
import { milliseconds } from '../../release-policy/release-policy.ts';
import type { ControlOf } from '../../release-policy/schema.ts';
import { type Denial, deny } from '../../verdict/denial.ts';
import { type Context, type ControlResult, collect, evidenceOf } from '../context.ts';
import { DAY } from '../exceptions.ts';

type Control = ControlOf<'canary'>;

interface Read {
  readonly time: number | null;
  readonly outcome: string;
  readonly message: string;
  readonly until: number | null;
}

export function canary(control: Control, context: Context): ControlResult {
  const { counted, denials, unused, limits } = collect<Read>(context, {
    signedBy: control.signedBy,
    count: control.count,
    maxAge: milliseconds(control.maxAge),
    kinds: ['canary'],
    wants: ({ kind }) => kind === 'canary',
    read: (claim) => readCanary(claim, control, context),
    same: ({ claim }) => claim.by,
  });
  const failed = counted
    .filter(({ value }) => value.outcome !== 'pass')
    .map(
      ({ claim, value }): Denial => ({
        code: 'CANARY_FAILED',
        file: claim.source.file,
        message: value.message,
      }),
    );
  return {
    evidence: counted.map(evidenceOf),
    denials: [...denials, ...failed],
    unused,
    limits: [...limits, ...counted.flatMap(({ value }) => value.until ?? [])],
  };
}

function readCanary({ body }: Claim, control: Control, context: Context): Read {
  const result = CanarySchema.safeParse(body.value);
  if (!result.success) {
    const [issue] = result.error.issues;
    return deny('MALFORMED_EVIDENCE', `${issue!.path.join('.')}: ${issue!.message.slice(0, 200)}`);
  }
  const side = body.get('new');
  const actual = releaseOf(side);
  if (actual === null) return deny('EVIDENCE_UNBOUND', 'the new side names no release (--bom)');
  if (actual !== context.release)
    deny('EVIDENCE_FOR_OTHER', 'the canary asked another release', { expected: context.release, actual });
  if (side.get('tie').text() === 'none')
    deny('EVIDENCE_UNBOUND', 'nothing tied the target that answered to the release');
  const suite = side.get('suite').digest();
  if (control.suite !== undefined && suite !== control.suite)
    deny('EVIDENCE_FOR_OTHER', 'the canary asked other prompts', { expected: control.suite, actual: suite });
  assertCompared(body.get('old'), control, context);
  const findings = body.get('findings').list();
  const until = waivedUntil(findings);
  if (until !== null && until <= context.now)
    deny('EVIDENCE_STALE', 'a waiver that the canary rests on has expired');
  const open = findings.find((one) => one.get('waived').absent);
  const outcome = body.get('outcome').text();
  return {
    time: body.get('createdAt').time(),
    outcome,
    until,
    message:
      open === undefined
        ? `the comparison ended with ${outcome}`
        : `${open.get('rule').text()}: ${open.get('message').text()}`,
  };
}

function releaseOf(side: Foreign): string | null {
  return side.get('release').absent ? null : side.get('release').get('bom').digest();
}

/** The other side is the release that runs now. Only a first release has none, and only until the day that the policy says. */
function assertCompared(old: Foreign, { first }: Control, { current, now }: Context): void {
  if (old.absent) {
    const until = first === undefined ? 0 : Date.parse(`${first.slice(-10)}T00:00:00Z`) + DAY;
    if (now >= until || (current !== null && current !== undefined))
      deny(
        'NO_EVIDENCE',
        'the canary compared this release with none, and the policy allows that for no release now',
      );
    return;
  }
  const before = releaseOf(old);
  if (before === null) deny('EVIDENCE_UNBOUND', 'the old side names no release');
  if (current === undefined)
    deny('EVIDENCE_UNBOUND', 'what the canary compared with cannot be checked: give --current');
  if (before !== current)
    deny('EVIDENCE_FOR_OTHER', 'the canary compared with another release than the one that runs', {
      expected: current ?? 'none',
      actual: before!,
    });
}

function waivedUntil(findings: readonly Foreign[]): number | null {
  const ends = findings
    .filter((one) => !one.get('waived').absent)
    .map((one) => Date.parse(`${one.get('waived').get('expires').text()}T00:00:00Z`) + DAY);
  return ends.length === 0 ? null : Math.min(...ends);
}
