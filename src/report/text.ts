// The report for people: what was looked at, what was found, what stands out, and last what that means. Pure: the same
// report gives the same text on every terminal.

import type { Report } from '../baseline/report.ts';
import { type Paint, painter, wrapped } from '../document/text/frame.ts';
import { inert } from '../document/text/inert.ts';
import { bytes, counted, duration, grouped } from '../document/text/quantity.ts';
import { SEVERITIES } from '../rules/rules.ts';
import { examinationOf } from '../scan/identify/examination.ts';
import { kindWords } from '../scan/identify/kind.ts';
import { fileLines } from './files.ts';
import { errorLines, findingLines } from './findings.ts';
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
  return [...coverage(report), verdict(report, paint)];
}

function coverage({ files, tensors, errors, complete, timing }: Report): string[] {
  // A file can be listed and yet have failed later; a failure need not be about a file.
  const failed = new Set(errors.map((error) => error.file).filter((file) => file !== ''));
  const read = files.filter((file) => !failed.has(file.path));
  const total = new Set([...files.map((file) => file.path), ...failed]).size;
  const size = bytes(read.reduce((sum, file) => sum + file.size, 0));
  const measured = tensors.filter((tensor) => tensor.stats !== null).length;
  const [first, ...more] = looked(read, total);
  const parts = [
    ...(more.length === 0 ? [first!] : []),
    // The size of a file that could not be read is not known, so there is no total to compare with.
    read.length === total && complete ? `${size.split(' ')[0]}/${size}` : `${size} read in full`,
    measured === tensors.length
      ? `${counted(measured, 'tensor')} measured`
      : `${grouped(measured)}/${counted(tensors.length, 'tensor')} measured`,
  ];
  if (timing !== undefined) parts.push(duration(timing.seconds));
  if (!complete) parts.push('NOT COMPLETE');
  return [...(more.length === 0 ? [] : [first!, ...more]), ...wrapped(parts, ', ', '')];
}

/** Files that are named at the end. */
const NAMED = 5;

/** What was only hashed must never read like what was looked into: a line, and one for each of the first files that can run. */
function looked(files: Report['files'], total: number): string[] {
  const { examined, running } = examinationOf(files);
  const count = `${grouped(examined)} of ${counted(total, 'file')} examined`;
  const hashed = files.length - examined;
  if (running.length === 0) return [hashed === 0 ? count : `${count}; ${grouped(hashed)} only hashed`];
  const named = running
    .slice(0, NAMED)
    .map(({ path, kind = 'unknown' }) => `  ${inert(path)} (${kindWords(kind)})`);
  const more = running.length > NAMED ? [`  and ${grouped(running.length - NAMED)} more`] : [];
  return [
    `${count}; ${grouped(hashed)} only hashed, ${grouped(running.length)} of them can run code:`,
    ...named,
    ...more,
  ];
}

function verdict({ verdict: { outcome, failOn, counts }, errors }: Report, paint: Paint): string {
  const word = paint(outcome === 'pass' ? 'good' : 'bad', outcome.toUpperCase());
  return `${word}  ${reason()}   ${MEANING[outcome]}`;

  function reason(): string {
    const failed = `${counted(errors.length, 'error')}, not everything was looked at`;
    if (outcome === 'error') return errors.length === 0 ? 'not everything was looked at' : failed;
    const threshold =
      failOn === 'none' ? 'no finding can fail (fail-on none)' : `no finding at or above ${failOn}`;
    if (outcome === 'pass' || failOn === 'none') return threshold;
    const hits = SEVERITIES.slice(SEVERITIES.indexOf(failOn)).reduce(
      (sum, severity) => sum + counts[severity],
      0,
    );
    return `${counted(hits, 'finding')} at or above ${failOn}${errors.length > 0 ? `, and ${failed}` : ''}`;
  }
}

const MEANING = {
  pass: 'exit 0: pass',
  fail: 'exit 1: fail',
  error: 'exit 2: no verdict',
} as const;
