// `node --import ./test/kit/peers.mjs`: optional peers and engines are found in test/peers, where tests alone install them.
import { existsSync } from 'node:fs';
import { register } from 'node:module';
import { isMainThread } from 'node:worker_threads';

const home = new URL('../peers/', import.meta.url);
const own = new URL('../../', import.meta.url);
const has = (place, name) => existsSync(new URL(`node_modules/${name}/package.json`, place));

if (isMainThread) register(import.meta.url);

export function resolve(specifier, context, next) {
  const name = /^(@[^/]+\/[^/]+|[^@./][^/:]*)/.exec(specifier)?.[0];
  const inside = context.parentURL?.includes('/node_modules/');
  // What steelyard brings itself is never a peer's: theirs may be of another version.
  if (name === undefined || inside || has(own, name) || !has(home, name)) {
    return next(specifier, context);
  }
  return next(specifier, { ...context, parentURL: new URL('package.json', home).href });
}
