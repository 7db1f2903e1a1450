// trivy's JSON, SchemaVersion 2 (pkg/types/report.go, pkg/types/finding.go). Every field is left out when it is empty, so an image
// that was not looked into and one without findings can look alike: what was looked at must be shown.
import type { Foreign } from '../../claim/foreign.ts';
import type { Severity, Vulnerability, VulnerabilityReport } from '../evidence.ts';

const SEVERITIES = new Set(['UNKNOWN', 'LOW', 'MEDIUM', 'HIGH', 'CRITICAL']);
const PACKAGES = new Set(['os-pkgs', 'lang-pkgs']);

export function readTrivy(report: Foreign): VulnerabilityReport {
  const version = report.get('SchemaVersion');
  if (version.value !== 2) version.wrong('must be 2');
  const metadata = report.get('Metadata');
  const at = (name: string) => (metadata.absent ? metadata : metadata.get(name));
  const config = at('ImageID');
  const results = report.get('Results').maybeList();
  const vulnerabilities = results.flatMap(vulnerabilitiesOf);
  const listed = results.filter((result) => PACKAGES.has(result.get('Class').maybeText() ?? ''));
  const looked = listed.some(
    (one) => one.get('Packages').maybeList().length > 0 || one.get('Vulnerabilities').maybeList().length > 0,
  );
  return {
    names: {
      digests: at('RepoDigests').maybeList().map(repositoryDigest),
      config: config.absent || config.value === '' ? null : config.digest(),
    },
    time: report.get('CreatedAt').time(),
    database: databaseOf(report.get('Trivy')),
    version: report.get('Trivy').absent ? null : report.get('Trivy').get('Version').maybeText(),
    vulnerabilities: [...vulnerabilities, ...endOfLife(at('OS'))],
    packages: listed.flatMap((one) => one.get('Packages').maybeList().flatMap(purlOf)),
    empty: looked ? null : 'no result of the report lists a package or a vulnerability',
  };
}

/** `repository@sha256:…` → the digest. */
export function repositoryDigest(field: Foreign): string {
  const [, digest] = /^.{1,1000}@(sha256:[0-9a-f]{64})$/s.exec(field.text()) ?? [];
  return digest ?? field.wrong('must be repository@sha256:…');
}

function databaseOf(trivy: Foreign): number | null {
  if (trivy.absent || trivy.get('Server').absent) return null;
  const database = trivy.get('Server').get('VulnerabilityDB');
  return database.absent ? null : database.get('UpdatedAt').time();
}

function purlOf(found: Foreign): string[] {
  const identifier = found.get('Identifier');
  const purl = identifier.absent ? null : identifier.get('PURL').maybeText();
  return purl === null ? [] : [purl];
}

function vulnerabilitiesOf(result: Foreign): Vulnerability[] {
  const plain = result.get('Vulnerabilities').maybeList();
  const modified = result.get('ExperimentalModifiedFindings').maybeList();
  return [
    ...plain.map((one) => vulnerabilityOf(one, null)),
    ...modified
      .filter((one) => one.get('Type').text() === 'vulnerability')
      .map((one) => vulnerabilityOf(one.get('Finding'), suppression(one))),
  ];
}

const suppression = (one: Foreign): string =>
  [one.get('Status').text(), one.get('Source').maybeText(), one.get('Statement').maybeText()]
    .filter((text) => text !== null && text !== '')
    .join(', ');

function vulnerabilityOf(one: Foreign, suppressed: string | null): Vulnerability {
  const identifier = one.get('PkgIdentifier');
  const purl = identifier.absent ? null : identifier.get('PURL').maybeText();
  const severity = one.get('Severity').maybeText() ?? 'UNKNOWN';
  if (!SEVERITIES.has(severity)) one.get('Severity').wrong('is no severity of trivy');
  const fixed = one.get('FixedVersion').maybeText();
  return {
    id: one.get('VulnerabilityID').text(),
    aliases: one
      .get('VendorIDs')
      .maybeList()
      .map((id) => id.text()),
    package: purl ?? `${one.get('PkgName').text()}@${one.get('InstalledVersion').maybeText() ?? ''}`,
    severity: severity.toLowerCase() as Severity,
    fixed: fixed === '' ? null : fixed,
    suppressed,
  };
}

/** A distribution that gets no more fixes has no findings that mean anything. */
function endOfLife(os: Foreign): Vulnerability[] {
  if (os.absent || os.get('EOSL').absent || !os.get('EOSL').boolean()) return [];
  const family = `${os.get('Family').text()}@${os.get('Name').maybeText() ?? ''}`;
  return [
    { id: 'END-OF-LIFE', aliases: [], package: family, severity: 'high', fixed: null, suppressed: null },
  ];
}

/** `trivy version --format json`: the only place where a client names its database's date. */
export function readTrivyVersion(document: Foreign): {
  readonly version: string;
  readonly updated: number | null;
  readonly downloaded: number | null;
} {
  const database = document.get('VulnerabilityDB');
  return {
    version: document.get('Version').text(),
    updated: database.get('UpdatedAt').time(),
    downloaded: database.get('DownloadedAt').time(),
  };
}
