// The gate: bytes, trust and a time in; a verdict out. It reads no file, no network and no clock, and runs nothing. What is missing, what
// cannot be read and what nobody signed refuses; there is no other mode.
import type { Mbom } from '../proof/bom/mbom.ts';
import { VERSION } from '../runtime/package.ts';
import { type Approvals, approvals } from './approval/approval.ts';
import { recalls } from './approval/recall.ts';
import { openAll } from './claim/opened.ts';
import { sortEvidence } from './claim/piece.ts';
import { partsOf, producersOf, reviewedOf, unusedPieces } from './control/account.ts';
import type { Context, ControlResult } from './control/context.ts';
import { type Controlled, controlled, evaluate } from './control/control.ts';
import { DAY } from './control/exceptions.ts';
import { imageControl } from './control/image-control.ts';
import { scan } from './control/scan.ts';
import { imageFacts } from './image/image.ts';
import {
  fileDenials,
  type PartProof,
  provenMbom,
  provenModel,
  type ReleaseBytes,
} from './input/release-bytes.ts';
import type { GatePolicy } from './release-policy/release-policy.ts';
import { type Denial, type Settled, settled } from './verdict/denial.ts';
import { timeText, type UnusedEvidence, type Verdict } from './verdict/verdict.ts';

export interface GateOptions {
  readonly now: Date;
  /** The release that runs now (`sha256:…`); null: none; undefined: not known here. */
  readonly current?: string | null | undefined;
  /** Leave approvals out: what is to be approved is judged without them. */
  readonly withoutApprovals?: boolean;
}

/** Decides about one release. The same bytes, policy and options give the same verdict. */
export function gate(release: ReleaseBytes, policy: GatePolicy, options: GateOptions): Verdict {
  const now = options.now.getTime();
  const identities = (names: readonly string[]) =>
    policy.identities.filter(({ name }) => names.includes(name));
  const { mbom: mbomDemand, model: modelDemand } = policy.json.release;
  const mbom = settled(() => provenMbom(release, identities(mbomDemand.signedBy), options.now));
  const model = settled(() =>
    provenModel(release, mbom.value?.mbom ?? null, identities(modelDemand.signedBy), options.now),
  );
  const own: Denial[] = [
    ...policyDenials(policy, now),
    ...of('mbom', mbom),
    ...(mbom.value === undefined
      ? []
      : fileDenials(mbom.value.mbom, release).map((one) => ({ ...one, control: 'model' }))),
    ...of('model', model),
  ];
  // Of an MBOM that nobody who is trusted signed, nothing is known: no evidence can be about it.
  if (mbom.value === undefined) return verdictOf({ release, policy, options, own, controls: [], mbom: null });
  return judged(release, policy, options, own, mbom.value, model.value);
}

const of = (control: string, { denials }: Settled<unknown>): Denial[] =>
  (denials ?? []).map((denial) => ({ ...denial, control }));

function judged(
  release: ReleaseBytes,
  policy: GatePolicy,
  options: GateOptions,
  own: readonly Denial[],
  { mbom, ...mbomSigner }: PartProof & { readonly mbom: Mbom },
  model: PartProof | undefined,
): Verdict {
  const pieces = sortEvidence(release.evidence);
  const opened = openAll(pieces, policy.identities, options.now);
  const image =
    mbom.runtimeImage === undefined ? null : settled(() => imageFacts(mbom.runtimeImage!, pieces));
  const context: Context = {
    policy,
    now: options.now.getTime(),
    current: options.current,
    release: release.mbom.digest,
    mbom,
    image: image?.value ?? null,
    opened,
    pieces,
    files: release.evidence,
  };
  const { controls, packages } = evaluate(context);
  const all = [
    controlled('scan', 'scan', scan(context, release.scan)),
    controlled(
      'image',
      'image',
      image?.denials === undefined ? imageControl(context) : broken(image.denials),
    ),
    ...controls,
  ];
  const recall = recalls({
    policy,
    now: context.now,
    claims: opened.claims,
    files: release.evidence,
    parts: partsOf(release, context, all),
    packages,
  });
  const withdrawn = controlled('recalls', 'recalls', { ...recall, unused: [] });
  const approved = options.withoutApprovals
    ? null
    : approvals({
        policy,
        now: context.now,
        release: context.release,
        current: options.current,
        claims: opened.claims,
        counted: reviewedOf(all),
        producers: producersOf(all, [mbomSigner, ...(model === undefined ? [] : [model])]),
      });
  const unused = unusedPieces(context, [...all, withdrawn]);
  return verdictOf({ release, policy, options, own, controls: [...all, withdrawn], mbom, approved, unused });
}

const broken = (denials: readonly Denial[]): ControlResult => ({
  evidence: [],
  denials,
  unused: [],
  limits: [],
});

/** The policy holds through its last day, in UTC. */
const policyEnd = ({ json }: GatePolicy): number => Date.parse(`${json.expires}T00:00:00Z`) + DAY;

const policyDenials = (policy: GatePolicy, now: number): Denial[] =>
  now < policyEnd(policy)
    ? []
    : [
        {
          code: 'POLICY_EXPIRED',
          control: 'policy',
          message: `the policy expired after ${policy.json.expires}`,
        },
      ];

interface Parts {
  readonly release: ReleaseBytes;
  readonly policy: GatePolicy;
  readonly options: GateOptions;
  readonly own: readonly Denial[];
  readonly controls: readonly Controlled[];
  readonly mbom: Mbom | null;
  readonly approved?: Approvals | null;
  readonly unused?: readonly UnusedEvidence[];
}

function verdictOf({ release, policy, options, own, controls, mbom, approved, unused = [] }: Parts): Verdict {
  const refusals = [
    ...own,
    ...controls.flatMap(({ denials }) => denials),
    ...(approved?.denials ?? []).map((denial) => ({ ...denial, control: 'approvals' })),
  ];
  const promoted = refusals.length === 0;
  const limits = [
    policyEnd(policy),
    ...controls.flatMap(({ result }) => result.limits),
    ...(approved?.limits ?? []),
  ];
  return {
    schema: 'steelyard/verdict/1',
    outcome: promoted ? 'promote' : 'refuse',
    time: options.now.toISOString(),
    validUntil: promoted ? timeText(Math.min(...limits)) : null,
    environment: policy.json.environment,
    current: options.current ?? null,
    release: {
      digest: release.mbom.digest,
      name: mbom?.model.name ?? null,
      root: mbom?.model.digest ?? null,
      image: mbom?.runtimeImage ?? null,
      adapter: mbom?.adapter?.digest ?? null,
    },
    policy: { name: policy.file, digest: policy.digest },
    controls: controls.map(({ verdict }) => verdict),
    approvals: {
      need: options.withoutApprovals ? 0 : policy.json.approvals.need,
      counted: approved?.counted ?? [],
      notCounted: approved?.notCounted ?? [],
    },
    refusals,
    unused,
    reviewed: reviewedOf(controls.filter(({ verdict }) => verdict.kind !== 'recalls')),
    tool: { name: 'steelyard', version: VERSION },
  };
}
