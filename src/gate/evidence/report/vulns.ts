// The two predicates that carry a scan: in-toto's vulns v0.2, which must name its database's date, and cosign's vuln v1, which wraps
// a whole report, or null.

import type { Foreign } from '../../claim/foreign.ts';
import { kindOfDocument } from '../../claim/proven-claim.ts';
import { deny } from '../../verdict/denial.ts';
import type { Severity, VulnerabilityReport } from '../evidence.ts';
import { readGrype } from './grype.ts';
import { readTrivy } from './trivy.ts';

const NO_NAMES = { digests: [], config: null };

/** @param method whose severity counts: the format leaves it free. */
export function readVulns(predicate: Foreign, method: string | undefined): VulnerabilityReport {
  const scanner = predicate.get('scanner');
  scanner.get('uri').text();
  const results = scanner.get('result').list();
  return {
    names: NO_NAMES,
    time: predicate.get('metadata').get('scanFinishedOn').time(),
    database: scanner.get('db').get('lastUpdate').time(),
    version: scanner.get('version').maybeText(),
    vulnerabilities: results.map((one) => ({
      id: one.get('id').text(),
      aliases: [],
      package: null,
      severity: severityOf(one.get('severity'), method),
      fixed: null,
      suppressed: null,
    })),
    packages: [],
    // An empty list of results is this format's way to say that nothing was found.
    empty: null,
  };
}

function severityOf(list: Foreign, method: string | undefined): Severity {
  const scores = list.list().filter((one) => one.get('method').text() === method);
  const [score] = scores;
  if (score === undefined || method === undefined) {
    return deny('EVIDENCE_UNSUPPORTED', `${list.path} has no severity by the method that the policy names`, {
      expected: method ?? 'a method',
    });
  }
  // Several scores by one method: the worst counts.
  return scores.map((one) => wordOf(one.get('score'))).sort((a, b) => RANK[b] - RANK[a])[0]!;
}

export const RANK: Readonly<Record<Severity, number>> = {
  negligible: 0,
  low: 1,
  medium: 2,
  high: 3,
  critical: 4,
  // Nobody has weighed it: it may be the worst.
  unknown: 5,
};

/** CVSS v3.1 §5 (qualitative severity rating scale), or the word itself. */
function wordOf(field: Foreign): Severity {
  const text = field.text().trim().toLowerCase();
  if (Object.hasOwn(RANK, text)) return text as Severity;
  if (text === 'none') return 'negligible';
  if (!/^\d{1,2}(\.\d{1,2})?$/.test(text) || Number(text) > 10)
    return field.wrong('must be a CVSS score or a severity');
  const score = Number(text);
  if (score >= 9) return 'critical';
  if (score >= 7) return 'high';
  return score >= 4 ? 'medium' : score > 0 ? 'low' : 'negligible';
}

export function readCosignVuln(predicate: Foreign): VulnerabilityReport {
  const scanner = predicate.get('scanner');
  const result = scanner.get('result');
  const finished = predicate.get('metadata').get('scanFinishedOn').time();
  if (result.absent) {
    const empty = 'the result of the scanner is null';
    return {
      names: NO_NAMES,
      time: finished,
      database: null,
      version: null,
      vulnerabilities: [],
      packages: [],
      empty,
    };
  }
  const kind = kindOfDocument(result);
  if (kind !== 'trivy' && kind !== 'grype')
    return deny(
      'EVIDENCE_UNSUPPORTED',
      'the result of the scanner is neither a report of trivy nor of grype',
    );
  const inner = kind === 'trivy' ? readTrivy(result) : readGrype(result);
  // The wrapper has the time of writing, the report that of scanning: the earlier one is nearer to the truth.
  const times = [finished, inner.time].filter((time) => time !== null);
  return { ...inner, time: times.length < 2 ? null : Math.min(...times) };
}
