// The library. It prints nothing, exits nothing and leaves no handler behind.
export type { Coverage } from './dtype.ts';
export { type ErrorCode, SteelyardError } from './error.ts';
export type { Failure, Finding } from './finding.ts';
export type { Format } from './format/layout.ts';
export type { Progress } from './measure/measure.ts';
export type { Io } from './measure/native.ts';
export type { HistogramRun, QuantizedStats, RowStats, ScaleStats, Stats } from './measure/stats.ts';
export { VERSION } from './package.ts';
export type { FailOn, Verdict } from './policy/verdict.ts';
export type { FileProfile, MetadataProfile, Profile, TensorProfile } from './profile/profile.ts';
export type { Report, Timing } from './report/report.ts';
export { RULES, type Rule, type RuleId, SEVERITIES, type Severity } from './rules.ts';
export { type ScanOptions, scan } from './scan.ts';
