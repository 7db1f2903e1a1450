// Istio: the sidecar knows the allowed names and sends nothing elsewhere. A process that goes round the sidecar is not held.
import {
  deeperNames,
  isWildcard,
  labels,
  metadata,
  namesIn,
  type Renderer,
  rangesIn,
  unseenPaths,
} from './renderer.ts';

export const istio: Renderer = (allow, options) => {
  const entries = namesIn(allow).flatMap((one, i) => [
    '---',
    'apiVersion: networking.istio.io/v1',
    'kind: ServiceEntry',
    ...metadata(options, `-egress-${i}`),
    'spec:',
    `  hosts: [${JSON.stringify(one.host)}]`,
    '  location: MESH_EXTERNAL',
    // An address of a name with a wildcard cannot be looked up beforehand.
    `  resolution: ${isWildcard(one) ? 'NONE' : 'DNS'}`,
    `  ports: [{number: ${one.port}, name: ${one.scheme === 'https' ? 'tls' : 'http'}-${one.port}, protocol: ${one.scheme === 'https' ? 'TLS' : 'HTTP'}}]`,
    '  exportTo: ["."]',
  ]);
  const ranges = rangesIn(allow).flatMap(({ range, ports }, i) => [
    '---',
    'apiVersion: networking.istio.io/v1',
    'kind: ServiceEntry',
    ...metadata(options, `-range-${i}`),
    'spec:',
    `  hosts: [${JSON.stringify(`range-${i}.${options.name}.egress`)}]`,
    `  addresses: [${JSON.stringify(range)}]`,
    '  location: MESH_EXTERNAL',
    '  resolution: NONE',
    `  ports: [${ports.map((port) => `{number: ${port}, name: tcp-${port}, protocol: TCP}`).join(', ')}]`,
    '  exportTo: ["."]',
  ]);
  const sidecar = [
    'apiVersion: networking.istio.io/v1',
    'kind: Sidecar',
    ...metadata(options, '-egress'),
    'spec:',
    `  workloadSelector: {labels: ${labels(options.selector)}}`,
    '  outboundTrafficPolicy: {mode: REGISTRY_ONLY}',
    '  egress: [{hosts: ["./*"]}]',
  ];
  const weaker = [
    'a process that goes round the sidecar: add an egress gateway and a NetworkPolicy that lets only it out',
    'other services of this namespace: they stay in the registry',
    ...deeperNames(allow),
    ...unseenPaths(allow),
  ];
  return { text: `${[...sidecar, ...entries, ...ranges].join('\n')}\n`, weaker };
};
