// SPDX 2.2 and 2.3 in JSON, as syft and trivy write it. Exactly one package is described: the image.
import type { Foreign } from '../../claim/foreign.ts';
import type { Sbom } from '../evidence.ts';
import { imageDigestOf } from '../purl.ts';
import { agreed, type Said, timeOf } from './image-names.ts';

export function readSpdx(document: Foreign): Sbom {
  const version = document.get('spdxVersion');
  if (!/^SPDX-2\.[23]$/.test(version.text())) version.wrong('must be SPDX-2.2 or SPDX-2.3');
  const packages = document.get('packages').maybeList();
  const created = document.get('creationInfo');
  const id = describedBy(document);
  const root = packages.find((one) => one.get('SPDXID').text() === id);
  const rest = packages.filter((one) => one !== root);
  return {
    names: root === undefined ? { digests: [], config: null } : agreed(saidOf(root)),
    time: created.absent ? null : timeOf(created.get('created')),
    packages: rest.flatMap(purlsOf),
    count: rest.length,
  };
}

function describedBy(document: Foreign): string | null {
  const told = document
    .get('relationships')
    .maybeList()
    .filter((one) => one.get('relationshipType').text() === 'DESCRIBES')
    .filter((one) => one.get('spdxElementId').text() === 'SPDXRef-DOCUMENT')
    .map((one) => one.get('relatedSpdxElement').text());
  const listed = document
    .get('documentDescribes')
    .maybeList()
    .map((one) => one.text());
  const all = [...new Set([...told, ...listed])];
  if (all.length > 1) document.get('relationships').wrong('must describe one package');
  return all[0] ?? null;
}

const purlsOf = (one: Foreign): string[] =>
  one
    .get('externalRefs')
    .maybeList()
    .filter((ref) => ref.get('referenceType').text() === 'purl')
    .map((ref) => ref.get('referenceLocator').text());

function saidOf(root: Foreign): Said {
  const version = root.get('versionInfo').maybeText();
  const checksums = root
    .get('checksums')
    .maybeList()
    .filter((one) => one.get('algorithm').text() === 'SHA256')
    .map((one) => `sha256:${one.get('checksumValue').text()}`);
  // trivy: "RepoDigest: name@sha256:…" in annotations, in attributionTexts before.
  const notes = [
    ...root
      .get('annotations')
      .maybeList()
      .map((one) => one.get('comment').text()),
    ...root
      .get('attributionTexts')
      .maybeList()
      .map((one) => one.text()),
  ];
  const noted = (name: string): string[] =>
    notes.filter((note) => note.startsWith(`${name}: `)).map((note) => note.slice(name.length + 2));
  return {
    where: root,
    digests: [
      ...(version?.startsWith('sha256:') ? [version] : []),
      ...checksums,
      ...purlsOf(root).flatMap((purl) => imageDigestOf(purl) ?? []),
      ...noted('RepoDigest').map((text) => text.slice(text.lastIndexOf('@') + 1)),
    ],
    configs: noted('ImageID'),
  };
}
