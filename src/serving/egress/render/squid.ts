// Squid: a forward proxy that allows CONNECT to names and ports, and looks names up itself. What is not listed is refused before any
// look-up, so that a name that is asked for carries nothing out.
import type { NameDestination } from '../destination.ts';
import { byPort, isWildcard, namesIn, type Renderer, rangesIn, unseenPaths } from './renderer.ts';

const HEAD = [
  'cache deny all',
  'via off',
  'forwarded_for delete',
  'pinger_enable off',
  'shutdown_lifetime 1 second',
  'connect_timeout 5 seconds',
];

const PRIVATE = [
  '0.0.0.0/8 127.0.0.0/8 10.0.0.0/8 100.64.0.0/10 169.254.0.0/16 172.16.0.0/12 192.168.0.0/16',
  // An IPv4 address in an IPv6 one is an IPv4 address to Squid.
  '::1 fc00::/7 fe80::/10',
];

export const squid: Renderer = (allow, { listen }) => {
  const names = namesIn(allow);
  const groups = [...byPort(names)];
  const acls = groups.flatMap(([port, list]) => [
    `acl port_${port} port ${port}`,
    ...aclsOf(`names_${port}`, list),
    ...aclsOf(
      `internal_${port}`,
      list.filter(({ internal }) => internal),
    ),
    ...aclsOf(
      `plain_${port}`,
      list.filter(({ scheme }) => scheme === 'http'),
    ),
  ]);
  const rules = groups.flatMap(([port, list]) => groupRules(port, list));
  const ranges = rangesIn(allow);
  const rangeAcls = ranges.flatMap(({ range, ports }, i) => [
    `acl range_${i} dst ${range}`,
    `acl range_ports_${i} port ${ports.join(' ')}`,
  ]);
  const text = [
    `http_port ${listen}`,
    ...HEAD,
    '# An address instead of a name, in any spelling.',
    'acl literal dstdom_regex -n -i ^[0-9.]+$ ^0x[0-9a-f.x]+$ ^\\[ :',
    ...PRIVATE.map((range) => `acl private dst ${range}`),
    ...acls,
    ...rangeAcls,
    ...ranges.map((_, i) => `http_access allow CONNECT literal range_${i} range_ports_${i}`),
    'http_access deny literal',
    ...rules,
    'http_access deny all',
  ];
  return { text: `${text.join('\n')}\n`, weaker: [...HOLES, ...unseenPaths(allow)] };
};

const HOLES = [
  'a client that ignores the proxy: a NetworkPolicy must let only the proxy out (render networkpolicy)',
  'a TLS session for a different name than CONNECT asked for, on the same address',
];

/** No leading dot: names below an allowed one stay out. */
function aclsOf(name: string, list: readonly NameDestination[]): string[] {
  const plain = list.filter((one) => !isWildcard(one)).map(({ host }) => host);
  const wild = list
    .filter(isWildcard)
    .map(({ host }) => `^[^.]+${host.slice(1).replaceAll('.', '\\.')}\\.?$`);
  return [
    ...plain.map((host) => `acl ${name} dstdomain -n ${host}`),
    ...wild.map((pattern) => `acl ${name}_wild dstdom_regex -n -i ${pattern}`),
  ];
}

/** A public name that resolves to an address inside is an attack (rebinding); an internal one is expected to. */
function groupRules(port: number, list: readonly NameDestination[]): string[] {
  const kinds = [
    { suffix: '', list: list.filter((one) => !isWildcard(one)) },
    { suffix: '_wild', list: list.filter(isWildcard) },
  ].filter((kind) => kind.list.length > 0);
  return kinds.flatMap(({ suffix, list: own }) => {
    const internal = own.some((one) => one.internal);
    const plain = own.some(({ scheme }) => scheme === 'http');
    return [
      ...(internal ? [`http_access allow CONNECT port_${port} internal_${port}${suffix}`] : []),
      `http_access allow CONNECT port_${port} names_${port}${suffix} !private`,
      ...(plain && internal
        ? [`http_access allow port_${port} plain_${port}${suffix} internal_${port}${suffix}`]
        : []),
      ...(plain ? [`http_access allow port_${port} plain_${port}${suffix} !private`] : []),
    ];
  });
}
