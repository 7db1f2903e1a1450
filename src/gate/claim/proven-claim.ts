// A piece of evidence whose signature held: who signed it, what kind it is, which digests it is about. The kind is decided here,
// after the signature: an attestation of another type never stands for the wanted one (CVE-2022-35929).
import { documentSigner, openStatement } from '../../proof/sign/signer/signature.ts';
import type { Signer } from '../../proof/sign/trust.ts';
import { type Settled, settled } from '../verdict/denial.ts';
import { readEnvelope } from './envelope.ts';
import { Foreign } from './foreign.ts';
import { type Identity, provenBy } from './identity.ts';
import { type DocumentPiece, digestOf, type Source, type StatementPiece } from './piece.ts';

/** What a document or a statement is, whoever wrote it. */
export type Kind =
  | 'trivy'
  | 'trivy-version'
  | 'grype'
  | 'cosign-vuln/v1'
  | 'vulns/v0.2'
  | 'cyclonedx'
  | 'spdx'
  | 'openvex'
  | 'slsa/v1'
  | 'vsa'
  | 'svr'
  | 'test-result'
  | 'image-signature'
  | 'approval'
  | 'recall'
  | 'receipt'
  | 'canary'
  | 'serving'
  | 'unknown';

export interface Claim {
  readonly source: Source;
  /** The identity of the policy that signed it. */
  readonly by: string;
  readonly signer: Signer;
  readonly kind: Kind;
  /** `sha256:…` of a statement's subjects; null: a document, which names what it is about itself. */
  readonly subjects: readonly string[] | null;
  /** The predicate, or the document. */
  readonly body: Foreign;
  /** The statement's predicate type, for messages. */
  readonly type: string | null;
  /** Of the bytes that were signed. */
  readonly bodyDigest: string;
}

const PREDICATES = new Map<string, Kind>([
  ['https://in-toto.io/attestation/vulns/v0.2', 'vulns/v0.2'],
  ['https://cosign.sigstore.dev/attestation/vuln/v1', 'cosign-vuln/v1'],
  ['cosign.sigstore.dev/attestation/vuln/v1', 'cosign-vuln/v1'],
  ['https://cyclonedx.org/bom', 'cyclonedx'],
  ['https://spdx.dev/Document', 'spdx'],
  ['https://spdx.dev/Document/v2.3', 'spdx'],
  ['https://openvex.dev/ns', 'openvex'],
  ['https://openvex.dev/ns/v0.2.0', 'openvex'],
  ['https://slsa.dev/provenance/v1', 'slsa/v1'],
  ['https://slsa.dev/verification_summary/v1', 'vsa'],
  ['https://in-toto.io/attestation/svr/v0.2', 'svr'],
  ['https://in-toto.io/attestation/test-result/v0.1', 'test-result'],
  ['https://sigstore.dev/cosign/sign/v1', 'image-signature'],
  ['urn:steelyard:approval:v1', 'approval'],
  ['urn:steelyard:recall:v1', 'recall'],
  ['urn:steelyard:pull:v1', 'receipt'],
]);

export const kindOfPredicate = (type: string | null): Kind => PREDICATES.get(type ?? '') ?? 'unknown';

/** Refuses as src/proof/sign does, and with WRONG_KEY if nobody of `identities` signed it. */
export function openClaim(piece: StatementPiece, identities: readonly Identity[], now: Date): Settled<Claim> {
  return settled(() => {
    const { by, signer, value } = provenBy(identities, piece.bundle, (trust) =>
      openStatement(piece.bundle, trust, now),
    );
    const { subject, predicateType, predicate } = value.statement;
    const { content } = piece.bundle;
    return {
      source: piece.source,
      by,
      signer,
      kind: kindOfPredicate(predicateType),
      subjects: subject.map(({ digest }) => `sha256:${digest.sha256}`),
      body: new Foreign(predicate, 'predicate', 'MALFORMED_EVIDENCE'),
      type: predicateType,
      bodyDigest: digestOf(content.kind === 'envelope' ? content.payload : Buffer.alloc(0)),
    };
  });
}

/** A document with a signature over its bytes beside it. */
export function openDocument(
  piece: DocumentPiece,
  identities: readonly Identity[],
  now: Date,
): Settled<Claim> {
  return settled(() => {
    const bundle = readEnvelope(piece.signature ?? Buffer.alloc(0));
    const { by, signer } = provenBy(identities, bundle, (trust) => ({
      signer: documentSigner(piece.bytes, bundle, trust, now),
    }));
    return {
      source: piece.source,
      by,
      signer,
      kind: kindOfDocument(piece.document),
      subjects: null,
      body: piece.document,
      type: null,
      bodyDigest: piece.source.digest,
    };
  });
}

/** By what each format's documents say of themselves. */
export function kindOfDocument(document: Foreign): Kind {
  const text = (name: string): string => {
    const { value } = document.get(name);
    return typeof value === 'string' ? value : '';
  };
  const own = /^steelyard\/(canary|serving)\/1$/.exec(text('schema'));
  if (own !== null) return own[1] as Kind;
  if (text('bomFormat') === 'CycloneDX') return 'cyclonedx';
  if (text('spdxVersion') !== '') return 'spdx';
  if (text('@context').startsWith('https://openvex.dev/ns')) return 'openvex';
  if (!document.get('SchemaVersion').absent) return 'trivy';
  if (document.get('VulnerabilityDB').isObject && text('Version') !== '') return 'trivy-version';
  const descriptor = document.get('descriptor');
  if (descriptor.isObject && descriptor.get('name').value === 'grype') return 'grype';
  return Array.isArray(document.get('matches').value) ? 'grype' : 'unknown';
}
