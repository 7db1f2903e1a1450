// Exceptions: OpenVEX 0.2.0 and the VEX part of CycloneDX. A product that is not pinned by a digest matches nothing here: "not affected"
// would else hold for every image of that name.
import type { Foreign } from '../claim/foreign.ts';
import type { Exception } from './evidence.ts';
import { imageDigestOf } from './purl.ts';

const STATUSES = new Set(['not_affected', 'fixed', 'affected', 'under_investigation']);
const JUSTIFICATIONS = new Set([
  'component_not_present',
  'vulnerable_code_not_present',
  'vulnerable_code_not_in_execute_path',
  'vulnerable_code_cannot_be_controlled_by_adversary',
  'inline_mitigations_already_exist',
]);

/** @param subjects of the statement around it: products may be left out there, and are then the subjects. */
export function readOpenVex(document: Foreign, subjects: readonly string[]): Exception[] {
  const context = document.get('@context').text();
  if (!/^https:\/\/openvex\.dev\/ns(\/v0\.2\.0)?$/.test(context))
    document.get('@context').wrong('must be OpenVEX 0.2.0');
  const time = document.get('timestamp').time();
  return document
    .get('statements')
    .list()
    .map((one) => statementOf(one, subjects, time));
}

function statementOf(one: Foreign, subjects: readonly string[], documentTime: number | null): Exception {
  const status = one.get('status').text();
  if (!STATUSES.has(status)) one.get('status').wrong('is no status of OpenVEX');
  const vulnerability = one.get('vulnerability');
  const products = one.get('products').maybeList();
  const parts = products.flatMap((product) => product.get('subcomponents').maybeList());
  return {
    vulnerability: namesOf(vulnerability),
    images: products.length === 0 ? subjects : products.flatMap(digestsOf),
    packages: parts.flatMap(purlsOf),
    status: status as Exception['status'],
    reason: reasonOf(one, status),
    time: one.get('timestamp').time() ?? documentTime,
  };
}

function namesOf(vulnerability: Foreign): string[] {
  // 0.0.x wrote the name alone.
  if (typeof vulnerability.value === 'string') return [vulnerability.value];
  const aliases = vulnerability
    .get('aliases')
    .maybeList()
    .map((one) => one.text());
  const names = ['name', '@id'].flatMap((field) => vulnerability.get(field).maybeText() ?? []);
  return names.length === 0 ? vulnerability.wrong('must have a name') : [...names, ...aliases];
}

/** `not_affected` without a reason is an opinion. */
function reasonOf(one: Foreign, status: string): string {
  const justification = one.get('justification').maybeText();
  const impact = one.get('impact_statement').maybeText();
  if (justification !== null && !JUSTIFICATIONS.has(justification))
    one.get('justification').wrong('is no justification of OpenVEX');
  if (status === 'not_affected' && !justification && !impact)
    one.wrong('must have a justification or an impact statement');
  return justification ?? impact ?? status;
}

function digestsOf(product: Foreign): string[] {
  if (typeof product.value === 'string') return [imageDigestOf(product.value) ?? []].flat();
  const hashes = product.get('hashes');
  const hash = hashes.absent ? null : hashes.get('sha-256').maybeText();
  return [
    ...purlsOf(product).flatMap((purl) => imageDigestOf(purl) ?? []),
    ...(hash === null ? [] : [`sha256:${hash}`]),
  ];
}

function purlsOf(component: Foreign): string[] {
  if (typeof component.value === 'string') return [component.value];
  const identifiers = component.get('identifiers');
  const purl = identifiers.absent ? null : identifiers.get('purl').maybeText();
  return [component.get('@id').maybeText(), purl].filter((text) => text !== null);
}

const STATES = new Map<string, Exception['status']>([
  ['not_affected', 'not_affected'],
  ['false_positive', 'not_affected'],
  ['resolved', 'fixed'],
  ['resolved_with_pedigree', 'fixed'],
  ['exploitable', 'affected'],
  ['in_triage', 'under_investigation'],
]);

/** @param images the digests of the image that the document itself is of. */
export function readCycloneDxVex(bom: Foreign, images: readonly string[]): Exception[] {
  const time = bom.get('metadata').absent ? null : bom.get('metadata').get('timestamp').time();
  return bom
    .get('vulnerabilities')
    .maybeList()
    .filter((one) => !one.get('analysis').absent)
    .map((one) => {
      const analysis = one.get('analysis');
      const state = analysis.get('state').text();
      const status = STATES.get(state) ?? analysis.get('state').wrong('is no state of CycloneDX');
      const detail = analysis.get('justification').maybeText() ?? analysis.get('detail').maybeText();
      if (state === 'not_affected' && !detail) analysis.wrong('must have a justification or a detail');
      const refs = one
        .get('affects')
        .maybeList()
        .map((affected) => affected.get('ref').text());
      return {
        vulnerability: [one.get('id').text()],
        images: [...images, ...refs.flatMap((ref) => imageDigestOf(ref) ?? [])],
        packages: refs.filter((ref) => ref.startsWith('pkg:') && imageDigestOf(ref) === null),
        status,
        reason: detail ?? state,
        time,
      };
    });
}
