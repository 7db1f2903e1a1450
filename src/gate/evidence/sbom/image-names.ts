// An SBOM names its image in several places. All that are there must say the same.
import { DIGEST, type Foreign } from '../../claim/foreign.ts';
import { deny, settled } from '../../verdict/denial.ts';
import type { ImageNames } from '../evidence.ts';

export interface Said {
  readonly where: Foreign;
  readonly digests: readonly string[];
  readonly configs: readonly string[];
}

export function agreed({ where, digests, configs }: Said): ImageNames {
  const one = only(where, digests);
  return { digests: one === null ? [] : [one], config: only(where, configs) };
}

function only(where: Foreign, said: readonly string[]): string | null {
  const [first, ...others] = [...new Set(said)];
  if (first === undefined) return null;
  if (others.length > 0) {
    deny('EVIDENCE_CONTRADICTORY', `${where.path} names the image by different digests`, {
      expected: first,
      actual: others[0]!,
    });
  }
  // syft writes `sha256:redacted` where it was told to: that names nothing.
  return DIGEST.test(first) ? first : null;
}

/** An SBOM is bound by digest and need not be dated: a time that cannot be read is none. */
export const timeOf = (field: Foreign): number | null => settled(() => field.time()).value ?? null;
