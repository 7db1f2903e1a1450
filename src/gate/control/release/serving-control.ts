// The control `serving`: the report of a lint of the manifests that serve this release. It passes by its own verdict, and as long as the
// waivers in it last: the report has no date, and is bound by the release that it names.
import { ServingSchema } from '../../../serving/lint/serving-schema.ts';
import type { Claim } from '../../claim/proven-claim.ts';
import type { ControlOf } from '../../release-policy/schema.ts';
import { type Denial, deny } from '../../verdict/denial.ts';
import { type Context, type ControlResult, collect, evidenceOf } from '../context.ts';
import { DAY } from '../exceptions.ts';

type Control = ControlOf<'serving'>;

interface Read {
  readonly time: null;
  readonly outcome: 'pass' | 'fail' | 'error';
  readonly worst: string;
  /** When the first waiver that it rests on ends. */
  readonly until: number | null;
}

export function serving(control: Control, context: Context): ControlResult {
  const { counted, denials, unused, limits } = collect<Read>(context, {
    signedBy: control.signedBy,
    count: control.count,
    maxAge: null,
    kinds: ['serving'],
    wants: ({ kind }) => kind === 'serving',
    read: (claim) => readReport(claim, context),
    same: ({ claim }) => claim.by,
  });
  const unsafe = counted
    .filter(({ value }) => value.outcome !== 'pass')
    .map(
      ({ claim, value }): Denial => ({
        code: 'SERVING_UNSAFE',
        file: claim.source.file,
        message: value.worst,
      }),
    );
  return {
    evidence: counted.map(evidenceOf),
    denials: [...denials, ...unsafe],
    unused,
    limits: [...limits, ...counted.flatMap(({ value }) => value.until ?? [])],
  };
}

function readReport({ body }: Claim, { release, now }: Context): Read {
  const result = ServingSchema.safeParse(body.value);
  if (!result.success) {
    const [issue] = result.error.issues;
    return deny('MALFORMED_EVIDENCE', `${issue!.path.join('.')}: ${issue!.message.slice(0, 200)}`);
  }
  const { release: named, verdict, findings, files } = result.data;
  if (named === null) return deny('EVIDENCE_UNBOUND', 'the lint was given no release (--bom)');
  if (named.id !== release)
    deny('EVIDENCE_FOR_OTHER', 'the lint was of another release', { expected: release, actual: named.id });
  if (files.every(({ workloads }) => workloads.length === 0))
    deny('EVIDENCE_EMPTY', 'the lint looked at no workload');
  const ends = findings.flatMap(({ waived }) =>
    waived === undefined ? [] : [Date.parse(`${waived.expires}T00:00:00Z`) + DAY],
  );
  const until = ends.length === 0 ? null : Math.min(...ends);
  if (until !== null && until <= now) deny('EVIDENCE_STALE', 'a waiver that the lint rests on has expired');
  const first = findings.find(({ waived }) => waived === undefined);
  const worst =
    first === undefined
      ? `the lint ended with ${verdict.outcome}`
      : `${first.rule} in ${first.file}:${first.line}: ${first.message}`;
  return { time: null, outcome: verdict.outcome, worst, until };
}
