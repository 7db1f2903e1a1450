// What a container may do on its host: the Pod Security Standards and what goes with them.
import type { Container, Workload } from '../container/container.ts';
import { about, type Broken, type Check, objectOf } from './broken.ts';

export const checkSecurity: Check = (workload, context) => [
  ...workload.containers.flatMap((container) => containerFindings(workload, container)),
  ...hostFindings(workload),
  ...tokenFindings(workload, context.tokenless),
];

function containerFindings(workload: Workload, container: Container): Broken[] {
  const mesh = isMesh(container);
  const say = about(workload, container);
  const found = [
    ...userFindings(workload, container),
    ...(workload.windows ? [] : capabilityFindings(workload, container)),
    ...profileFindings(workload, container),
    ...limitFindings(workload, container),
  ];
  if (!mesh) return found;
  const forgiven = new Set(['user/root', 'caps/not-dropped', 'rootfs/writable', 'escalation/allowed']);
  return [
    say('sidecar/mesh', container.at, {
      message: 'its user, capabilities and file system were not checked',
      ...(container.image === null ? {} : { actual: container.image.value }),
    }),
    ...found.filter(({ rule }) => !forgiven.has(rule)),
  ];
}

const MESH =
  /^(?:istio-(?:proxy|init|validation)|linkerd-(?:proxy|init|network-validator)|kuma-(?:sidecar|init))$/;
const MESH_IMAGE = /(?:^|\/)(?:proxyv2|linkerd\/proxy(?:-init)?|kuma-(?:dp|init))(?:[:@]|$)/;

const isMesh = ({ name, image }: Container): boolean =>
  MESH.test(name) && image !== null && MESH_IMAGE.test(image.value);

function userFindings(workload: Workload, container: Container): Broken[] {
  const { user } = container;
  // Images whose tag is a promise about their user: distroless' nonroot.
  const promised = user.value === 'unstated' && /:[\w.-]*nonroot\b/.test(container.image?.value ?? '');
  if (user.value === 'other' || promised) return [];
  const message =
    user.value === 'root'
      ? 'the container runs as root'
      : "no user is set, so the image's own decides: root, most often";
  return [about(workload, container)('user/root', user.at, message)];
}

function capabilityFindings(workload: Workload, container: Container): Broken[] {
  const { security } = container;
  if (security === null) return [];
  const say = about(workload, container);
  const found: Broken[] = security.added.map(({ value, at }) =>
    say('caps/not-dropped', at, {
      message: 'a capability is added',
      expected: 'at most NET_BIND_SERVICE',
      actual: value,
    }),
  );
  if (!security.dropsAll.value)
    found.push(
      say('caps/not-dropped', security.dropsAll.at, 'the capabilities are not all dropped: drop: [ALL]'),
    );
  if (security.escalates.value)
    found.push(say('escalation/allowed', security.escalates.at, 'privilege escalation is not switched off'));
  if (security.seccomp.value !== 'set')
    found.push(
      say(
        'seccomp/unset',
        security.seccomp.at,
        security.seccomp.value === 'unset'
          ? 'no seccomp profile is set'
          : 'the seccomp profile is switched off',
      ),
    );
  return found;
}

function profileFindings(workload: Workload, container: Container): Broken[] {
  const { security, hostPorts } = container;
  const say = about(workload, container);
  const ports = hostPorts.map(({ value, at }) =>
    workload.format === 'compose'
      ? say('port/public', at, { message: 'the port is open on every address of the host', actual: value })
      : say('host/port', at, { message: 'the container opens a port of its node', actual: value }),
  );
  if (security === null) return ports;
  return [
    ...ports,
    ...(security.privileged.value
      ? [say('privileged/container', security.privileged.at, 'the container is privileged')]
      : []),
    ...(security.writableRoot.value
      ? [say('rootfs/writable', security.writableRoot.at, 'the root file system is not read-only')]
      : []),
  ];
}

function limitFindings(workload: Workload, container: Container): Broken[] {
  // An ephemeral container cannot have limits.
  if (container.limits.memory || container.role === 'ephemeral') return [];
  return [about(workload, container)('resources/unlimited', container.at, 'no limit on memory')];
}

const SOCKET =
  /(?:^\/$|\/(?:docker|containerd|crio|podman|cri-dockerd)\.sock$|^\/(?:var\/)?run\/?(?:containerd|crio|podman|docker)?\/?$)/;

const SHARED = { pid: 'host/pid', ipc: 'host/ipc', network: 'host/network' } as const;

function hostFindings(workload: Workload): Broken[] {
  const object = objectOf(workload);
  return [
    ...workload.host.map(
      ({ value, at }): Broken => ({
        rule: SHARED[value],
        at,
        object,
        message: `the host's ${value} is shared`,
      }),
    ),
    ...workload.hostPaths.map(({ value, at }): Broken => {
      const socket = SOCKET.test(value);
      return {
        rule: socket ? 'host/socket' : 'host/path',
        at,
        object,
        message: socket ? "the container engine's socket can be reached" : 'a folder of the host is mounted',
        actual: value,
      };
    }),
    ...(workload.takesGpus === null
      ? []
      : [
          {
            rule: 'resources/unlimited',
            at: workload.takesGpus.at,
            object,
            message: "the pod takes the node's GPUs without a limit such as nvidia.com/gpu: 1",
          } as const,
        ]),
  ];
}

function tokenFindings(
  workload: Workload,
  tokenless: readonly { readonly name: string; readonly namespace: string | null }[],
): Broken[] {
  const { token, account, namespace } = workload;
  if (token === null || token.value === false || speaksToApi(workload)) return [];
  const excused = tokenless.some(
    (one) => one.name === account && (one.namespace ?? namespace) === (namespace ?? one.namespace),
  );
  if (token.value === 'account' && excused) return [];
  return [
    {
      rule: 'token/mounted',
      at: token.at,
      object: objectOf(workload),
      message: 'automountServiceAccountToken is not false',
    },
  ];
}

/** `steelyard drift` reads and patches pods: that is what its token is for. */
const speaksToApi = ({ containers }: Workload): boolean =>
  containers.some(({ commands }) =>
    commands.some((words) => /(?:^|[\s/])steelyard drift\b/.test(words.map(({ value }) => value).join(' '))),
  );
