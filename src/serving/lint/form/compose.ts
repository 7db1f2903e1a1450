// A compose file → one workload with a container for each service. Compose has words of its own for everything; defaults are
// Docker's, which sets a seccomp profile and drops some capabilities, but neither root nor the writable file system.

import type { Fact, Place } from '../../yaml/place.ts';
import type { Node } from '../../yaml/yaml.ts';
import {
  type Container,
  commandsOf,
  type Mount,
  type Security,
  split,
  type Workload,
} from '../container/container.ts';

export const isCompose = (document: Node): boolean =>
  document.get('apiVersion') === undefined &&
  (document.get('services')?.entries() ?? []).some(
    ([, service]) => service.get('image') !== undefined || service.get('build') !== undefined,
  );

export function composeWorkload(document: Node): Workload {
  const services = (document.get('services')?.entries() ?? []).filter(([, service]) => service.isMap);
  const first = finishedFirst(services.map(([, service]) => service));
  return {
    format: 'compose',
    kind: 'Compose',
    name: document.get('name')?.text ?? '',
    namespace: null,
    at: document.at,
    labels: new Map(),
    annotations: new Map(),
    containers: services.map(([name, service]) =>
      container(name, service, first.has(name) ? 'init' : 'main'),
    ),
    host: services.flatMap(([, service]) => hostOf(service)),
    hostPaths: services.flatMap(([, service]) => hostPathsOf(service)),
    token: null,
    account: '',
    readinessGates: [],
    takesGpus: null,
    windows: false,
  };
}

/** Services that must have ended well before another one starts: compose's init containers. */
const finishedFirst = (services: readonly Node[]): Set<string> =>
  new Set(
    services.flatMap((service) =>
      (service.get('depends_on')?.entries() ?? [])
        .filter(([, node]) => node.get('condition')?.text === 'service_completed_successfully')
        .map(([name]) => name),
    ),
  );

function container(name: string, service: Node, role: 'main' | 'init'): Container {
  const env = environment(service.get('environment'));
  const entry = wordsOf(service.get('entrypoint'));
  const words = [...entry, ...wordsOf(service.get('command'))];
  const image = factOf(service.get('image'));
  return {
    name,
    role,
    at: service.at,
    // What is built here has no digest yet; its Dockerfile is what can be linted.
    image: service.get('build') === undefined ? image : null,
    commands: words.length === 0 ? [] : commandsOf(words, env),
    replaced: entry.length > 0,
    env,
    mounts: (service.get('volumes')?.items() ?? []).flatMap((node) => mountOf(node) ?? []),
    hostPorts: (service.get('ports')?.items() ?? []).flatMap((node) => publicPort(node) ?? []),
    storage: null,
    limits: {
      memory:
        service.get('mem_limit') !== undefined ||
        service.get('deploy', 'resources', 'limits', 'memory') !== undefined,
      gpu: true,
    },
    user: userOf(service),
    security: securityOf(service),
  };
}

/** `${NAME:-default}` is its default; what has none is not known here. */
function resolved(text: string): string {
  return text.replace(/\$\{(\w+):?-([^{}]*)\}/g, (_, _name, standard: string) => standard);
}

function factOf(node: Node | undefined): Fact<string> | null {
  const fact = node?.fact ?? null;
  return fact === null ? null : { value: resolved(fact.value), at: fact.at };
}

function wordsOf(node: Node | undefined): Fact<string>[] {
  if (node === undefined) return [];
  if (node.isList) return node.items().flatMap((item) => factOf(item) ?? []);
  const fact = factOf(node);
  return fact === null ? [] : split(fact.value, fact.at).flat();
}

function environment(node: Node | undefined): Map<string, Fact<string | null>> {
  if (node?.isMap === true)
    return new Map(
      node.entries().map(([key, value]) => [key, factOf(value) ?? { value: null, at: value.at }]),
    );
  const entries = (node?.items() ?? []).flatMap((item): [string, Fact<string | null>][] => {
    const text = item.text ?? '';
    const equals = text.indexOf('=');
    if (equals < 0) return [[text, { value: null, at: item.at }]];
    return [[text.slice(0, equals), { value: resolved(text.slice(equals + 1)), at: item.at }]];
  });
  return new Map(entries);
}

interface Bind {
  readonly source: string;
  readonly target: string;
  readonly readOnly: boolean;
  readonly isPath: boolean;
}

function bindOf(node: Node): Bind | null {
  const { text } = node;
  if (text === undefined) {
    const source = node.get('source')?.text ?? '';
    const target = node.get('target')?.text ?? '';
    const readOnly = node.get('read_only')?.value === true;
    return { source, target, readOnly, isPath: node.get('type')?.text === 'bind' };
  }
  const [source = '', target, options = ''] = resolved(text).split(':');
  if (target === undefined) return { source: '', target: source, readOnly: false, isPath: false };
  const readOnly = options.split(',').includes('ro');
  return { source, target, readOnly, isPath: /^[./~$]/.test(source) };
}

function mountOf(node: Node): Mount | null {
  const bind = bindOf(node);
  if (bind === null) return null;
  return { path: bind.target, volume: bind.source, readOnly: bind.readOnly, at: node.at };
}

/** A folder of the project is what compose is for; a folder of the system is not. */
const SYSTEM = /^(?:\/|\/(?:etc|proc|sys|dev|root|boot|usr|lib|bin|sbin|var|run|home)(?:\/.*)?|\/.*\.sock)$/;

const hostPathsOf = (service: Node): Fact<string>[] =>
  (service.get('volumes')?.items() ?? []).flatMap((node) => {
    const bind = bindOf(node);
    return bind?.isPath === true && SYSTEM.test(bind.source) ? [{ value: bind.source, at: node.at }] : [];
  });

function hostOf(service: Node): Fact<'pid' | 'ipc' | 'network'>[] {
  const fields = { pid: 'pid', ipc: 'ipc', network_mode: 'network' } as const;
  return Object.entries(fields).flatMap(([field, value]) => {
    const node = service.get(field);
    return node?.text === 'host' ? [{ value, at: node.at }] : [];
  });
}

function publicPort(node: Node): Fact<string> | null {
  if (node.isMap) {
    const published = node.get('published')?.text;
    const address = node.get('host_ip')?.text ?? '0.0.0.0';
    return published === undefined || !isPublic(address) ? null : { value: published, at: node.at };
  }
  const text = resolved(node.text ?? '').replace(/\/(?:tcp|udp)$/, '');
  const address = /^(\[?[0-9a-fA-F.:]*?\]?):(?=[\d-]*:[\d-]+$)/.exec(text)?.[1];
  return address !== undefined && !isPublic(address) ? null : { value: text, at: node.at };
}

const isPublic = (address: string): boolean => /^(?:0\.0\.0\.0|\[?::\]?|)$/.test(address);

function userOf(service: Node): Container['user'] {
  const user = factOf(service.get('user'));
  if (user === null) return { value: 'unstated', at: service.at };
  const name = user.value.split(':')[0]!;
  return {
    value: /^(?:0+|root)$/.test(name) ? 'root' : name.includes('$') ? 'unstated' : 'other',
    at: user.at,
  };
}

function securityOf(service: Node): Security {
  const where: Place = service.at;
  const options = (service.get('security_opt')?.items() ?? []).flatMap((item) => item.fact ?? []);
  const option = (pattern: RegExp): Fact<string> | undefined =>
    options.find(({ value }) => pattern.test(value));
  const drop = service.get('cap_drop');
  const unconfined = option(/^seccomp[:=]unconfined$/);
  const privileged = service.get('privileged');
  const root = service.get('read_only');
  return {
    dropsAll: {
      value: drop?.items().some(({ text }) => text?.toUpperCase() === 'ALL') === true,
      at: drop?.at ?? where,
    },
    added: (service.get('cap_add')?.items() ?? []).flatMap(({ fact }) =>
      fact === null || /^(?:CAP_)?NET_BIND_SERVICE$/i.test(fact.value) ? [] : [fact],
    ),
    escalates: {
      value: option(/^no-new-privileges(?:[:=]true)?$/) === undefined,
      at: service.get('security_opt')?.at ?? where,
    },
    privileged: { value: privileged?.value === true, at: privileged?.at ?? where },
    seccomp: { value: unconfined === undefined ? 'set' : 'unconfined', at: unconfined?.at ?? where },
    writableRoot: { value: root?.value !== true, at: root?.at ?? where },
  };
}
