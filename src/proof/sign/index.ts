// `steelyard/sign`: what importers see of signatures, and of who made them.
export {
  type AttestationProof,
  type AttestOptions,
  attest,
  PREDICATES,
  type Predicate,
  verifyAttestation,
} from './attestation.ts';
export {
  type ContentFile,
  type ContentOptions,
  type DeclarableTensor,
  digestModel,
  type ModelContent,
  modelRoot,
} from './files/model-digest.ts';
export { type ReusableDigests, reusableDigests } from './files/reuse.ts';
export type { Outcome, Refusal, RefusalCode } from './refusal.ts';
export { type SignedBundle, type SigningKey, type SignOptions, signDocument, signModel } from './sign.ts';
export type { SignableFile } from './statement/manifest.ts';
export type { CertificateTrust, IdentityTrust, KeyTrust, Signer, Trust } from './trust.ts';
export { type ModelProof, type VerifyOptions, verify, verifyDocument } from './verify.ts';
