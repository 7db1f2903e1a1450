// smokescreen: a CONNECT proxy with a list of names for each role, which refuses private addresses by itself.
import { deeperNames, isWildcard, namesIn, type Renderer, rangesIn, unseenPaths } from './renderer.ts';

export const smokescreen: Renderer = (allow, { name }) => {
  const names = namesIn(allow);
  const hosts = [...new Set(names.map(({ host }) => host))];
  const text = [
    '# smokescreen --egress-acl-file this.yaml; in its configuration allow_missing_role: true, or a role from the client certificate',
    'version: v1',
    'services: []',
    'default:',
    `  project: ${JSON.stringify(name)}`,
    '  action: enforce',
    ...(hosts.length === 0
      ? ['  allowed_domains: []']
      : ['  allowed_domains:', ...hosts.map((host) => `    - ${JSON.stringify(host)}`)]),
  ];
  const internal = names.filter((one) => one.internal && !isWildcard(one)).map(({ host }) => host);
  const weaker = [
    'ports: every port of an allowed name is allowed',
    'a client that ignores the proxy: a NetworkPolicy must let only the proxy out (render networkpolicy)',
    ...(internal.length === 0
      ? []
      : [
          `internal names (${internal.slice(0, 5).join(', ')}): refused until --allow-range names their addresses`,
        ]),
    ...rangesIn(allow).map(({ range }) => `the range ${range}: it cannot be written here`),
    ...deeperNames(allow),
    ...unseenPaths(allow),
  ];
  return { text: `${text.join('\n')}\n`, weaker };
};
