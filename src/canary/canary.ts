// Staged prompts: what a release says, what it said before, and what that means. The door of this wing.

export type { Canary, CanaryFinding, CanaryPair } from './compare/canary-schema.ts';
export { type CompareOptions, compareRuns, parseCanary } from './compare/compare.ts';
export { type Scorer, scored } from './compare/scorer.ts';
export {
  type Fingerprint,
  type FingerprintMatch,
  matchFingerprint,
  parseFingerprint,
  takeFingerprint,
} from './fingerprint/fingerprint.ts';
export { type Release, type RunOptions, type RunSummary, releaseOf, runSuite } from './run/run.ts';
export { openRun, type RunFile } from './run/run-file.ts';
export { parseSuite, type Suite } from './suite/suite.ts';
export { type CanaryWaiver, openWaiver, type WaiveOptions, waive, withWaivers } from './waive/waiver.ts';
