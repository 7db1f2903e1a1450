// Kubernetes NetworkPolicy: it knows addresses, pods and ports, and no names. Names go through a proxy, and the pod reaches that alone.
import { labels, metadata, namesIn, type Renderer, rangesIn } from './renderer.ts';

export const networkPolicy: Renderer = (allow, options) => {
  const names = namesIn(allow);
  const ranges = rangesIn(allow).flatMap(({ range, ports }) => [
    `    - to: [{ipBlock: {cidr: ${JSON.stringify(range)}}}]`,
    `      ports: [${ports.map((port) => `{protocol: TCP, port: ${port}}`).join(', ')}]`,
  ]);
  const proxy = [
    '    # Names are enforced by the proxy; without it they cannot be reached.',
    `    - to: [{podSelector: {matchLabels: ${labels(options.proxy.selector)}}}]`,
    `      ports: [{protocol: TCP, port: ${options.proxy.port}}]`,
    '    - to: [{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: kube-system}}, podSelector: {matchLabels: {k8s-app: kube-dns}}}]',
    '      ports: [{protocol: UDP, port: 53}, {protocol: TCP, port: 53}]',
  ];
  const rules = [...(names.length === 0 ? [] : proxy), ...ranges];
  const text = [
    'apiVersion: networking.k8s.io/v1',
    'kind: NetworkPolicy',
    ...metadata(options, '-egress'),
    'spec:',
    `  podSelector: {matchLabels: ${labels(options.selector)}}`,
    '  policyTypes: [Egress]',
    ...(rules.length === 0 ? ['  egress: []'] : ['  egress:', ...rules]),
  ];
  const unseen = names.map(
    ({ host, port }) => `the name ${host}:${port}: the proxy must enforce it (render squid)`,
  );
  return { text: `${text.join('\n')}\n`, weaker: unseen };
};
