// A model → the profile that its later copies are held against.

import { assertOptions, type Checks, flag, type Path } from './document/options.ts';
import { quoted } from './document/violations.ts';
import { SteelyardError } from './rules/error.ts';
import { MEASURE_CHECKS, type MeasureOptions } from './scan/measure/options.ts';
import { type ProfileDocument, toDocument } from './scan/profile/document/document.ts';
import { scan } from './scan.ts';

export interface ProfileOptions extends MeasureOptions {
  /** false: digests alone. Smaller, but a comparison can then not say how a tensor changed. Default true. */
  readonly stats?: boolean;
  /** Takes a model although there are critical findings about it. Default false. */
  readonly acceptCritical?: boolean;
}

const PROFILE_CHECKS: Checks<ProfileOptions> = { ...MEASURE_CHECKS, stats: flag, acceptCritical: flag };

/**
 * Measures a model and returns its profile: what a baseline is. The same files give the same profile on every machine; it
 * names no host, no absolute path and no time.
 *
 * Throws where {@link scan} would report: half a profile, or one of a malformed model, would be trusted as a baseline.
 *
 * @throws SteelyardError the first error about a file, INVALID_PROFILE if there are critical findings, and all that scan throws.
 * @example
 * const baseline = await profile('models/llama', { rows: true });
 * const report = await scan('incoming/llama', { baseline });
 */
export async function profile(
  paths: Path | readonly Path[],
  options: ProfileOptions = {},
): Promise<ProfileDocument> {
  assertOptions(options, PROFILE_CHECKS);
  const { stats = true, acceptCritical = false, ...measuring } = options;
  const report = await scan(paths, measuring);
  const [failure] = report.errors;
  if (failure !== undefined) {
    const { code, file, message, offset, errno } = failure;
    throw new SteelyardError(code, `no profile of half a model: ${message}`, {
      ...(file === '' ? {} : { file }),
      ...(offset === undefined ? {} : { offset }),
      ...(errno === undefined ? {} : { errno }),
    });
  }
  const critical = report.findings.filter(({ severity }) => severity === 'critical');
  if (critical.length > 0 && !acceptCritical) {
    const { rule, file } = critical[0]!;
    throw new SteelyardError(
      'INVALID_PROFILE',
      `a model with ${critical.length} critical findings is no baseline (${rule} in ${quoted(file)}); ` +
        'see steelyard scan, or accept them with --accept-critical',
    );
  }
  return toDocument(report, { stats });
}
