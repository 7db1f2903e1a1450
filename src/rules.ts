// The table of rules: what a finding can say. Structural rules are critical: the reference loader of the format refuses a file
// that breaks them, or two loaders may read two different models from it. One file of rows per subject.
import { ADAPTER } from './rules/adapter.ts';
import { COMPARE } from './rules/compare.ts';
import { DATA } from './rules/data.ts';
import { DISGUISE } from './rules/disguise.ts';
import { FORENSICS } from './rules/forensics.ts';
import { GGUF } from './rules/gguf.ts';
import { GGUF_KEY_VALUES } from './rules/gguf-keys.ts';
import { HEADER } from './rules/header.ts';
import { METADATA } from './rules/metadata.ts';
import { NAME } from './rules/name.ts';
import { POLICY } from './rules/policy.ts';
import type { Rule } from './rules/rule.ts';
import { SHARD } from './rules/shard.ts';
import { STATS } from './rules/stats.ts';
import { TEMPLATE } from './rules/template.ts';
import { TENSOR } from './rules/tensor.ts';

export { type Rule, SEVERITIES, type Severity } from './rules/rule.ts';

const TABLE = {
  ...DISGUISE,
  ...HEADER,
  ...GGUF,
  ...TENSOR,
  ...DATA,
  ...SHARD,
  ...COMPARE,
  ...POLICY,
  ...GGUF_KEY_VALUES,
  ...NAME,
  ...METADATA,
  ...STATS,
  ...FORENSICS,
  ...TEMPLATE,
  ...ADAPTER,
} as const satisfies Record<string, Rule>;

export type RuleId = keyof typeof TABLE;
export const RULES: ReadonlyMap<RuleId, Rule> = new Map(Object.entries(TABLE) as [RuleId, Rule][]);
