// The verdict as a SLSA verification summary (VSA v1), for admission controllers. Its subject is the MBOM alone, and every evidence file
// that counted is named: the specification asks for all of them.
import { type AnyKey, type Signed, signStatement } from '../../proof/sign/sign.ts';
import { writeStatement } from '../../proof/sign/statement/statement.ts';
import type { Verdict } from './verdict.ts';

const GATE_VERIFIER = 'urn:steelyard:gate:v1';
const VSA = 'https://slsa.dev/verification_summary/v1';

const hexOf = (digest: string): string => digest.slice('sha256:'.length);

/** One Sigstore bundle on one line. */
export function attestVerdict<Key extends AnyKey>(verdict: Verdict, key: Key): Signed<Key, string> {
  const { release, policy, reviewed, outcome } = verdict;
  const sha256 = hexOf(release.digest);
  const subject = [{ name: release.name ?? 'model.mbom.yaml', digest: { sha256 } }];
  return signStatement(
    writeStatement(subject, VSA, {
      verifier: { id: GATE_VERIFIER, version: { steelyard: verdict.tool.version } },
      timeVerified: verdict.time,
      resourceUri: `urn:sha256:${sha256}`,
      policy: { uri: `urn:sha256:${hexOf(policy.digest)}`, digest: { sha256: hexOf(policy.digest) } },
      inputAttestations: reviewed.map(({ name, digest }) => ({
        uri: name,
        digest: { sha256: hexOf(digest) },
      })),
      verificationResult: outcome === 'promote' ? 'PASSED' : 'FAILED',
      verifiedLevels: outcome === 'promote' ? ['STEELYARD_GATE_PROMOTED'] : [],
      slsaVersion: '1.0',
      [GATE_VERIFIER]: {
        environment: verdict.environment,
        validUntil: verdict.validUntil,
        image: release.image,
        root: release.root,
        refusals: [...new Set(verdict.refusals.map(({ code }) => code))],
      },
    }),
    key,
  );
}
