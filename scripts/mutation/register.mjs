// Tests say `import from 'tap'`; while mutants are tried they get the few assertions of tap.mjs, which run inside mocha.
// tap starts a process for every file; in one process that stays, a mutant costs milliseconds.
import { register } from 'node:module';
import { isMainThread } from 'node:worker_threads';

if (isMainThread) register(import.meta.url);

export function resolve(specifier, context, next) {
  if (specifier !== 'tap') return next(specifier, context);
  return { url: new URL('tap.mjs', import.meta.url).href, shortCircuit: true };
}
