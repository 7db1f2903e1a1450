// CycloneDX 1.4 to 1.7, as syft, trivy and Steelyard write it: which image it is of, and what is in it.
import type { Foreign } from '../../claim/foreign.ts';
import type { Sbom } from '../evidence.ts';
import { imageDigestOf } from '../purl.ts';
import { agreed, type Said, timeOf } from './image-names.ts';

const VERSIONS = new Set(['1.4', '1.5', '1.6', '1.7']);
/** Components may hold components. */
const MAX_DEPTH = 16;

export function readCycloneDx(bom: Foreign): Sbom {
  if (bom.get('bomFormat').text() !== 'CycloneDX') bom.get('bomFormat').wrong('must be CycloneDX');
  const version = bom.get('specVersion');
  if (!VERSIONS.has(version.text())) version.wrong(`must be one of ${[...VERSIONS].join(', ')}`);
  const metadata = bom.get('metadata');
  const root = metadata.absent ? metadata : metadata.get('component');
  const components = [...flat(bom.get('components'), 0)];
  return {
    names: root.absent ? { digests: [], config: null } : agreed(saidOf(root)),
    time: metadata.absent ? null : timeOf(metadata.get('timestamp')),
    packages: components.flatMap((one) => one.get('purl').maybeText() ?? []),
    count: components.length,
  };
}

function* flat(list: Foreign, depth: number): Generator<Foreign> {
  if (depth > MAX_DEPTH) list.wrong(`is nested more than ${MAX_DEPTH} deep`);
  for (const one of list.maybeList()) {
    yield one;
    yield* flat(one.get('components'), depth + 1);
  }
}

function saidOf(root: Foreign): Said {
  const version = root.get('version').maybeText();
  const purl = root.get('purl').maybeText();
  const properties = root.get('properties').maybeList();
  const property = (name: string): string[] =>
    properties
      .filter((one) => one.get('name').text() === `aquasecurity:trivy:${name}`)
      .map((one) => one.get('value').text());
  const hashes = root
    .get('hashes')
    .maybeList()
    .filter((one) => one.get('alg').text() === 'SHA-256')
    .map((one) => `sha256:${one.get('content').text()}`);
  return {
    where: root,
    digests: [
      ...(version?.startsWith('sha256:') ? [version] : []),
      ...hashes,
      ...(purl === null ? [] : [imageDigestOf(purl) ?? []].flat()),
      ...property('RepoDigest').map((text) => text.slice(text.lastIndexOf('@') + 1)),
    ],
    configs: property('ImageID'),
  };
}
