// The library. It prints nothing, exits nothing and leaves no handler behind.

export { compare } from './baseline/compare/compare.ts';
export { MODES, type Mode } from './baseline/compare/mode.ts';
export { parsePolicy } from './baseline/policy/document/parse-policy.ts';
export { draftPolicy } from './baseline/policy/draft.ts';
export { type PolicyCoverage, policyCoverage } from './baseline/policy/matches.ts';
export type { FailOn, Policy } from './baseline/policy/policy.ts';
export { type Judgement, type JudgeOptions, judge, type Verdict } from './baseline/policy/verdict.ts';
export type { Report, Timing } from './baseline/report.ts';
export { type DiffOptions, diff } from './diff/diff.ts';
export { renderPage } from './diff/page/page.ts';
export { diffJsonChunks, renderDiffJson } from './diff/report/diff-json.ts';
export type * from './diff/report/diff-report.ts';
export { type DiffTextOptions, renderDiffText } from './diff/report/diff-text.ts';
export type { ModelSource } from './diff/side.ts';
export { type ProfileOptions, profile } from './profile.ts';
export {
  type AttestationProof,
  type AttestOptions,
  attest,
  PREDICATES,
  type Predicate,
  verifyAttestation,
} from './proof/attestation.ts';
export { createMbom, type MbomOptions } from './proof/bom/creation.ts';
export { type CycloneDxOptions, type CycloneDxVersion, exportCycloneDx } from './proof/bom/cyclonedx.ts';
export type { Mbom, MbomFile, Part, TensorsDigest } from './proof/bom/mbom.ts';
export { readMbom } from './proof/bom/mbom-document.ts';
export { tensorsDigest } from './proof/bom/tensors-digest.ts';
export { type MbomProof, type MbomVerifyOptions, verifyMbom } from './proof/bom/verification.ts';
export {
  type ContentOptions,
  type DeclarableTensor,
  digestModel,
  type ModelContent,
  modelRoot,
} from './proof/sign/model-digest.ts';
export type { Outcome, Refusal, RefusalCode } from './proof/sign/refusal.ts';
export { type ReusableDigests, reusableDigests } from './proof/sign/reuse.ts';
export {
  type SignedBundle,
  type SigningKey,
  type SignOptions,
  signDocument,
  signModel,
} from './proof/sign/sign.ts';
export type { SignableFile } from './proof/sign/statement/manifest.ts';
export type { CertificateTrust, IdentityTrust, KeyTrust, Signer, Trust } from './proof/sign/trust.ts';
export { type ModelProof, type VerifyOptions, verify, verifyDocument } from './proof/sign/verify.ts';
export { DOCUMENTS, type DocumentName, jsonSchema } from './report/schemas.ts';
export { type ErrorCode, SteelyardError } from './rules/error.ts';
export type { Failure, Finding, Waived } from './rules/finding.ts';
export { RULES, type Rule, type RuleId, SEVERITIES, type Severity } from './rules/rules.ts';
export { VERSION } from './runtime/package.ts';
export type { Coverage } from './scan/dtype.ts';
export type { Format } from './scan/format/layout.ts';
export type { Io } from './scan/measure/native.ts';
export type { Progress } from './scan/measure/options.ts';
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
export type { FileProfile, MetadataProfile, Profile, TensorProfile } from './scan/profile/profile.ts';
export { type ScanOptions, scan } from './scan.ts';
