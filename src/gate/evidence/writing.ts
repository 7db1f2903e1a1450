// Evidence that is written here: a scanner's report as a signed statement about the image that it names, and measured numbers as a
// test result about a release.
import { type AnyKey, type Signed, signStatement } from '../../proof/sign/sign.ts';
import { writeStatement } from '../../proof/sign/statement/statement.ts';
import { readForeign } from '../claim/foreign.ts';
import { type Kind, kindOfDocument } from '../claim/proven-claim.ts';
import { deny } from '../verdict/denial.ts';
import type { ImageNames } from './evidence.ts';
import { readGrype } from './report/grype.ts';
import { readTrivy } from './report/trivy.ts';
import { readCycloneDx } from './sbom/cyclonedx.ts';
import { readSpdx } from './sbom/spdx.ts';
import { holds, PERFORMANCE, readMetrics } from './test-result.ts';

const PREDICATES = new Map<Kind, string>([
  ['cyclonedx', 'https://cyclonedx.org/bom'],
  ['spdx', 'https://spdx.dev/Document'],
  ['openvex', 'https://openvex.dev/ns'],
]);

/** What a document says that it is about; null: its kind names no image. Refuses what cannot be read. */
export function namesIn(bytes: Buffer): { readonly kind: Kind; readonly names: ImageNames | null } {
  const document = readForeign(bytes);
  const kind = document.isObject ? kindOfDocument(document) : 'unknown';
  switch (kind) {
    case 'trivy':
      return { kind, names: readTrivy(document).names };
    case 'grype':
      return { kind, names: readGrype(document).names };
    case 'cyclonedx':
      return { kind, names: readCycloneDx(document).names };
    case 'spdx':
      return { kind, names: readSpdx(document).names };
    default:
      return { kind, names: null };
  }
}

/** Refuses a document that names another image than one of `ours`: whoever signs would vouch for a mistake. */
export function assertAbout({ digests }: ImageNames, ours: readonly string[]): void {
  if (digests.length === 0 || digests.some((digest) => ours.includes(digest))) return;
  deny('EVIDENCE_FOR_OTHER', 'the document names another image', { expected: ours[0]!, actual: digests[0]! });
}

/** A document as a statement about this digest, on one line. Refuses a kind that has no predicate type. */
export function statementAround<Key extends AnyKey>(
  bytes: Buffer,
  digest: string,
  key: Key,
): Signed<Key, string> {
  const { kind } = namesIn(bytes);
  const type = PREDICATES.get(kind);
  if (type === undefined)
    return deny(
      'EVIDENCE_UNSUPPORTED',
      `a document of the kind ${kind} has no predicate type of its own; sign its bytes`,
    );
  const subject = [{ name: '', digest: { sha256: digest.slice('sha256:'.length) } }];
  return signStatement(writeStatement(subject, type, readForeign(bytes).value as object), key);
}

interface PerformanceText {
  /** The release that was measured. */
  readonly release: string;
  /** The release that it is compared with; null: none. */
  readonly baseline: string | null;
  /** `sha256:…` over what the tests were configured by, and its name. */
  readonly configuration: { readonly name: string; readonly digest: string };
  readonly time: Date;
}

const TEST_RESULT = 'https://in-toto.io/attestation/test-result/v0.1';

/** Numbers (`{"metrics": […]}`) as a test result. What passed is computed from them. */
export function performanceStatement<Key extends AnyKey>(metrics: Buffer, text: PerformanceText, key: Key) {
  const document = readForeign(metrics).only('metrics');
  const read = readMetrics(document.get('metrics'));
  const failed = read.filter((one) => !holds(one)).map(({ name }) => name);
  const passed = read.map(({ name }) => name).filter((name) => !failed.includes(name));
  const sha256 = (digest: string) => ({ sha256: digest.slice('sha256:'.length) });
  const predicate = {
    result: failed.length === 0 ? 'PASSED' : 'FAILED',
    configuration: [{ name: text.configuration.name, digest: sha256(text.configuration.digest) }],
    passedTests: passed,
    failedTests: failed,
    [PERFORMANCE]: {
      timeCreated: text.time.toISOString(),
      ...(text.baseline === null ? {} : { baseline: { digest: sha256(text.baseline) } }),
      metrics: document.get('metrics').value,
    },
  };
  const subject = [{ name: 'model.mbom.yaml', digest: sha256(text.release) }];
  const bundle = signStatement(writeStatement(subject, TEST_RESULT, predicate), key);
  return { bundle, passed, failed };
}
