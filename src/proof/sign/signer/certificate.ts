// From the certificate in a bundle to a root that the caller trusts (RFC 5280 §6, as far as private code-signing PKIs use
// it). Certificates of the bundle are material for the path, never an end of it.

import { createHash, type KeyObject, X509Certificate } from 'node:crypto';
import { quoted } from '../../../document/violations.ts';
import { SteelyardError } from '../../../rules/error.ts';
import { refuse } from '../refusal.ts';
import type { CertificateTrust, Signer } from '../trust.ts';
import { type Extensions, readExtensions } from './extension.ts';

interface Certified {
  readonly key: KeyObject;
  readonly signer: Signer;
}

/**
 * The key of the leaf, once a path of certificates that are valid at `now` leads from it to a trusted root. The reference
 * takes the leaf's own beginning for the time, so that an expired certificate never ends; the specification does not.
 */
export function certify(chain: readonly Buffer[], trust: CertificateTrust, now: Date): Certified {
  const { roots, trusted } = rootCertificates(trust);
  const [leaf, ...others] = chain.map(derCertificate);
  const given = trusted.map((one) => derCertificate(one.raw));
  const anchors = roots.map((one) => derCertificate(one.raw));
  const problem = new Search(anchors, [...given, ...others], now).problemOf(leaf!);
  if (problem !== null) {
    refuse(
      'UNTRUSTED_CERTIFICATE',
      `no chain leads from the signer's certificate to a trusted root: ${problem}`,
      {
        actual: leaf!.x509.subject ?? '',
      },
    );
  }
  if (!maySign(leaf!.extensions)) {
    refuse('UNTRUSTED_CERTIFICATE', "the signer's certificate is not for signatures (key usage)");
  }
  const fingerprint = `sha256:${createHash('sha256').update(leaf!.x509.raw).digest('hex')}`;
  const subject = leaf!.x509.subject ?? '';
  return { key: leaf!.x509.publicKey, signer: { method: 'certificate', fingerprint, subject } };
}

/** @throws SteelyardError USAGE: no certificate in it ends a path. */
export function rootCertificates({ certificateChain }: CertificateTrust) {
  const trusted = pemCertificates(certificateChain);
  const roots = trusted.filter(isSelfSigned);
  if (roots.length === 0) {
    throw new SteelyardError('USAGE', 'the certificate chain has no root: add the self-signed certificate');
  }
  return { roots, trusted };
}

interface Certificate {
  readonly x509: X509Certificate;
  readonly extensions: Extensions;
}

/** RFC 5280 §4.2.1.12: where both usages are there, both must allow it; one that says nothing at all allows nothing. */
function maySign({ digitalSignature, codeSigning }: Extensions): boolean {
  if (digitalSignature === false || codeSigning === false) return false;
  return digitalSignature === true || codeSigning === true;
}

/**
 * Looks for a path. Certificates of one name and one key issue each other, and there are factorially many orders of them: what
 * was tried once is known, and there is an end to how many signatures are checked.
 */
class Search {
  readonly #anchors: readonly Certificate[];
  readonly #issuers: readonly Certificate[];
  readonly #now: Date;
  readonly #issued = new Map<Certificate, Map<Certificate, boolean>>();
  readonly #tried = new Set<string>();
  #checks = 0;

  constructor(anchors: readonly Certificate[], others: readonly Certificate[], now: Date) {
    this.#anchors = anchors;
    this.#issuers = [...anchors, ...others];
    this.#now = now;
  }

  /** null: a path was found. Else the reason, of the most promising try. `below`: certificates under this one. */
  problemOf(subject: Certificate, below = 0): string | null {
    const own = fault(subject, this.#now);
    if (own !== null) return own;
    // A root in the bundle is the caller's root only if the bytes are.
    if (this.#anchors.some(({ x509 }) => x509.raw.equals(subject.x509.raw))) return null;
    if (below === MAX_PATH) return 'it is too long';
    let problem = `the issuer of ${quoted(subject.x509.subject ?? '')} is not trusted`;
    for (const issuer of this.#issuers) {
      if (issuer === subject || !this.#hasIssued(issuer, subject)) continue;
      const limit = issuer.extensions.pathLength;
      if (limit !== null && below > limit) {
        problem = 'it is longer than a certificate in it allows';
        continue;
      }
      const key = `${this.#issuers.indexOf(issuer)} ${below}`;
      if (this.#tried.has(key)) continue;
      this.#tried.add(key);
      const further = this.problemOf(issuer, below + 1);
      if (further === null) return null;
      problem = further;
    }
    return this.#checks >= MAX_CHECKS ? 'too many certificates could have issued each other' : problem;
  }

  #hasIssued(issuer: Certificate, subject: Certificate): boolean {
    const known = this.#issued.get(subject) ?? new Map<Certificate, boolean>();
    this.#issued.set(subject, known);
    let has = known.get(issuer);
    if (has === undefined) {
      has =
        mayIssue(issuer, subject) &&
        this.#checks++ < MAX_CHECKS &&
        subject.x509.verify(issuer.x509.publicKey);
      known.set(issuer, has);
    }
    return has;
  }
}

const MAX_CHECKS = 64;
const MAX_PATH = 8;

function fault({ x509, extensions }: Certificate, now: Date): string | null {
  const name = quoted(x509.subject ?? '');
  if (now < new Date(x509.validFrom)) return `${name} is not valid yet`;
  if (!(now <= new Date(x509.validTo))) return `${name} has expired`;
  if (extensions.nameConstraints)
    return `${name} limits names, and Steelyard does not check names against such limits`;
  return extensions.unknownCritical ? `${name} has a critical extension that is not understood` : null;
}

/** Only signatures without known collisions count: a certificate signed over SHA-1 can be forged. */
const ALGORITHMS = new Set([
  ...['2a8648ce3d040302', '2a8648ce3d040303', '2a8648ce3d040304'], // ECDSA with SHA-256, SHA-384, SHA-512
  ...['2a864886f70d01010b', '2a864886f70d01010c', '2a864886f70d01010d'], // RSA with the same
  ...['2a864886f70d01010a', '2b6570'], // RSASSA-PSS, Ed25519
]);

/** All but the signature, which costs the most. */
function mayIssue(issuer: Certificate, { x509, extensions }: Certificate): boolean {
  const { ca, certSign, codeSigning } = issuer.extensions;
  // An authority for other purposes than code, such as servers, issues no signers of models.
  if (!ca || certSign === false || codeSigning === false || !ALGORITHMS.has(extensions.algorithm))
    return false;
  return x509.checkIssued(issuer.x509);
}

// Not checkIssued: a self-signed certificate for code alone may not sign certificates, and is the end of its own path.
const isSelfSigned = (x509: X509Certificate): boolean =>
  x509.subject === x509.issuer && x509.verify(x509.publicKey);

function derCertificate(der: Buffer): Certificate {
  const extensions = readExtensions(der);
  try {
    if (extensions !== null) return { x509: new X509Certificate(der), extensions };
  } catch {
    // OpenSSL cannot read it either.
  }
  return refuse('MALFORMED_BUNDLE', 'a certificate cannot be read');
}

/** @throws SteelyardError USAGE */
export function pemCertificates(pem: string | Buffer): X509Certificate[] {
  const blocks = pem.toString().matchAll(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g);
  try {
    const certificates = Array.from(blocks, ([block]) => new X509Certificate(block));
    if (certificates.length > 0) return certificates;
  } catch {
    // said below
  }
  throw new SteelyardError('USAGE', 'the certificate chain cannot be read: PEM certificates are needed');
}
