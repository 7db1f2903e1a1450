// Network policies of Kubernetes and of Cilium → which pods they select and where those may go.

import type { Fact, Place } from '../../yaml/place.ts';
import type { Node } from '../../yaml/yaml.ts';
import type { Workload } from '../container/container.ts';

/** One thing that a policy allows. */
export interface Way {
  readonly to: 'anywhere' | 'range' | 'named';
  /** Of a range: CIDR. */
  readonly range: string | null;
  readonly except: readonly string[];
  /** 'all', or whether they are DNS's alone. */
  readonly ports: 'all' | 'dns' | 'some';
  readonly at: Place;
}

export interface NetworkPolicy {
  readonly name: string;
  readonly namespace: string | null;
  readonly at: Place;
  readonly selects: (workload: Workload) => boolean;
  readonly ways: readonly Way[];
}

/** The policy in a document; null where it is none, or says nothing about egress. */
export function networkPolicy(document: Node): NetworkPolicy | null {
  const kind = document.get('kind')?.text;
  const group = document.get('apiVersion')?.text?.split('/')[0];
  const cilium = group === 'cilium.io' && /^Cilium(?:Clusterwide)?NetworkPolicy$/.test(kind ?? '');
  if (!cilium && !(kind === 'NetworkPolicy' && group === 'networking.k8s.io')) return null;
  const spec = document.get('spec');
  if (spec === undefined || !restricts(spec, cilium)) return null;
  const namespace = document.get('metadata', 'namespace')?.text ?? null;
  const selector = spec.get(cilium ? 'endpointSelector' : 'podSelector');
  const wide = kind === 'CiliumClusterwideNetworkPolicy';
  const rules = spec.get('egress')?.items() ?? [];
  return {
    name: document.get('metadata', 'name')?.text ?? '',
    namespace,
    at: document.at,
    selects: (workload) =>
      // Without a namespace in both it is the current one, where one command applies both.
      (wide || namespace === workload.namespace || namespace === null || workload.namespace === null) &&
      matches(selector, workload.labels),
    ways: rules.flatMap(cilium ? ciliumWays : ways),
  };
}

/** `egress: []` denies everything; without the word, Kubernetes restricts ingress only. */
function restricts(spec: Node, cilium: boolean): boolean {
  if (cilium) return spec.get('egress') !== undefined || spec.get('egressDeny') !== undefined;
  const types = spec.get('policyTypes')?.items() ?? [];
  return types.length === 0 ? spec.get('egress') !== undefined : types.some(({ text }) => text === 'Egress');
}

function matches(selector: Node | undefined, labels: ReadonlyMap<string, string>): boolean {
  const wanted = selector?.get('matchLabels')?.entries() ?? [];
  const expressions = selector?.get('matchExpressions')?.items() ?? [];
  const bare = (key: string): string => key.replace(/^(?:any|k8s):/, '');
  return (
    wanted.every(([key, value]) => labels.get(bare(key)) === value.text) &&
    expressions.every((expression) => {
      const key = bare(expression.get('key')?.text ?? '');
      const values = (expression.get('values')?.items() ?? []).map(({ text }) => text);
      const found = labels.get(key);
      const operator = expression.get('operator')?.text;
      if (operator === 'In') return found !== undefined && values.includes(found);
      if (operator === 'NotIn') return found === undefined || !values.includes(found);
      if (operator === 'Exists') return found !== undefined;
      return operator === 'DoesNotExist' && found === undefined;
    })
  );
}

function ways(rule: Node): Way[] {
  const ports = portsOf(rule.get('ports')?.items() ?? []);
  const to = rule.get('to')?.items() ?? [];
  const common = { range: null, except: [], ports } as const;
  if (to.length === 0) return [{ ...common, to: 'anywhere', at: rule.at }];
  return to.map((peer): Way => {
    const block = peer.get('ipBlock');
    const range = block?.get('cidr')?.text;
    if (block === undefined || range === undefined) return { ...common, to: 'named', at: peer.at };
    const except = textsIn(block.get('except'));
    return { to: 'range', range, except, ports, at: block.at };
  });
}

const textsIn = (node: Node | undefined): string[] => (node?.items() ?? []).flatMap(({ text }) => text ?? []);

function portsOf(ports: readonly Node[]): Way['ports'] {
  if (ports.length === 0) return 'all';
  return ports.every((port) => port.get('port')?.text === '53' && port.get('endPort') === undefined)
    ? 'dns'
    : 'some';
}

const WORLD = new Set(['all', 'world', 'world-ipv4', 'world-ipv6']);

function ciliumWays(rule: Node): Way[] {
  const ports = portsOf(
    (rule.get('toPorts')?.items() ?? []).flatMap((one) => one.get('ports')?.items() ?? []),
  );
  const common = { range: null, except: [], ports } as const;
  const ranges = (rule.get('toCIDR')?.items() ?? []).map(
    (node): Way => ({ ...common, to: 'range', range: node.text ?? '', at: node.at }),
  );
  const sets = (rule.get('toCIDRSet')?.items() ?? []).map(
    (node): Way => ({
      ...common,
      to: 'range',
      range: node.get('cidr')?.text ?? '',
      except: textsIn(node.get('except')),
      at: node.at,
    }),
  );
  const entities = (rule.get('toEntities')?.items() ?? [])
    .filter(({ text }) => WORLD.has(text ?? ''))
    .map(({ at }): Way => ({ ...common, to: 'anywhere', at }));
  const names = (rule.get('toFQDNs')?.items() ?? [])
    .filter((node) => /^\*+$/.test(node.get('matchPattern')?.text ?? ''))
    .map(({ at }): Way => ({ ...common, to: 'anywhere', at }));
  // Ports without a destination are ports of every destination.
  const bare = rule.isMap && rule.entries().every(([key]) => key === 'toPorts') && rule.entries().length > 0;
  return [...ranges, ...sets, ...entities, ...names, ...(bare ? [anywhere(rule.at, ports)] : [])];
}

const anywhere = (at: Fact<unknown>['at'], ports: Way['ports']): Way => ({
  to: 'anywhere',
  range: null,
  except: [],
  ports,
  at,
});
