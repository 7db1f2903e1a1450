// grype's JSON (grype/presenter/models). It has its database's date and its own flags, and no list of what was looked at.
import type { Foreign } from '../../claim/foreign.ts';
import { base64, digestOf } from '../../claim/piece.ts';
import { deny } from '../../verdict/denial.ts';
import type { ImageNames, Severity, Vulnerability, VulnerabilityReport } from '../evidence.ts';
import { repositoryDigest } from './trivy.ts';

const SEVERITIES = new Set(['Unknown', 'Negligible', 'Low', 'Medium', 'High', 'Critical']);

export function readGrype(report: Foreign): VulnerabilityReport {
  const descriptor = report.get('descriptor');
  const name = descriptor.get('name');
  if (!name.absent && name.value !== 'grype') name.wrong('must be grype');
  noFlags(descriptor.get('configuration'));
  const ignored = report.get('ignoredMatches').maybeList();
  const source = report.get('source');
  const status = statusOf(descriptor.get('db'));
  return {
    names: namesOf(source),
    time: descriptor.get('timestamp').time(),
    database: status === null ? null : status.built,
    version: descriptor.get('version').maybeText(),
    vulnerabilities: [
      ...report
        .get('matches')
        .list()
        .map((one) => vulnerabilityOf(one, null)),
      ...ignored.map((one) => vulnerabilityOf(one, rulesOf(one))),
    ],
    packages: [],
    empty: emptiness(report.get('distro'), status),
  };
}

interface Status {
  readonly built: number | null;
  readonly valid: boolean;
}

function statusOf(db: Foreign): Status | null {
  if (db.absent || db.get('status').absent) return null;
  const status = db.get('status');
  return { built: status.get('built').time(), valid: status.get('valid').value === true };
}

function emptiness(distro: Foreign, status: Status | null): string | null {
  if (status !== null && !status.valid) return 'the database was not valid';
  const known = !distro.absent && (distro.get('name').maybeText() ?? '') !== '';
  return known ? null : 'no distribution was recognised, so nothing shows that packages were found';
}

/** Flags that leave findings out without a trace. */
function noFlags(configuration: Foreign): void {
  if (configuration.absent) return;
  const flags = ['only-fixed', 'only-notfixed'].filter((name) => configuration.get(name).value === true);
  if ((configuration.get('ignore-wontfix').maybeText() ?? '') !== '') flags.push('ignore-wontfix');
  if (configuration.get('exclude').maybeList().length > 0) flags.push('exclude');
  if (flags.length === 0) return;
  deny('EVIDENCE_CONTRADICTORY', `grype left findings out of its report: ${flags.join(', ')}`);
}

function namesOf(source: Foreign): ImageNames {
  if (source.absent || source.get('type').maybeText() !== 'image') return { digests: [], config: null };
  const target = source.get('target');
  const manifest = maybeDigest(target.get('manifestDigest'));
  const config = maybeDigest(target.get('imageID'));
  sameBytes(target.get('manifest'), manifest);
  sameBytes(target.get('config'), config);
  const repositories = target.get('repoDigests').maybeList().map(repositoryDigest);
  return { digests: [...repositories, ...(manifest === null ? [] : [manifest])], config };
}

const maybeDigest = (field: Foreign): string | null =>
  field.absent || field.value === '' ? null : field.digest();

function sameBytes(field: Foreign, digest: string | null): void {
  if (field.absent || field.value === '' || digest === null) return;
  const actual = digestOf(base64(field));
  if (actual === digest) return;
  deny('EVIDENCE_CONTRADICTORY', `${field.path} does not hash to the digest beside it`, {
    expected: digest,
    actual,
  });
}

function vulnerabilityOf(match: Foreign, suppressed: string | null): Vulnerability {
  const found = match.get('vulnerability');
  const severity = found.get('severity').maybeText() ?? 'Unknown';
  if (severity !== '' && !SEVERITIES.has(severity)) found.get('severity').wrong('is no severity of grype');
  const artifact = match.get('artifact');
  const purl = artifact.get('purl').maybeText() ?? '';
  const fix = found.get('fix');
  const versions = fix.absent
    ? []
    : fix
        .get('versions')
        .maybeList()
        .map((one) => one.text());
  return {
    id: found.get('id').text(),
    aliases: match
      .get('relatedVulnerabilities')
      .maybeList()
      .map((one) => one.get('id').text()),
    package:
      purl === '' ? `${artifact.get('name').text()}@${artifact.get('version').maybeText() ?? ''}` : purl,
    severity: severity === '' ? 'unknown' : (severity.toLowerCase() as Severity),
    fixed: versions.length === 0 ? null : versions.join(', '),
    suppressed,
  };
}

const rulesOf = (match: Foreign): string => {
  const reasons = match
    .get('appliedIgnoreRules')
    .maybeList()
    .map((rule) => rule.get('reason').maybeText() ?? '')
    .filter((reason) => reason !== '');
  return reasons.length === 0 ? "ignored by grype's own rules" : reasons.join(', ');
};
