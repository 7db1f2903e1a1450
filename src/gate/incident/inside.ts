// What stands inside a piece of evidence, whoever signed it: packages of SBOMs, vulnerabilities of reports.
import { type Foreign, readForeign } from '../claim/foreign.ts';
import type { Piece } from '../claim/piece.ts';
import { type Kind, kindOfDocument, kindOfPredicate } from '../claim/proven-claim.ts';
import { matches, readPurl } from '../evidence/purl.ts';
import { readGrype } from '../evidence/report/grype.ts';
import { readTrivy } from '../evidence/report/trivy.ts';
import { readCosignVuln, readVulns } from '../evidence/report/vulns.ts';
import { readCycloneDx } from '../evidence/sbom/cyclonedx.ts';
import { readSpdx } from '../evidence/sbom/spdx.ts';
import { settled } from '../verdict/denial.ts';
import type { Query } from './query.ts';

export function contentOf(piece: Piece, query: Exclude<Query, { kind: 'digest' | 'key' }>): string[] {
  const inside = bodyOf(piece);
  if (inside === null) return [];
  const { kind, body } = inside;
  if (query.kind === 'package')
    return [...new Set(packagesOf(kind, body))].filter((text) => {
      const purl = readPurl(text);
      return purl !== null && matches(query.purl, purl);
    });
  const wanted = query.id.toUpperCase();
  return vulnerabilitiesOf(kind, body)
    .filter(({ id, aliases }) => [id, ...aliases].some((one) => one.toUpperCase() === wanted))
    .map(({ id, severity, package: name }) => `${id} (${severity})${name === null ? '' : ` of ${name}`}`);
}

function bodyOf(piece: Piece): { readonly kind: Kind; readonly body: Foreign } | null {
  if (piece.form === 'document') return { kind: kindOfDocument(piece.document), body: piece.document };
  if (piece.form !== 'statement' || piece.bundle.content.kind !== 'envelope') return null;
  const { payload } = piece.bundle.content;
  const read = settled(() => readForeign(payload).get('predicate'));
  return read.value === undefined ? null : { kind: kindOfPredicate(piece.claims), body: read.value };
}

function packagesOf(kind: Kind, body: Foreign): readonly string[] {
  const read = settled(() => {
    if (kind === 'cyclonedx') return readCycloneDx(body).packages;
    if (kind === 'spdx') return readSpdx(body).packages;
    return kind === 'trivy' ? readTrivy(body).packages : [];
  });
  return read.value ?? [];
}

function vulnerabilitiesOf(kind: Kind, body: Foreign) {
  const read = settled(() => {
    if (kind === 'trivy') return readTrivy(body).vulnerabilities;
    if (kind === 'grype') return readGrype(body).vulnerabilities;
    if (kind === 'cosign-vuln/v1') return readCosignVuln(body).vulnerabilities;
    return kind === 'vulns/v0.2' ? idsOf(body) : [];
  });
  return read.value ?? [];
}

/** Any method: it is the name that is looked for. */
function idsOf(body: Foreign) {
  const methods = body
    .get('scanner')
    .get('result')
    .list()
    .flatMap((one) => one.get('severity').maybeList());
  const method = methods[0]?.get('method').text();
  return readVulns(body, method).vulnerabilities;
}
