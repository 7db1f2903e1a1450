// The library. It prints nothing, exits nothing and leaves no handler behind.
export { createMbom, type MbomOptions } from './bom/creation.ts';
export { type CycloneDxOptions, type CycloneDxVersion, exportCycloneDx } from './bom/cyclonedx.ts';
export { readMbom } from './bom/document.ts';
export type { Mbom, MbomFile, Part, TensorsDigest } from './bom/mbom.ts';
export { tensorsDigest } from './bom/tensors.ts';
export { type MbomProof, type MbomVerifyOptions, verifyMbom } from './bom/verification.ts';
export { compare } from './compare/compare.ts';
export { MODES, type Mode } from './compare/mode.ts';
export { diffJsonChunks, renderDiffJson } from './diff/json.ts';
export { renderPage } from './diff/page/page.ts';
export type * from './diff/report.ts';
export type { ModelSource } from './diff/side.ts';
export { type DiffTextOptions, renderDiffText } from './diff/text.ts';
export { type DiffOptions, diff } from './diff.ts';
export type { Coverage } from './dtype.ts';
export { type ErrorCode, SteelyardError } from './error.ts';
export type { Failure, Finding, Waived } from './finding.ts';
export type { Format } from './format/layout.ts';
export type { Progress } from './measure/measure.ts';
export type { Io } from './measure/native.ts';
export type { HistogramRun, QuantizedStats, RowStats, ScaleStats, Stats } from './measure/stats.ts';
export type { FollowSymlinks } from './model/links.ts';
export { VERSION } from './package.ts';
export { type PolicyCoverage, policyCoverage } from './policy/coverage.ts';
export { draftPolicy } from './policy/draft.ts';
export { parsePolicy } from './policy/parse.ts';
export type { Policy } from './policy/policy.ts';
export { type FailOn, type Judgement, judge, type Measure, type Verdict } from './policy/verdict.ts';
export { type ProfileDocument, profileChunks } from './profile/document.ts';
export { parseProfile } from './profile/parse.ts';
export type { FileProfile, MetadataProfile, Profile, TensorProfile } from './profile/profile.ts';
export { type ProfileOptions, profile } from './profile.ts';
export type { Report, Timing } from './report/report.ts';
export { RULES, type Rule, type RuleId, SEVERITIES, type Severity } from './rules.ts';
export { type ScanOptions, scan } from './scan.ts';
export { DOCUMENTS, type DocumentName, jsonSchema } from './schemas.ts';
export {
  type AttestationProof,
  type AttestOptions,
  attest,
  PREDICATES,
  type Predicate,
  verifyAttestation,
} from './sign/attestation.ts';
export {
  type ContentOptions,
  type DeclarableTensor,
  digestModel,
  type ModelContent,
  modelRoot,
} from './sign/content.ts';
export type { SignableFile } from './sign/manifest.ts';
export type { Outcome, Refusal, RefusalCode } from './sign/refusal.ts';
export { type ReusableDigests, reusableDigests } from './sign/reuse.ts';
export {
  type SignedBundle,
  type SigningKey,
  type SignOptions,
  signDocument,
  signModel,
} from './sign/sign.ts';
export type { CertificateTrust, IdentityTrust, KeyTrust, Signer, Trust } from './sign/trust.ts';
export { type ModelProof, type VerifyOptions, verify, verifyDocument } from './sign/verify.ts';
