// Drills on approvals: too few, one person twice, too late, for something else, and a veto.
import { APPROVAL, approvalPredicate } from '../../approval/approval-documents.ts';
import type { CountedApproval, Verdict } from '../../verdict/verdict.ts';
import { asPerson, type Drill, type Scene, stated, withFile, without } from './scene.ts';

const OTHER = `sha256:${'0'.repeat(63)}2`;

export function approvalDrills({ release, policy, current }: Scene, { approvals }: Verdict): Drill[] {
  const { need } = policy.json.approvals;
  const pathOf = ({ digest }: CountedApproval): string =>
    release.evidence.find((one) => one.digest === digest)!.path;
  const paths = approvals.counted.map(pathOf);
  const [first] = paths;
  if (first === undefined) return [];
  const kept = paths.slice(0, need - 1);
  const removed = paths.filter((path) => !kept.includes(path));
  const json =
    (change: object) =>
    (scene: Scene): Scene => ({
      ...scene,
      policy: { ...policy, json: { ...policy.json, ...change } },
    });
  return [
    {
      name: 'approvals: one person fewer than are needed',
      codes: ['NOT_APPROVED'],
      change: (scene) => without(scene, removed),
    },
    { name: 'approvals: nobody approved', codes: ['NOT_APPROVED'], change: (scene) => without(scene, paths) },
    {
      name: 'approvals: the same approval in place of the missing one',
      codes: ['NOT_APPROVED'],
      change: (scene) => {
        const bytes = scene.release.evidence.find(({ path }) => path === (kept[0] ?? first))!.bytes;
        return removed.reduce((all, path) => withFile(all, path, need > 1 ? bytes : Buffer.alloc(0)), scene);
      },
    },
    {
      name: 'approvals: for another environment',
      codes: ['APPROVAL_FOR_OTHER'],
      change: json({ environment: 'drill' }),
    },
    {
      name: 'approvals: given under another policy',
      codes: ['APPROVAL_UNDER_OTHER_POLICY'],
      change: (scene) => ({ ...scene, policy: { ...policy, digest: OTHER } }),
    },
    ...(current === undefined
      ? []
      : [
          {
            name: 'approvals: another release runs now',
            codes: ['WRONG_REPLACEMENT'],
            change: (scene: Scene) => ({ ...scene, current: OTHER }),
          } as const,
        ]),
    {
      name: 'approvals: the clock, after they expired',
      codes: ['APPROVAL_EXPIRED'],
      change: (scene) => ({
        ...json({ expires: '2999-12-31' })(scene),
        now: Math.max(...approvals.counted.map(({ expires }) => Date.parse(expires))) + 1000,
      }),
    },
    {
      name: 'approvals: a person rejects it',
      codes: ['APPROVAL_REJECTED'],
      change: (scene) =>
        withFile(asPerson(scene, policy.json.approvals.of[0]!), 'evidence/drill.sigstore.json', veto(scene)),
    },
  ];
}

function veto({ release, policy, now }: Scene): Buffer {
  const predicate = approvalPredicate({
    decision: 'rejected',
    policy,
    reviewed: [],
    replaces: null,
    approver: 'drill',
    created: now,
    expires: now + 86_400_000,
  });
  return stated(release.mbom.digest, APPROVAL, predicate);
}
