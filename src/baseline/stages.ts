// The stages after measuring. They are loaded together while workers read: a scan starts 20 to 40 ms sooner.

export { sortFailures, sortFindings, toFailure } from '../rules/finding.ts';
export { isUnexamined } from '../scan/identify/kind.ts';
export { inspect } from '../scan/inspect/inspect.ts';
export { oneCause } from '../scan/inspect/one-cause.ts';
export { buildProfile } from '../scan/profile/build.ts';
export { templatesOf } from '../scan/profile/template/collect.ts';
export { loaderChoices } from '../scan/profile/template/loader/loader.ts';
export { judge } from './policy/verdict.ts';
