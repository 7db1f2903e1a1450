// What the model is said to be, relative to its baseline, and what each departure weighs then.

import type { Severity } from '../../rules/rules.ts';
import type { COMPARE } from '../../rules/table/compare.ts';

/**
 * - `exact`: the same artefact; anything else is a finding.
 * - `converted`: the same weights in another dtype or container; statistics must agree within the error of the conversion.
 * - `derived`: a fine-tune; the structure must hold, statistics are reported and judged only where they show damage.
 */
export const MODES = ['exact', 'converted', 'derived'] as const;
export type Mode = (typeof MODES)[number];

export type CompareRule = keyof typeof COMPARE;

export const severityOf = (rule: CompareRule, mode: Mode): Severity =>
  SEVERITIES_BY_MODE[rule][MODES.indexOf(mode)]!;

// In the order in which an engineer wants to read them: what replaces the model, what was slipped in, what changed, what is
// around it. exact, converted, derived.
const SEVERITIES_BY_MODE: Record<CompareRule, readonly [Severity, Severity, Severity]> = {
  'compare/another-model': ['critical', 'critical', 'critical'],
  'compare/low-bits': ['critical', 'critical', 'high'],
  'compare/rows-edited': ['critical', 'critical', 'critical'],
  'compare/rank-one-edit': ['critical', 'critical', 'high'],
  'compare/tensor-swapped': ['critical', 'critical', 'critical'],
  'compare/tensor-added': ['critical', 'critical', 'critical'],
  'compare/tensor-missing': ['critical', 'critical', 'critical'],
  'compare/tensor-reshaped': ['critical', 'critical', 'critical'],
  'compare/tensor-strayed': ['high', 'high', 'high'],
  'compare/tensor-changed': ['critical', 'critical', 'info'],
  'compare/code-changed': ['high', 'high', 'high'],
  'compare/template-changed': ['high', 'high', 'high'],
  'compare/not-finite': ['high', 'high', 'high'],
  'compare/tensor-renamed': ['high', 'high', 'high'],
  'compare/tensor-retyped': ['high', 'info', 'low'],
  'compare/rows-appended': ['high', 'high', 'low'],
  'compare/config-changed': ['high', 'medium', 'medium'],
  'compare/tokenizer-changed': ['high', 'high', 'medium'],
  'compare/metadata-changed': ['high', 'high', 'medium'],
  'compare/file-missing': ['high', 'medium', 'low'],
  'compare/weights-repacked': ['high', 'info', 'info'],
  'compare/isolated-edit': ['medium', 'medium', 'medium'],
  'compare/tensor-damaged': ['medium', 'medium', 'medium'],
  'compare/tensor-shifted': ['low', 'low', 'low'],
  'compare/file-changed': ['high', 'low', 'low'],
  'compare/tensor-moved': ['info', 'info', 'info'],
};

const RANKS: ReadonlyMap<string, number> = new Map(
  Object.keys(SEVERITIES_BY_MODE).map((rule, rank) => [rule, rank]),
);

/** A rule's place in that order. */
export const rankOf = (rule: string): number => RANKS.get(rule)!;
