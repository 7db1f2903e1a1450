// Envoy as a forward proxy: one virtual host for each allowed name and port, CONNECT only, 403 for the rest.
import { deeperNames, namesIn, type Renderer, rangesIn, unseenPaths } from './renderer.ts';

export const envoy: Renderer = (allow, { listen }) => {
  const [address, port] = [
    listen.slice(0, listen.lastIndexOf(':')),
    listen.slice(listen.lastIndexOf(':') + 1),
  ];
  const domains = namesIn(allow).map((one) => JSON.stringify(`${one.host}:${one.port}`));
  const connect = [
    '                - name: allowed',
    `                  domains: [${domains.join(', ')}]`,
    '                  routes:',
    '                    - match: {connect_matcher: {}}',
    '                      route:',
    '                        cluster: by_name',
    '                        upgrade_configs: [{upgrade_type: CONNECT, connect_config: {}}]',
  ];
  const text = [
    'static_resources:',
    '  listeners:',
    '    - name: egress',
    `      address: {socket_address: {address: ${JSON.stringify(address.replace(/^\[|\]$/g, ''))}, port_value: ${port}}}`,
    '      filter_chains:',
    '        - filters:',
    '          - name: envoy.filters.network.http_connection_manager',
    '            typed_config:',
    '              "@type": type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager',
    '              stat_prefix: egress',
    '              upgrade_configs: [{upgrade_type: CONNECT}]',
    '              route_config:',
    '                virtual_hosts:',
    ...(domains.length === 0 ? [] : connect),
    '                - name: denied',
    '                  domains: ["*"]',
    '                  routes:',
    '                    - {match: {connect_matcher: {}}, direct_response: {status: 403}}',
    '                    - {match: {prefix: "/"}, direct_response: {status: 403}}',
    '              http_filters:',
    '                - name: envoy.filters.http.dynamic_forward_proxy',
    '                  typed_config:',
    '                    "@type": type.googleapis.com/envoy.extensions.filters.http.dynamic_forward_proxy.v3.FilterConfig',
    '                    dns_cache_config: {name: names, dns_lookup_family: V4_PREFERRED}',
    '                - name: envoy.filters.http.router',
    '                  typed_config:',
    '                    "@type": type.googleapis.com/envoy.extensions.filters.http.router.v3.Router',
    '  clusters:',
    '    - name: by_name',
    '      lb_policy: CLUSTER_PROVIDED',
    '      cluster_type:',
    '        name: envoy.clusters.dynamic_forward_proxy',
    '        typed_config:',
    '          "@type": type.googleapis.com/envoy.extensions.clusters.dynamic_forward_proxy.v3.ClusterConfig',
    '          dns_cache_config: {name: names, dns_lookup_family: V4_PREFERRED}',
  ];
  const weaker = [
    'a client that ignores the proxy: a NetworkPolicy must let only the proxy out (render networkpolicy)',
    'an allowed public name that resolves to a private address (rebinding)',
    ...namesIn(allow)
      .filter(({ scheme }) => scheme === 'http')
      .map(({ host }) => `plain requests to ${host}: only CONNECT is let through`),
    ...rangesIn(allow).map(({ range }) => `the range ${range}: it is not written here`),
    ...deeperNames(allow),
    ...unseenPaths(allow),
  ];
  return { text: `${text.join('\n')}\n`, weaker };
};
