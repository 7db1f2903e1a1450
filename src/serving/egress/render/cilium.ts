// CiliumNetworkPolicy: names as the addresses that its DNS proxy saw for them. That is weaker than a name.
import {
  byPort,
  isWildcard,
  labels,
  metadata,
  namesIn,
  type Renderer,
  rangesIn,
  unseenPaths,
} from './renderer.ts';

export const cilium: Renderer = (allow, options) => {
  const names = namesIn(allow);
  const selectors = (list: typeof names): string =>
    list
      .map((one) => `{${isWildcard(one) ? 'matchPattern' : 'matchName'}: ${JSON.stringify(one.host)}}`)
      .join(', ');
  const distinct = names.filter(({ host }, i) => names.findIndex((other) => other.host === host) === i);
  const dns = [
    '    # Only these names are answered: a query is a way out, too.',
    '    - toEndpoints: [{matchLabels: {"k8s:io.kubernetes.pod.namespace": kube-system, "k8s:k8s-app": kube-dns}}]',
    '      toPorts:',
    '        - ports: [{port: "53", protocol: ANY}]',
    `          rules: {dns: [${selectors(distinct)}]}`,
  ];
  const named = [...byPort(names)].flatMap(([port, list]) => [
    `    - toFQDNs: [${selectors(list)}]`,
    `      toPorts: [{ports: [{port: "${port}", protocol: TCP}]}]`,
  ]);
  const ranges = rangesIn(allow).flatMap(({ range, ports }) => [
    `    - toCIDR: [${JSON.stringify(range)}]`,
    `      toPorts: [{ports: [${ports.map((port) => `{port: "${port}", protocol: TCP}`).join(', ')}]}]`,
  ]);
  const rules = [...(names.length === 0 ? [] : dns), ...named, ...ranges];
  const text = [
    'apiVersion: cilium.io/v2',
    'kind: CiliumNetworkPolicy',
    ...metadata(options, '-egress'),
    'spec:',
    `  endpointSelector: {matchLabels: ${labels(options.selector)}}`,
    // An empty list selects nothing and denies everything; the field without rules would not.
    ...(rules.length === 0 ? ['  egress: [{}]'] : ['  egress:', ...rules]),
  ];
  const weaker =
    names.length === 0
      ? []
      : [
          'a different name behind the same address: it is reached once an allowed name has resolved to it (cilium/cilium#31803)',
          'a name with very many addresses: some may be missing, and connections fail (cilium/cilium#28427)',
        ];
  return { text: `${text.join('\n')}\n`, weaker: [...weaker, ...unseenPaths(allow)] };
};
