// A tensor with its traces, and how a finding names it.
import { type Finding, toFinding } from '../../../rules/finding.ts';
import type { RuleId } from '../../../rules/rules.ts';
import type { Stats } from '../../measure/record/stats.ts';
import type { Traces } from '../../measure/record/traces.ts';

export interface Traced {
  readonly file: string;
  readonly name: string;
  readonly dtype: string;
  readonly stats: Stats;
  readonly traces: Traces;
}

export const reported = ({ file, name }: Traced, rule: RuleId, message: string): Finding =>
  toFinding({ rule, file, tensor: name, message });
