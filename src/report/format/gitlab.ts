// What GitLab reads: a Code Quality report (shown in merge requests) and a SAST report (security dashboard).

import { jsonText } from '../../document/json/chunks.ts';
import { inert } from '../../document/text/inert.ts';
import { SteelyardError } from '../../rules/error.ts';
import type { Severity } from '../../rules/rules.ts';
import type { NeutralReport, Problem } from '../neutral/neutral.ts';
import { type FormatOptions, fileOf, pathOf } from './location.ts';
import { fingerprint, told } from './told.ts';

const QUALITY: Readonly<Record<Severity, string>> = {
  critical: 'blocker',
  high: 'critical',
  medium: 'major',
  low: 'minor',
  info: 'info',
};

/** GitLab documentation, "Code Quality report format". */
export function renderCodeQuality(report: NeutralReport, { base }: FormatOptions = {}): string {
  const issues = unwaived(report).map((problem) => ({
    description: told(problem),
    check_name: inert(problem.rule),
    fingerprint: fingerprint(problem),
    severity: QUALITY[problem.severity],
    location: { path: pathOf(fileOf(problem, report), base), lines: { begin: problem.line ?? 1 } },
  }));
  return jsonText(issues);
}

const SAST: Readonly<Record<Severity, string>> = {
  critical: 'Critical',
  high: 'High',
  medium: 'Medium',
  low: 'Low',
  info: 'Info',
};

/**
 * GitLab security report schemas, SAST 15.
 *
 * @throws SteelyardError USAGE without `now`: the schema demands a time.
 */
export function renderSast(report: NeutralReport, { base, now }: FormatOptions = {}): string {
  if (now === undefined) throw new SteelyardError('USAGE', 'a SAST report has a time: give now');
  const time = now.toISOString().slice(0, 19);
  const about = {
    id: 'steelyard',
    name: 'Steelyard',
    version: report.tool.version,
    vendor: { name: 'Steelyard' },
  };
  const document = {
    version: '15.0.7',
    scan: {
      scanner: about,
      analyzer: about,
      type: 'sast',
      start_time: time,
      end_time: time,
      status: report.outcome === 'error' ? 'failure' : 'success',
    },
    vulnerabilities: unwaived(report).map((problem) => vulnerability(problem, report, base)),
  };
  return jsonText(document);
}

function vulnerability(problem: Problem, report: NeutralReport, base: string | undefined): object {
  const { rule, severity, line = 1 } = problem;
  const { title, hint } = report.rules.get(rule)!;
  return {
    id: fingerprint(problem),
    name: inert(title),
    description: told(problem),
    severity: SAST[severity],
    ...(hint === undefined ? {} : { solution: hint }),
    location: { file: pathOf(fileOf(problem, report), base), start_line: line },
    identifiers: [{ type: 'steelyard_rule', name: inert(rule), value: inert(rule) }],
  };
}

const unwaived = ({ problems }: NeutralReport): Problem[] =>
  problems.filter(({ waived }) => waived === undefined);
