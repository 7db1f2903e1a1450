// `steelyard/gate` for programs: is a release promoted, what would block it, which releases contain this.
export { type GateOptions, gate } from './gate.ts';
export { imageFromRegistry, type RegistryOptions } from './image/registry.ts';
export { type Drill, type DrillResult, drillsFor, runDrill, type Scene } from './incident/drill/drill.ts';
export { type Found, type ReleaseFiles, searchRelease } from './incident/find.ts';
export { type Query, readQuery } from './incident/query.ts';
export { mbomsBelow, readReleaseFiles } from './incident/walk.ts';
export { readEvidenceFolder } from './input/folder.ts';
export { type ReleaseBytes, readConfig } from './input/release-bytes.ts';
export { type GatePolicy, readGatePolicy } from './release-policy/release-policy.ts';
export type { Denial, GateCode } from './verdict/denial.ts';
export { attestVerdict } from './verdict/summary.ts';
export type { ControlVerdict, CountedEvidence, GateFinding, Verdict } from './verdict/verdict.ts';
export { verdictText } from './verdict/verdict-text.ts';
