// Targets that are pods of one namespace, through the API server.
import type { Client } from '../look/client.ts';
import type { Rotation } from '../round.ts';
import type { Target } from '../target.ts';
import { type Cluster, podApi } from './api.ts';
import { type PodOptions, targetOf } from './pods.ts';
import { rotationThrough } from './rotation.ts';

export { kubeconfig, serviceAccount } from './account.ts';
export type { Cluster } from './api.ts';
export type { PodOptions } from './pods.ts';

interface Pods {
  targets(): Promise<readonly Target[]>;
  readonly rotation: Rotation;
}

/** @param client with the cluster's `tls`. */
export function podsOf(
  cluster: Cluster,
  client: Client,
  { namespace, selector }: { readonly namespace: string; readonly selector: string },
  options: PodOptions,
): Pods {
  const api = podApi(cluster, client);
  return {
    targets: async () => {
      const items = await api.list(namespace, selector);
      return items.map((item) => targetOf(item, options)).filter((target) => target !== null);
    },
    rotation: rotationThrough(api),
  };
}
