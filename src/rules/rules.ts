// The table of rules: what a finding can say. Structural rules are critical: the reference loader of the format refuses a file
// that breaks them, or two loaders may read two different models from it. One file of rows per subject.

import type { Rule } from './rule.ts';
import { ADAPTER } from './table/adapter.ts';
import { CANARY } from './table/canary.ts';
import { COMPARE } from './table/compare.ts';
import { CONTAINER } from './table/container.ts';
import { DATA } from './table/data.ts';
import { DISGUISE } from './table/disguise.ts';
import { FORENSICS } from './table/forensics.ts';
import { GGUF } from './table/gguf.ts';
import { GGUF_KEY_VALUES } from './table/gguf-keys.ts';
import { HEADER } from './table/header.ts';
import { METADATA } from './table/metadata.ts';
import { NAME } from './table/name.ts';
import { POLICY } from './table/policy.ts';
import { SERVING } from './table/serving.ts';
import { SHARD } from './table/shard.ts';
import { SOURCE } from './table/source.ts';
import { STATS } from './table/stats.ts';
import { TEMPLATE } from './table/template.ts';
import { TENSOR } from './table/tensor.ts';
import { TOKENIZER } from './table/tokenizer.ts';

export { type Rule, SEVERITIES, type Severity, severitiesFrom } from './rule.ts';

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
  ...TOKENIZER,
  ...ADAPTER,
  ...CONTAINER,
  ...SERVING,
  ...SOURCE,
  ...CANARY,
} as const satisfies Record<string, Rule>;

export type RuleId = keyof typeof TABLE;
export const RULES: ReadonlyMap<RuleId, Rule> = new Map(Object.entries(TABLE) as [RuleId, Rule][]);

/** Rules of `lint`, whose findings have a subject of their own. */
export const isOfManifests = (rule: RuleId): boolean => rule in CONTAINER || rule in SERVING;
