// The library. It prints nothing, exits nothing and leaves no handler behind. Importing it loads no heavy package.
export { compare } from './baseline/compare/compare.ts';
export { MODES, type Mode } from './baseline/compare/mode.ts';
export * from './baseline/policy/index.ts';
export type { Report, Timing } from './baseline/report.ts';
export * from './diff/index.ts';
export { type ProfileOptions, profile } from './profile.ts';
export * from './proof/bom/index.ts';
export * from './proof/sign/index.ts';
export * from './report/index.ts';
export { type ErrorCode, type ErrorPlace, SteelyardError } from './rules/error.ts';
export type { Failure, Finding, Waived } from './rules/finding.ts';
export { RULES, type Rule, type RuleId, SEVERITIES, type Severity } from './rules/rules.ts';
export { VERSION } from './runtime/package.ts';
export type { Coverage } from './scan/dtype.ts';
export type { Format } from './scan/format/layout.ts';
export type { Io } from './scan/measure/native.ts';
export type { MeasureOptions, Progress } from './scan/measure/options.ts';
export type {
  HistogramRun,
  QuantizedStats,
  RowStats,
  ScaleStats,
  Stats,
} from './scan/measure/record/stats.ts';
export type { FollowSymlinks } from './scan/model/links.ts';
export { type ProfileDocument, profileChunks } from './scan/profile/document/document.ts';
export { parseProfile } from './scan/profile/document/parse-profile.ts';
export type {
  FileProfile,
  MetadataProfile,
  Profile,
  TemplateProfile,
  TensorProfile,
} from './scan/profile/profile.ts';
export { type ScanOptions, scan } from './scan.ts';
