// A report of `scan` or `check`, and one of `lint`, as what all verdicts have in common.
import type { Report } from '../../baseline/report.ts';
import { counted, grouped } from '../../document/text/quantity.ts';
import type { ServingReport } from '../../serving/lint/serving-report.ts';
import { coverage, reasonOf } from '../text/closing.ts';
import { problemsOf, rulesOf } from './findings.ts';
import type { NeutralReport } from './neutral.ts';

const digits = (digest: string): string => digest.replace(/^sha256:/, '');

export function neutralScan(report: Report): NeutralReport {
  const problems = problemsOf(report.findings, report.verdict.failOn, ({ tensor, offset }) => ({
    ...(tensor === undefined ? {} : { place: tensor }),
    ...(offset === undefined ? {} : { offset }),
  }));
  return {
    tool: report.tool,
    command: 'scan',
    outcome: report.verdict.outcome,
    reason: reasonOf(report),
    coverage: coverage(report),
    files: report.files.map(({ path, size, sha256 }) => ({ path, size, sha256: digits(sha256) })),
    problems,
    errors: report.errors.map(({ code, file, message }) => ({ code, file, message })),
    rules: rulesOf(problems),
  };
}

export function neutralLint(report: ServingReport): NeutralReport {
  const problems = problemsOf(report.findings, report.verdict.failOn, ({ line, object }) => ({
    line,
    ...(object === undefined ? {} : { place: object }),
  }));
  const judged = report.files.filter(({ format }) => format !== null).length;
  return {
    tool: report.tool,
    command: 'lint',
    outcome: report.verdict.outcome,
    reason: reasonOf(report),
    coverage: [`${grouped(judged)} of ${counted(report.files.length, 'manifest')} runs or holds a container`],
    files: report.files.map(({ file, size, sha256 }) => ({ path: file, size, sha256: digits(sha256) })),
    problems,
    errors: report.errors.map(({ code, file, message }) => ({ code, file, message })),
    rules: rulesOf(problems),
  };
}
