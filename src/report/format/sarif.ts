// SARIF 2.1.0 (OASIS), within what GitHub code scanning takes: results that it would drop are counted in a notification.
import { jsonText } from '../../document/json/chunks.ts';
import { inert } from '../../document/text/inert.ts';
import { SEVERITIES, type Severity } from '../../rules/rules.ts';
import type { NeutralReport, NeutralRule, Problem, Unseen } from '../neutral/neutral.ts';
import { type FormatOptions, fileOf, uriOf } from './location.ts';
import { fingerprint, LEVELS, told } from './told.ts';

/** GitHub refuses a run with more results, and shows the first 5,000 by severity. */
const RESULTS = 25_000;

/** Microsoft's library reads places and lengths as 32 bits, and passes over the whole document in silence where one is larger. */
const INT32 = 2 ** 31 - 1;

/** What GitHub sorts alerts by: above 9 critical, 7 high, 4 medium, above 0 low. */
const SECURITY: Readonly<Record<Severity, string>> = {
  critical: '9.5',
  high: '7.5',
  medium: '5.0',
  low: '2.0',
  info: '0.0',
};

export function renderSarif(report: NeutralReport, options: FormatOptions = {}): string {
  const ids = [...report.rules.keys()];
  const kept = report.problems.slice(0, RESULTS);
  const run = {
    tool: {
      driver: {
        name: 'Steelyard',
        semanticVersion: report.tool.version,
        rules: ids.map((id) => ruleOf(id, report)),
      },
    },
    invocations: [
      {
        executionSuccessful: report.outcome !== 'error',
        toolExecutionNotifications: [
          ...report.errors.map((error) => notification(error, options)),
          ...left(report.problems.length - kept.length),
        ],
      },
    ],
    artifacts: report.files.map(({ path, size, sha256 }) => ({
      location: location(path, options),
      ...(size > INT32 ? {} : { length: size }),
      hashes: { 'sha-256': sha256 },
    })),
    results: kept.map((problem) => result(problem, ids.indexOf(problem.rule), report, options)),
    automationDetails: { id: `steelyard/${report.command}/` },
    columnKind: 'utf16CodeUnits',
  };
  const log = { $schema: SCHEMA, version: '2.1.0', runs: [run] };
  return jsonText(log);
}

/** As the standard spells it (SARIF 2.1.0, 3.13.3). */
const SCHEMA = 'https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json';

function ruleOf(id: string, { rules, problems }: NeutralReport): object {
  const { title, hint, why, references } = rules.get(id) as NeutralRule;
  // A policy can raise a severity: the alert is as grave as its gravest finding.
  const severities = problems
    .filter(({ rule }) => rule === id)
    .map(({ severity }) => SEVERITIES.indexOf(severity));
  const severity = SEVERITIES[Math.max(...severities)]!;
  const help = [why, hint === undefined ? undefined : `What to do: ${hint}.`, ...references].filter(
    (one) => one !== undefined,
  );
  return {
    id: inert(id),
    shortDescription: { text: `${capital(inert(title))}.` },
    fullDescription: { text: why ?? `${capital(inert(title))}.` },
    ...(help.length === 0 ? {} : { help: { text: help.join('\n'), markdown: help.join('\n\n') } }),
    defaultConfiguration: { level: LEVELS[severity] },
    properties: {
      'security-severity': SECURITY[severity],
      'problem.severity': { error: 'error', warning: 'warning', note: 'recommendation' }[LEVELS[severity]],
      precision: 'high',
      tags: ['security'],
    },
  };
}

const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);

const location = (path: string, { base }: FormatOptions): object => ({
  uri: uriOf(path, base),
  uriBaseId: '%SRCROOT%',
});

function result(problem: Problem, ruleIndex: number, report: NeutralReport, options: FormatOptions): object {
  const { rule, severity, line, offset, place, waived } = problem;
  return {
    ruleId: inert(rule),
    ruleIndex,
    level: LEVELS[severity],
    message: { text: `${told(problem)}.` },
    locations: [
      {
        physicalLocation: {
          artifactLocation: location(fileOf(problem, report), options),
          // GitHub shows no alert without a line. Weights have none, so they get the first.
          region: {
            startLine: line ?? 1,
            ...(offset === undefined || offset > INT32 ? {} : { byteOffset: offset, byteLength: 0 }),
          },
        },
        ...(place === undefined
          ? {}
          : { logicalLocations: [{ fullyQualifiedName: inert(place), kind: 'member' }] }),
      },
    ],
    partialFingerprints: { 'steelyard/v1': fingerprint(problem) },
    ...(waived === undefined
      ? {}
      : { suppressions: [{ kind: 'external', status: 'accepted', justification: inert(waived.reason) }] }),
  };
}

function notification({ code, file, message }: Unseen, options: FormatOptions): object {
  return {
    level: 'error',
    message: { text: `${inert(message, 600)}.` },
    descriptor: { id: code },
    ...(file === ''
      ? {}
      : { locations: [{ physicalLocation: { artifactLocation: location(file, options) } }] }),
  };
}

const left = (count: number): object[] =>
  count <= 0
    ? []
    : [{ level: 'warning', message: { text: `${count} more findings are only in the JSON report.` } }];
