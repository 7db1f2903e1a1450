// A pod spec → a workload, wherever the pod spec stood: Deployment, CronJob, KServe, Ray, Argo, or a kind that is made tomorrow.

import type { Fact, Place } from '../../yaml/place.ts';
import type { Node } from '../../yaml/yaml.ts';
import {
  type Container,
  commandsOf,
  type Mount,
  type Security,
  type Workload,
} from '../container/container.ts';

/** A pod spec and what stands around it. */
export interface Found {
  readonly owner: Node;
  readonly spec: Node;
  /** Its template's metadata, else the owner's. */
  readonly metadata: Node | undefined;
}

/** A map is a pod spec where it lists containers, or tells an orchestrator where the model is (KServe's predictor). */
export function isPodSpec(node: Node): boolean {
  const containers = node.get('containers');
  if (containers?.items().some((item) => item.get('name') ?? item.get('image')) === true) return true;
  return node.isMap && modelsIn(node).length > 0;
}

const modelsIn = (spec: Node): Node[] =>
  spec
    .entries()
    .filter(([key]) => key !== 'containers' && key !== 'metadata')
    .map(([, value]) => value)
    .filter(
      (value) =>
        value.get('storageUri')?.text !== undefined ||
        value.get('modelFormat')?.isMap === true ||
        value.get('storage', 'path')?.text !== undefined,
    );

export function podWorkload({ owner, spec, metadata }: Found): Workload {
  const volumes = volumesOf(spec);
  const containers = [
    ...containersOf(spec, 'containers', volumes),
    ...modelsIn(spec).map((node) => container(node, spec, volumes, 'main', 'kserve-container')),
    ...containersOf(spec, 'initContainers', volumes),
    ...containersOf(spec, 'ephemeralContainers', volumes),
  ];
  const own = owner.get('metadata') ?? metadata;
  const automount = spec.get('automountServiceAccountToken');
  return {
    format: 'kubernetes',
    kind: owner.get('kind')?.text ?? 'Pod',
    name: own?.get('name')?.text ?? own?.get('generateName')?.text ?? '',
    namespace: own?.get('namespace')?.text ?? null,
    at: spec.at,
    labels: new Map(textsOf(metadata?.get('labels')).map(([key, { value }]) => [key, value])),
    annotations: new Map([...textsOf(own?.get('annotations')), ...textsOf(metadata?.get('annotations'))]),
    containers,
    host: hostOf(spec),
    hostPaths: [...volumes.values()].flatMap(({ hostPath }) => (hostPath === null ? [] : [hostPath])),
    token: {
      value: automount === undefined ? 'account' : automount.value !== false,
      at: (automount ?? spec).at,
    },
    account: (spec.get('serviceAccountName') ?? spec.get('serviceAccount'))?.text ?? 'default',
    readinessGates: (spec.get('readinessGates')?.items() ?? []).flatMap(
      (gate) => gate.get('conditionType')?.text ?? [],
    ),
    takesGpus: takesGpus(spec, containers),
    windows: spec.get('os', 'name')?.text === 'windows',
  };
}

function hostOf(spec: Node): Fact<'pid' | 'ipc' | 'network'>[] {
  const fields = { hostPID: 'pid', hostIPC: 'ipc', hostNetwork: 'network' } as const;
  return Object.entries(fields).flatMap(([field, value]) => {
    const node = spec.get(field);
    return node?.value === true ? [{ value, at: node.at }] : [];
  });
}

/** The NVIDIA runtime gives a container that asks for none every GPU of the node. */
function takesGpus(spec: Node, containers: readonly Container[]): Fact<boolean> | null {
  if (containers.some(({ limits }) => limits.gpu) || spec.get('resourceClaims') !== undefined) return null;
  const runtime = spec.get('runtimeClassName');
  if (runtime?.text?.startsWith('nvidia') === true) return { value: true, at: runtime.at };
  const visible = containers.map(({ env }) => env.get('NVIDIA_VISIBLE_DEVICES'));
  const all = visible.find((fact) => fact?.value === 'all');
  return all === undefined ? null : { value: true, at: all.at };
}

const textsOf = (node: Node | undefined): [string, Fact<string>][] =>
  (node?.entries() ?? []).flatMap(([key, value]) => {
    const { fact } = value;
    return fact === null ? [] : [[key, fact] as [string, Fact<string>]];
  });

interface Volume {
  readonly readOnly: boolean;
  readonly hostPath: Fact<string> | null;
}

/** Volumes that nobody can write to, whatever a mount says. */
const READ_ONLY = ['configMap', 'secret', 'downwardAPI', 'projected', 'image'];

function volumesOf(spec: Node): Map<string, Volume> {
  const volumes = (spec.get('volumes')?.items() ?? []).map((node): [string, Volume] => {
    const hostPath = node.get('hostPath', 'path')?.fact ?? null;
    const stated = ['persistentVolumeClaim', 'csi', 'nfs', 'cephfs', 'rbd', 'iscsi', 'gcePersistentDisk'];
    const readOnly =
      READ_ONLY.some((kind) => node.get(kind) !== undefined) ||
      stated.some((kind) => node.get(kind, 'readOnly')?.value === true);
    return [node.get('name')?.text ?? '', { readOnly, hostPath }];
  });
  return new Map(volumes);
}

function containersOf(
  spec: Node,
  list: 'containers' | 'initContainers' | 'ephemeralContainers',
  volumes: ReadonlyMap<string, Volume>,
): Container[] {
  const role = { containers: 'main', initContainers: 'init', ephemeralContainers: 'ephemeral' } as const;
  return (spec.get(list)?.items() ?? [])
    .filter((node) => node.isMap)
    .map((node) => {
      const stays = role[list] === 'init' && node.get('restartPolicy')?.text === 'Always';
      return container(node, spec, volumes, stays ? 'sidecar' : role[list]);
    });
}

function container(
  node: Node,
  spec: Node,
  volumes: ReadonlyMap<string, Volume>,
  role: Container['role'],
  called?: string,
): Container {
  const env = environment(node);
  const words = [...wordsOf(node.get('command')), ...wordsOf(node.get('args'))];
  return {
    name: node.get('name')?.text ?? called ?? '',
    role,
    at: node.at,
    image: node.get('image')?.fact ?? null,
    commands: words.length === 0 ? [] : commandsOf(words, env),
    replaced: node.get('command') !== undefined,
    env,
    mounts: (node.get('volumeMounts')?.items() ?? []).map((mount) => mountOf(mount, volumes)),
    hostPorts: (node.get('ports')?.items() ?? []).flatMap((port) => {
      const host = port.get('hostPort')?.fact ?? null;
      return host === null || host.value === '0' ? [] : [host];
    }),
    storage: node.get('storageUri')?.fact ?? null,
    limits: {
      memory: node.get('resources', 'limits', 'memory') !== undefined,
      gpu:
        node.get('resources', 'claims') !== undefined ||
        (node.get('resources', 'limits')?.entries() ?? []).some(([key]) =>
          /\/.*gpu|gpu.*\/|\/mig-/.test(key),
        ),
    },
    user: userOf(node, spec),
    security: securityOf(node, spec),
  };
}

const wordsOf = (node: Node | undefined): Fact<string>[] =>
  (node?.items() ?? []).flatMap((item) => item.fact ?? []);

function environment(node: Node): Map<string, Fact<string | null>> {
  const entries = (node.get('env')?.items() ?? []).map((item): [string, Fact<string | null>] => [
    item.get('name')?.text ?? '',
    { value: item.get('value')?.text ?? null, at: item.at },
  ]);
  return new Map(entries);
}

function mountOf(node: Node, volumes: ReadonlyMap<string, Volume>): Mount {
  const volume = node.get('name')?.text ?? '';
  return {
    path: node.get('mountPath')?.text ?? '',
    volume,
    readOnly: node.get('readOnly')?.value === true || volumes.get(volume)?.readOnly === true,
    at: node.at,
  };
}

/** A container's own word goes before its pod's. */
const setting = (node: Node, spec: Node, ...path: string[]): Node | undefined =>
  node.get('securityContext', ...path) ?? spec.get('securityContext', ...path);

function userOf(node: Node, spec: Node): Container['user'] {
  const uid = setting(node, spec, 'runAsUser');
  const nonRoot = setting(node, spec, 'runAsNonRoot');
  if (uid !== undefined && Number(uid.value) === 0) return { value: 'root', at: uid.at };
  if (nonRoot?.value === true || (uid !== undefined && Number(uid.value) > 0))
    return { value: 'other', at: (nonRoot ?? uid)!.at };
  return { value: 'unstated', at: (nonRoot ?? node).at };
}

function securityOf(node: Node, spec: Node): Security {
  const own = node.get('securityContext');
  const where = own?.at ?? node.at;
  const flag = (name: string): Fact<boolean | undefined> => {
    const found = own?.get(name);
    return { value: found === undefined ? undefined : found.value === true, at: found?.at ?? where };
  };
  const drop = own?.get('capabilities', 'drop');
  const dropsAll = drop?.items().some((item) => item.text?.toUpperCase() === 'ALL') === true;
  const escalation = flag('allowPrivilegeEscalation');
  const root = flag('readOnlyRootFilesystem');
  const privileged = flag('privileged');
  const profile = setting(node, spec, 'seccompProfile', 'type');
  return {
    dropsAll: { value: dropsAll, at: drop?.at ?? where },
    added: (own?.get('capabilities', 'add')?.items() ?? []).flatMap((item) =>
      item.fact === null || item.fact.value === 'NET_BIND_SERVICE' ? [] : [item.fact],
    ),
    escalates: { value: escalation.value !== false, at: escalation.at },
    privileged: { value: privileged.value === true, at: privileged.at },
    seccomp: seccompOf(profile, where),
    writableRoot: { value: root.value !== true, at: root.at },
  };
}

function seccompOf(profile: Node | undefined, where: Place): Security['seccomp'] {
  if (profile === undefined) return { value: 'unset', at: where };
  const set = profile.text === 'RuntimeDefault' || profile.text === 'Localhost';
  return { value: set ? 'set' : 'unconfined', at: profile.at };
}
