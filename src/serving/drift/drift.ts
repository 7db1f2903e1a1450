// Drift: what runs is not what was released. Looks at targets, says so, and takes single pods out of rotation where that was asked for.

export { allowedOn, type Release, type Rollout, releaseOf } from './allowed-release.ts';
export { pullLimit } from './decision.ts';
export { kubeconfig, podsOf, serviceAccount } from './kubernetes/kubernetes.ts';
export { type BehaviourLook, behaviourLook } from './look/behaviour.ts';
export { clientOf } from './look/client.ts';
export { type Counts, counted, metricsText } from './metrics.ts';
export {
  type DriftRecord,
  driftLine,
  type PackageChange,
  type PackagesRecord,
  type RoundRecord,
  readDriftLine,
} from './record.ts';
export { driftRound, type RoundOptions } from './round.ts';
export { roundText } from './round-text.ts';
export { readTargets, type Target } from './target.ts';
