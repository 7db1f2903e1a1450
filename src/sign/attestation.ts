// What a scan found, as a signed claim about the model's root digest: a SLSA verification summary (VSA v1), which policy
// engines read. The subject is the digest alone: the claim holds for the model under any name and in any place.
import * as z from 'zod';
import type { Report } from '../report/report.ts';
import { DEFAULT_IGNORED } from './exclusion.ts';
import { toManifest } from './manifest.ts';
import { type Outcome, proven, refuse } from './refusal.ts';
import { type SignedBundle, type SigningKey, type SignOptions, signStatement } from './sign.ts';
import { openBundle, openStatement } from './signature.ts';
import { checked, writeStatement } from './statement.ts';
import type { Signer, Trust } from './trust.ts';

const VSA = 'https://slsa.dev/verification_summary/v1';
/** Fields of our own stand under a URI, as in-toto asks of extensions. */
const VERIFIER = 'urn:steelyard:scan:v1';

export interface AttestOptions extends Omit<SignOptions, 'single'> {
  /** When the scan was made; default: now. */
  readonly time?: Date;
}

/**
 * Attests the verdict of a scan, passed or failed, with the number of findings of every rule and the version of the tool.
 *
 * @returns one Sigstore bundle with a DSSE envelope, on one line: a `.intoto.jsonl` holds one such line for each attestation.
 * @throws SteelyardError USAGE: the key cannot be used; NOT_FOUND: no file.
 */
export function attest(report: Report, key: SigningKey, options: AttestOptions): SignedBundle {
  const { root, resources } = toManifest(report.files, [...(options.ignore ?? []), ...DEFAULT_IGNORED]);
  const { outcome, failOn, counts } = report.verdict;
  const rules = new Map<string, number>();
  for (const { rule } of report.findings) rules.set(rule, (rules.get(rule) ?? 0) + 1);
  const statement = writeStatement([{ name: options.name, digest: { sha256: root } }], VSA, {
    verifier: { id: VERIFIER, version: { steelyard: report.tool.version } },
    timeVerified: (options.time ?? new Date()).toISOString(),
    resourceUri: `urn:sha256:${root}`,
    policy: { uri: `${VERIFIER}:fail-on:${failOn}` },
    // "Could not look" is not passed.
    verificationResult: outcome === 'pass' && report.complete ? 'PASSED' : 'FAILED',
    verifiedLevels: [],
    slsaVersion: '1.0',
    [VERIFIER]: {
      outcome,
      complete: report.complete,
      counts,
      rules: Object.fromEntries([...rules].sort()),
      files: report.files.length,
      tensors: report.tensors.length,
      bytes: report.files.reduce((sum, { size }) => sum + size, 0),
    },
  });
  return { bundle: signStatement(statement, key), rootDigest: `sha256:${root}`, fileCount: resources.length };
}

/** What an attestation proves: that its signer says so. */
export interface AttestationProof {
  readonly signer: Signer;
  readonly rootDigest: string;
  readonly time: string;
  readonly tool: string;
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
    if (statement.predicateType !== VSA) {
      refuse('UNSUPPORTED_BUNDLE', 'the statement is no verification summary', {
        actual: statement.predicateType,
      });
    }
    if (!statement.subject.some(({ digest }) => `sha256:${digest.sha256}` === rootDigest)) {
      refuse('ROOT_MISMATCH', 'the attestation is about another model', {
        expected: rootDigest,
        actual: `sha256:${statement.subject[0]!.digest.sha256}`,
      });
    }
    const { verifier, verificationResult, timeVerified } = checked(summary, statement.predicate, 'summary');
    if (verifier.id !== VERIFIER) {
      refuse('UNSUPPORTED_BUNDLE', 'another verifier made the summary', {
        expected: VERIFIER,
        actual: verifier.id,
      });
    }
    if (verificationResult !== 'PASSED') refuse('FAILED_SCAN', 'the attestation says that the scan failed');
    return { signer, rootDigest, time: timeVerified, tool: verifier.version.steelyard };
  });
}

const summary = z.object({
  verifier: z.object({ id: z.string(), version: z.object({ steelyard: z.string() }) }),
  timeVerified: z.iso.datetime(),
  verificationResult: z.enum(['PASSED', 'FAILED']),
});
