// Staged prompts: what a release says, what it said before, and what that means. The door of this wing.

export {
  type Fingerprint,
  type FingerprintMatch,
  matchFingerprint,
  parseFingerprint,
  takeFingerprint,
} from './fingerprint/fingerprint.ts';
export { type Release, releaseOf, type Tie } from './run/release.ts';
