// What a scan found, as a signed claim about the model's root digest, in one of the two forms that policy engines read: a
// SLSA verification summary (VSA v1), or a simple verification result (SVR v0.2, in-toto). The subject is the digest alone:
// the claim holds for the model under any name and in any place.
import type { Report } from '../../baseline/report.ts';
import { zod } from '../../document/zod.ts';
import { examinationOf } from '../../scan/identify/examination.ts';
import { checked } from './bundle/bundle-schema.ts';
import { withDefaults } from './files/exclusion.ts';
import { type Outcome, proven, refuse } from './refusal.ts';
import { type AnyKey, type Signed, then } from './sealing.ts';
import { type SignedBundle, type SignOptions, signStatement } from './sign.ts';
import { openBundle, openStatement } from './signer/signature.ts';
import { toManifest } from './statement/manifest.ts';
import { type Statement, writeStatement } from './statement/statement.ts';
import type { Signer, Trust } from './trust.ts';

const VSA = 'https://slsa.dev/verification_summary/v1';
const SVR = 'https://in-toto.io/attestation/svr/v0.2';
/** Fields of our own stand under a URI, as in-toto asks of extensions. */
const VERIFIER = 'urn:steelyard:scan:v1';
/** SVR lists what holds; what does not hold is not listed. */
const PASSED = 'STEELYARD_SCAN_PASSED';

/** Forms of an attestation: a SLSA verification summary says PASSED or FAILED, a verification result lists what passed. */
export const PREDICATES = ['vsa', 'svr'] as const;
export type Predicate = (typeof PREDICATES)[number];

export interface AttestOptions extends Omit<SignOptions, 'single'> {
  /** When the scan was made; default: now. */
  readonly time?: Date;
  /** Default 'vsa'. */
  readonly predicate?: Predicate;
  /** `sha256:…` over the bytes of the policy that the scan was judged by. */
  readonly policyDigest?: string;
}

/**
 * Attests the verdict of a scan, passed or failed, with the number of findings of every rule and the version of the tool.
 *
 * @returns one Sigstore bundle with a DSSE envelope, on one line: a `.intoto.jsonl` holds one such line for each attestation.
 * @throws SteelyardError USAGE: the key cannot be used; NOT_FOUND: no file.
 */
export function attest<Key extends AnyKey>(
  report: Report,
  key: Key,
  options: AttestOptions,
): Signed<Key, SignedBundle> {
  const { root, resources } = toManifest(report.files, withDefaults(options.ignore));
  const time = (options.time ?? new Date()).toISOString();
  const subject = [{ name: options.name, digest: { sha256: root } }];
  const statement =
    options.predicate === 'svr'
      ? writeStatement(subject, SVR, verificationResult(report, time, options))
      : writeStatement(subject, VSA, verificationSummary(report, time, root, options));
  const told = { rootDigest: `sha256:${root}`, fileCount: resources.length };
  return then(signStatement(statement, key), (bundle: string) => ({ bundle, ...told }));
}

// "Could not look" is not passed, and neither is what nobody looked into, unless somebody accepted exactly these bytes.
function hasPassed({ verdict, complete, files, findings }: Report): boolean {
  const seen = verdict.unexamined !== undefined || examinationOf(files).unexamined.length === 0;
  const unseen = findings.some(({ rule, waived }) => rule === 'policy/unexamined' && waived === undefined);
  return verdict.outcome === 'pass' && complete && seen && !unseen;
}

const verificationSummary = (report: Report, time: string, root: string, options: AttestOptions) => ({
  verifier: { id: VERIFIER, version: { steelyard: report.tool.version } },
  timeVerified: time,
  resourceUri: `urn:sha256:${root}`,
  policy: policyOf(report, options),
  verificationResult: hasPassed(report) ? 'PASSED' : 'FAILED',
  verifiedLevels: [],
  slsaVersion: '1.0',
  [VERIFIER]: scanResult(report),
});

const verificationResult = (report: Report, time: string, options: AttestOptions) => ({
  verifier: { id: VERIFIER, policies: [policyOf(report, options)] },
  timeCreated: time,
  properties: hasPassed(report) ? [PASSED] : [],
  [VERIFIER]: scanResult(report),
});

/** The policy that was used, by its digest; without one, the severity that failed the scan. */
function policyOf({ verdict }: Report, { policyDigest }: AttestOptions) {
  if (policyDigest === undefined) return { uri: `${VERIFIER}:fail-on:${verdict.failOn}` };
  const sha256 = policyDigest.slice('sha256:'.length);
  return { uri: `urn:sha256:${sha256}`, digest: { sha256 } };
}

function scanResult({ tool, verdict, complete, findings, files, tensors }: Report) {
  const rules = new Map<string, number>();
  for (const { rule } of findings) rules.set(rule, (rules.get(rule) ?? 0) + 1);
  return {
    version: tool.version,
    outcome: verdict.outcome,
    failOn: verdict.failOn,
    complete,
    counts: verdict.counts,
    rules: Object.fromEntries([...rules].sort()),
    files: files.length,
    ...looked(files),
    tensors: tensors.length,
    bytes: files.reduce((sum, { size }) => sum + size, 0),
  };
}

/** What was only hashed is said, so that nobody takes it for examined. */
function looked(files: Report['files']) {
  const { examined, identified, hashed, unexamined, running } = examinationOf(files);
  return { examined, identified, hashed, unexamined: unexamined.length, canRun: running.length };
}

/** What an attestation proves: that its signer says so. */
export interface AttestationProof {
  readonly signer: Signer;
  readonly rootDigest: string;
  readonly time: string;
  /** The version of Steelyard that scanned. */
  readonly tool: string;
  /** `sha256:…` over the policy; null: none was used. */
  readonly policyDigest: string | null;
}

/**
 * Verifies that a trusted signer attested a scan that passed, of the model with this root digest.
 *
 * @param line one line of a `.intoto.jsonl`.
 */
export function verifyAttestation(
  line: Uint8Array,
  trust: Trust,
  rootDigest: string,
  { now = new Date() }: { readonly now?: Date } = {},
): Outcome<AttestationProof> {
  return proven(() => {
    const { statement, signer } = openStatement(openBundle(line, trust), trust, now);
    const claim = claimOf(statement);
    if (!statement.subject.some(({ digest }) => `sha256:${digest.sha256}` === rootDigest)) {
      refuse('ROOT_MISMATCH', 'the attestation is about another model', {
        expected: rootDigest,
        actual: `sha256:${statement.subject[0]!.digest.sha256}`,
      });
    }
    if (claim.verifier !== VERIFIER) {
      refuse('UNSUPPORTED_BUNDLE', 'another verifier made the attestation', {
        expected: VERIFIER,
        actual: claim.verifier,
      });
    }
    if (!claim.passed) refuse('FAILED_SCAN', 'the attestation says that the scan failed');
    const policyDigest = claim.policy === undefined ? null : `sha256:${claim.policy}`;
    return { signer, rootDigest, time: claim.time, tool: claim.tool, policyDigest };
  });
}

/** What both forms say, in one form. */
function claimOf({ predicateType, predicate }: Statement) {
  if (predicateType === VSA) {
    const { verifier, timeVerified, verificationResult, policy } = checked(
      schemas().summary,
      predicate,
      'summary',
    );
    return {
      verifier: verifier.id,
      tool: verifier.version.steelyard,
      time: timeVerified,
      passed: verificationResult === 'PASSED',
      policy: policy.digest?.sha256,
    };
  }
  if (predicateType === SVR) {
    const {
      verifier,
      timeCreated,
      properties,
      [VERIFIER]: own,
    } = checked(schemas().result, predicate, 'result');
    return {
      verifier: verifier.id,
      tool: own.version,
      time: timeCreated,
      passed: properties.includes(PASSED),
      policy: verifier.policies[0]?.digest?.sha256,
    };
  }
  return refuse('UNSUPPORTED_BUNDLE', 'the statement is no verification summary or result', {
    actual: predicateType,
  });
}

/** Made when asked for: who attests does not wait for zod. */
function schemas() {
  const z = zod();
  const policy = z.object({
    digest: z.object({ sha256: z.string().regex(/^[0-9a-f]{64}$/) }).optional(),
  });
  const summary = z.object({
    verifier: z.object({ id: z.string(), version: z.object({ steelyard: z.string() }) }),
    timeVerified: z.iso.datetime(),
    policy,
    verificationResult: z.enum(['PASSED', 'FAILED']),
  });
  const result = z.object({
    verifier: z.object({ id: z.string(), policies: z.array(policy) }),
    timeCreated: z.iso.datetime(),
    properties: z.array(z.string()),
    [VERIFIER]: z.object({ version: z.string() }),
  });
  return { summary, result };
}
