// The report as JSON: the same rules as for profiles, so that it diffs well and is as inert on a terminal as the text is.

import type { Failure, Finding, Report, Timing, Verdict } from '../baseline/report.ts';
import { chunked, fields, json, list, union } from '../document/json/chunks.ts';
import type { Waived } from '../rules/finding.ts';
import { SEVERITIES } from '../rules/rules.ts';
import type { LeftOut } from '../scan/model/left-out.ts';
import { profileLines } from '../scan/profile/document/profile-lines.ts';
import type { LoaderChoice } from '../scan/profile/template/loader/loader.ts';

export function renderJson(report: Report): string {
  return [...jsonChunks(report)].join('');
}

/** The same in pieces. */
export const jsonChunks = (report: Report): Generator<string, void, undefined> => chunked(lines(report));

function* lines(report: Report): Generator<string, void, undefined> {
  yield `{\n  "schema": ${json(report.schema)},\n`;
  yield `  "tool": ${json(report.tool, ['name', 'version'])},\n`;
  yield `  "complete": ${json(report.complete)},\n`;
  yield `  "verdict": ${json(report.verdict, VERDICT)},\n`;
  if (report.leftOut !== undefined) {
    yield* list('leftOut', report.leftOut, LEFT_OUT);
    yield ',\n';
  }
  yield* profileLines(report, ['kind', 'state']);
  yield ',\n';
  if (report.loaders !== undefined) {
    yield* list('loaders', report.loaders, LOADER);
    yield ',\n';
  }
  yield* list('findings', report.findings, FINDING);
  yield ',\n';
  yield* list('errors', report.errors, FAILURE);
  if (report.timing !== undefined) yield `,\n  "timing": ${json(report.timing, TIMING)}`;
  yield '\n}\n';
}

const VERDICT = union(fields<Verdict>({ outcome: true, failOn: true, counts: true, unexamined: true }), [
  ...SEVERITIES,
]);

const FINDING = union(
  fields<Finding>({
    rule: true,
    severity: true,
    file: true,
    tensor: true,
    offset: true,
    message: true,
    expected: true,
    actual: true,
    waived: true,
  }),
  fields<Waived>({ reason: true, owner: true, expires: true }),
);

const LEFT_OUT = fields<LeftOut>({ pattern: true, files: true, paths: true });

const LOADER = union(
  fields<LoaderChoice>({ loader: true, request: true, of: true, used: true, rule: true }),
  fields<NonNullable<LoaderChoice['used']>>({ file: true, template: true, digest: true }),
);

const FAILURE = fields<Failure>({ code: true, file: true, offset: true, errno: true, message: true });

const TIMING = union(
  fields<Timing>({ seconds: true, bytesPerSecond: true, threads: true, kernel: true, files: true }),
  ['path'],
);
