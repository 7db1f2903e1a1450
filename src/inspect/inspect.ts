// What single files give away: their headers, and the statistics of their tensors. Pure.
import { type Finding, toFinding } from '../finding.ts';
import type { MeasuredFile } from '../measure/measure.ts';
import type { Profile } from '../profile/profile.ts';
import { inspectHeader } from './header.ts';
import { inspectValues } from './values.ts';

export function inspect(profile: Profile, files: readonly MeasuredFile[]): Finding[] {
  const headers = files.flatMap(({ entry, layout }) =>
    layout === null
      ? []
      : inspectHeader(layout).map((violation) => toFinding({ ...violation, file: entry.path })),
  );
  return [...headers, ...inspectValues(profile)];
}
