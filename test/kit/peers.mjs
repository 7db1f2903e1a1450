// `node --import ./test/kit/peers.mjs`: optional peers and engines are found in test/peers, where tests alone install them.
import { existsSync } from 'node:fs';
import { register } from 'node:module';
import { isMainThread } from 'node:worker_threads';

const home = new URL('../peers/', import.meta.url);

if (isMainThread) register(import.meta.url);

export function resolve(specifier, context, next) {
  const name = /^(@[^/]+\/[^/]+|[^@./][^/:]*)/.exec(specifier)?.[0];
  const inside = context.parentURL?.includes('/node_modules/');
  if (name === undefined || inside || !existsSync(new URL(`node_modules/${name}/package.json`, home))) {
    return next(specifier, context);
  }
  return next(specifier, { ...context, parentURL: new URL('package.json', home).href });
}
