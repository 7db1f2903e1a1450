// A tensor with its traces, and how a finding names it.
import { type Finding, toFinding } from '../finding.ts';
import type { Stats } from '../measure/stats.ts';
import type { Traces } from '../measure/traces.ts';
import type { RuleId } from '../rules.ts';

export interface Traced {
  readonly file: string;
  readonly name: string;
  readonly dtype: string;
  readonly stats: Stats;
  readonly traces: Traces;
}

export const reported = ({ file, name }: Traced, rule: RuleId, message: string): Finding =>
  toFinding({ rule, file, tensor: name, message });
