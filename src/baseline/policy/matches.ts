// What each line of a policy does to a model: for whoever writes the policy.
import type { Profile } from '../../scan/profile/profile.ts';
import { matchTensors } from './pattern/match.ts';
import type { Policy } from './policy.ts';

export interface PolicyCoverage {
  /** In the order of the policy. */
  readonly lines: readonly {
    /** Of the document, from 1. */
    readonly line: number;
    readonly template: string;
    /** Tensors that it matches. */
    readonly count: number;
    readonly example: string | null;
  }[];
  /** Names of tensors that no line matches. */
  readonly unmatched: readonly string[];
}

/** Says which line matches how many tensors, and which tensors none matches. Pure. */
export function policyCoverage(policy: Policy, profile: Profile): PolicyCoverage {
  const { matches, unmatched } = matchTensors(policy, profile);
  return {
    lines: matches.map(({ line, tensors }) => ({
      line: line.line,
      template: line.pattern.text,
      count: tensors.length,
      example: tensors[0]?.name ?? null,
    })),
    unmatched: (policy.tensors.length === 0 ? profile.tensors : unmatched).map(({ name }) => name),
  };
}
