// `steelyard/policy`: what importers see of policies.
export { parsePolicy } from './document/parse-policy.ts';
export type { Dimension } from './document/shape.ts';
export { draftPolicy } from './draft.ts';
export { type PolicyCoverage, policyCoverage } from './matches.ts';
export type { Pattern, Range, Segment } from './pattern/pattern.ts';
export type { FailOn, Limits, MetadataLine, Policy, TensorLine, Waiver } from './policy.ts';
export { type Judgement, type JudgeOptions, judge, type Verdict } from './verdict.ts';
