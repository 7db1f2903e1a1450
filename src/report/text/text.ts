// The report for people: what was looked at, what was found, what stands out, and last what that means. Pure: the same
// report gives the same text on every terminal.

import type { Report } from '../../baseline/report.ts';
import { type Paint, painter } from '../../document/text/frame.ts';
import { coverage, reasonOf } from './closing.ts';
import { fileLines } from './files.ts';
import { errorLines, findingLines } from './findings.ts';
import { loaderLines } from './loaders.ts';
import { magnitudeLines } from './magnitudes.ts';
import { coverageLines, largestLines, oddestLines } from './tensor-list.ts';

export interface TextOptions {
  /** ANSI colour; the caller knows the terminal. */
  readonly colour?: boolean;
  /** Only findings at or above low, errors and the closing lines. */
  readonly quiet?: boolean;
}

export function renderText(report: Report, options: TextOptions = {}): string {
  const paint = painter(options.colour ?? false);
  const sections = options.quiet ? quietSections(report, paint) : fullSections(report, paint);
  return [...sections, closingLines(report, paint)]
    .filter((lines) => lines.length > 0)
    .map((lines) => `${lines.join('\n')}\n`)
    .join('\n');
}

function fullSections(report: Report, paint: Paint): string[][] {
  return [
    fileLines(report, paint),
    loaderLines(report),
    findingLines(report.findings, paint),
    errorLines(report.errors, paint),
    largestLines(report.tensors),
    oddestLines(report.tensors, paint),
    magnitudeLines(report.tensors),
    coverageLines(report.tensors),
  ];
}

function quietSections(report: Report, paint: Paint): string[][] {
  const findings = report.findings.filter((finding) => finding.severity !== 'info');
  return [findings.length === 0 ? [] : findingLines(findings, paint), errorLines(report.errors, paint)];
}

/** How much was looked at, and the verdict. "Could not look" must never read like a pass. */
function closingLines(report: Report, paint: Paint): string[] {
  const { outcome } = report.verdict;
  const word = paint(outcome === 'pass' ? 'good' : 'bad', outcome.toUpperCase());
  return [...coverage(report), `${word}  ${reasonOf(report)}   ${MEANING[outcome]}`];
}

const MEANING = {
  pass: 'exit 0: pass',
  fail: 'exit 1: fail',
  error: 'exit 2: no verdict',
} as const;
