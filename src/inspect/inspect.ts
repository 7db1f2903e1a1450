// What a profile alone gives away. Pure.
import { type Finding, toFinding } from '../finding.ts';
import type { Profile, TensorProfile } from '../profile/profile.ts';

export function inspect(profile: Profile): Finding[] {
  return profile.tensors.flatMap(notFinite);
}

function notFinite({ name, file, stats }: TensorProfile): Finding[] {
  if (stats === null) return [];
  const place = { file, tensor: name };
  const found: Finding[] = [];
  if (stats.nan > 0) {
    const codes = stats.distinctNaN > 1 ? ` with ${stats.distinctNaN} different codes` : '';
    const message = `${stats.nan} of ${stats.count} elements are NaN${codes}`;
    found.push(toFinding({ rule: 'stats/nan', ...place, message }));
  }
  const inf = stats.posInf + stats.negInf;
  if (inf > 0) {
    const message = `${inf} of ${stats.count} elements are infinite`;
    found.push(toFinding({ rule: 'stats/inf', ...place, message }));
  }
  // Where blocks are decoded, a bad scale shows in its elements; elsewhere it is all there is to see.
  const scales = stats.coverage === 'scales' ? stats.quantized?.scales : null;
  if (scales && scales.nan + scales.inf > 0) {
    const message = `${scales.nan + scales.inf} of ${scales.count} block scales are not finite`;
    found.push(toFinding({ rule: 'stats/nan', ...place, message }));
  }
  return found;
}
