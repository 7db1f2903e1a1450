// The stages after measuring. They are loaded together while workers read, which spares a scan a third of its start.
export { compare, withoutFiles } from './compare/compare.ts';
export { sortFailures, toFailure } from './finding.ts';
export { inspect } from './inspect/inspect.ts';
export { judge } from './policy/verdict.ts';
export { buildProfile } from './profile/build.ts';
