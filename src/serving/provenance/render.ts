// Fragments of proxy configuration that put the headers on every response. None holds a value: a constant in a template goes on
// vouching for whatever runs behind it. The values come from the sidecar, and where it has no answer there is none but `unknown`.
import { SteelyardError } from '../../rules/error.ts';
import { envoy } from './envoy.ts';
import { haproxy } from './haproxy.ts';
import { nginx } from './nginx.ts';
import type { ProxyOptions } from './proxy.ts';

const TARGETS = { nginx, haproxy, envoy } as const;
export type ProxyTarget = keyof typeof TARGETS;
export const PROXY_TARGETS = Object.keys(TARGETS) as readonly ProxyTarget[];

const ADDRESS = /^(?:[A-Za-z0-9][A-Za-z0-9.-]{0,252}|\[[0-9a-f:]{2,45}\]):\d{1,5}$/;
const FILE = /^\/[\w./-]{1,500}$/;

/**
 * @throws SteelyardError USAGE: an address or a path that would end up as configuration of its own.
 */
export function renderProxy(target: ProxyTarget, options: ProxyOptions): string {
  const { listen, upstream, sidecar, map, log } = options;
  for (const one of [upstream, sidecar, listen.includes(':') ? listen : `0.0.0.0:${listen}`]) {
    if (!ADDRESS.test(one)) throw new SteelyardError('USAGE', `not an address as host:port: ${one}`);
  }
  for (const one of [map, log]) {
    if (!FILE.test(one)) throw new SteelyardError('USAGE', `not a plain absolute path: ${one}`);
  }
  return TARGETS[target](options);
}
