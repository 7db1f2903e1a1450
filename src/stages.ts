// The stages after measuring. They are loaded together while workers read, which spares a scan a third of its start.
export { compare, withoutFiles } from './compare/compare.ts';
export { sortFailures, sortFindings, toFailure, toFinding } from './finding.ts';
export { inspectAdapters } from './inspect/adapter/adapters.ts';
export { inspectForensics } from './inspect/forensics.ts';
export { inspect } from './inspect/inspect.ts';
export { inspectShards } from './inspect/shards.ts';
export { inspectTemplates } from './inspect/template/templates.ts';
export { judge } from './policy/verdict.ts';
export { buildProfile } from './profile/build.ts';
