// tap for tests that need a peer of test/peers: where it is not installed they are skipped, and say so loudly.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import tap from 'tap';
import { packageRoot } from '../root.ts';

/** For the option `skip` of a test: false, or why it is not run. */
export const without = (peer: string): false | string =>
  existsSync(join(packageRoot, 'test', 'peers', 'node_modules', peer, 'package.json'))
    ? false
    : `NOT RUN: ${peer} is not installed (npm ci --prefix test/peers --omit=optional)`;

const reason = without('node-llama-cpp');

/** tap, every test of which needs the engine. */
export const engineTests: typeof tap =
  reason === false
    ? tap
    : new Proxy(tap, {
        get(target, key) {
          if (key === 'test') return (name: string) => target.test(name, { skip: reason }, () => undefined);
          const value = Reflect.get(target, key) as unknown;
          return typeof value === 'function' ? value.bind(target) : value;
        },
      });
