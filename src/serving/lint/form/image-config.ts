// An image by itself, from its Dockerfile or from its OCI configuration: it says what starts, and nothing of how it is held.

import type { Fact } from '../../yaml/place.ts';
import type { Node } from '../../yaml/yaml.ts';
import { type Container, commandsOf, type Workload } from '../container/container.ts';
import { type Build, NO_BUILD } from './build-steps.ts';

export function imageWorkload(
  format: 'dockerfile' | 'oci',
  name: string,
  container: Omit<Container, 'limits'>,
): Workload {
  return {
    format,
    kind: format === 'oci' ? 'Image' : 'Dockerfile',
    name,
    namespace: null,
    at: container.at,
    labels: new Map(),
    annotations: new Map(),
    containers: [{ ...container, limits: { memory: true, gpu: true } }],
    host: [],
    hostPaths: [],
    token: null,
    account: '',
    readinessGates: [],
    takesGpus: null,
    windows: false,
  };
}

/** An OCI image configuration, or Docker's, which has the same fields. */
export const isImageConfig = (document: Node): boolean =>
  document.get('rootfs', 'diff_ids')?.isList === true && document.get('architecture') !== undefined;

export function readImageConfig(document: Node, file: string): { workload: Workload; build: Build } {
  const config = document.get('config');
  const env = new Map<string, Fact<string | null>>();
  const values: { name: string; value: string; at: Fact<string>['at'] }[] = [];
  for (const item of config?.get('Env')?.items() ?? []) {
    const text = item.text ?? '';
    const name = text.split('=', 1)[0]!;
    const value = text.slice(name.length + 1);
    env.set(name, { value, at: item.at });
    values.push({ name, value, at: item.at });
  }
  const list = (key: string): Fact<string>[] =>
    (config?.get(key)?.items() ?? []).flatMap(({ fact }) => fact ?? []);
  const words = [...list('Entrypoint'), ...list('Cmd')];
  const user = config?.get('User');
  const name = (user?.text ?? '').split(':')[0]!;
  const where = (config ?? document).at;
  const workload = imageWorkload('oci', file, {
    name: '',
    role: 'main',
    at: where,
    image: null,
    commands: words.length === 0 ? [] : commandsOf(words, env),
    replaced: words.length > 0,
    env,
    mounts: [],
    hostPorts: [],
    storage: null,
    user: {
      value: name === '' ? 'unstated' : /^(?:0+|root)$/.test(name) ? 'root' : 'other',
      at: user?.at ?? where,
    },
    security: null,
  });
  return { workload, build: { ...NO_BUILD, values, scripts: scriptsOf(document) } };
}

/** The history of an image has the commands of its build. */
const scriptsOf = (document: Node): Fact<string>[] =>
  (document.get('history')?.items() ?? []).flatMap((entry) => {
    const fact = entry.get('created_by')?.fact ?? null;
    const run = fact === null ? null : /^(?:RUN |\/bin\/sh -c (?!#\(nop\)))([\s\S]*)$/.exec(fact.value);
    return fact === null || run === null ? [] : [{ value: run[1]!, at: fact.at }];
  });
