// Drills: a release that promotes, with one control taken away or the clock moved, must not. In memory only: nothing is written, and no key
// but a throw-away one signs. To see what a report by a trusted signer would do, that key is trusted for the length of one drill.
import { gate } from '../../gate.ts';
import type { GateCode } from '../../verdict/denial.ts';
import type { Verdict } from '../../verdict/verdict.ts';
import { approvalDrills } from './approval-drills.ts';
import { evidenceDrills } from './evidence-drills.ts';
import { recallDrills, recallOf } from './recall-drills.ts';
import { releaseDrills } from './release-drills.ts';
import type { Drill, Scene } from './scene.ts';

export interface DrillResult {
  readonly name: string;
  readonly expected: readonly GateCode[];
  readonly outcome: 'blocked' | 'blocked by another code' | 'PROMOTED';
  /** Codes that refused it, the expected one first. */
  readonly codes: readonly string[];
}

/** Every drill that applies to this release and this policy. */
export function drillsFor(scene: Scene, verdict: Verdict): readonly Drill[] {
  return [
    ...releaseDrills(scene, verdict),
    ...evidenceDrills(scene, verdict),
    ...approvalDrills(scene, verdict),
    ...recallDrills(scene),
  ];
}

export function runDrill({ name, codes, change }: Drill, scene: Scene): DrillResult {
  const { release, policy, now, current } = change(scene);
  const verdict = gate(release, policy, { now: new Date(now), current });
  const met = [
    ...verdict.refusals.map(({ code }) => code),
    ...verdict.approvals.notCounted.map(({ code }) => code),
  ];
  const told = verdict.unused.map(({ reason }) => reason.split(':', 1)[0]!);
  const expected = codes.find((code) => met.includes(code) || (met.length > 0 && told.includes(code)));
  const rest = [...new Set(met)].filter((code) => code !== expected);
  const blocked = expected === undefined ? 'blocked by another code' : 'blocked';
  return {
    name,
    expected: codes,
    outcome: verdict.outcome === 'promote' ? 'PROMOTED' : blocked,
    codes: expected === undefined ? rest : [expected, ...rest],
  };
}

export type { Drill, Scene };
export { recallOf };
