// The spine: paths in, report out, every stage in order.
import { SteelyardError } from './error.ts';
import { sortFailures, sortFindings, toFailure, toFinding } from './finding.ts';
import { inspect } from './inspect/inspect.ts';
import { type MeasureOptions, measureFiles, threadsOf } from './measure/measure.ts';
import { listModel } from './model/model.ts';
import { VERSION } from './package.ts';
import { type FailOn, judge } from './policy/verdict.ts';
import { buildProfile } from './profile/build.ts';
import type { Report } from './report/report.ts';

export interface ScanOptions extends MeasureOptions {
  /** The lowest severity that fails the verdict; default 'high'. */
  readonly failOn?: FailOn;
  /** Adds wall-clock figures to the report; everything else is the same from run to run. */
  readonly timing?: boolean;
}

/**
 * Scans a model: weight files, folders, or a shard index. Bad content never throws, it becomes findings; a file that cannot
 * be read becomes an error in the report, and the verdict is then never a pass.
 *
 * @throws SteelyardError USAGE, NOT_FOUND, NATIVE_UNAVAILABLE, ABORTED, INTERNAL: when there is no report to put it in.
 */
export async function scan(paths: string | readonly string[], options: ScanOptions = {}): Promise<Report> {
  const begun = performance.now();
  const model = listModel(typeof paths === 'string' ? [paths] : paths);
  const measured = await measureFiles(model.files, options);
  const profile = buildProfile(measured.files);
  const findings = sortFindings([
    ...model.violations.map(toFinding),
    ...measured.files.flatMap(({ entry, violations }) =>
      violations.map((v) => toFinding({ ...v, file: entry.path })),
    ),
    ...inspect(profile),
  ]);
  const errors = sortFailures([...model.unscannable, ...measured.errors].map(toFailure));
  if (errors.length === 0 && profile.files.every(({ format }) => format === null)) {
    throw new SteelyardError(
      'NOT_FOUND',
      'nothing to scan: no safetensors or GGUF file among the files named',
    );
  }
  return {
    schema: 'steelyard/report/1',
    tool: { name: 'steelyard', version: VERSION },
    complete: errors.length === 0,
    verdict: judge(findings, errors, options.failOn ?? 'high'),
    ...profile,
    findings,
    errors,
    ...(options.timing ? { timing: timingOf() } : {}),
  };

  function timingOf() {
    const seconds = (performance.now() - begun) / 1000;
    const bytes = measured.files.reduce((sum, { size }) => sum + size, 0);
    return {
      seconds,
      bytesPerSecond: bytes / seconds,
      threads: threadsOf(options),
      kernel: measured.files[0]?.kernel ?? 'none',
      files: measured.files.map((file) => ({ path: file.entry.path, seconds: file.seconds })),
    };
  }
}
