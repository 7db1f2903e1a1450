// What a container is, whatever it was written in: Kubernetes, compose, a Dockerfile and an image configuration all become this,
// so that every rule is one function.
import type { Fact, Place } from '../../yaml/place.ts';
import type { Words } from './words.ts';

export interface Mount {
  readonly path: string;
  /** Volumes of one workload that have one name are one volume. */
  readonly volume: string;
  readonly readOnly: boolean;
  readonly at: Place;
}

/** What a container may do. */
export interface Security {
  readonly dropsAll: Fact<boolean>;
  /** Beyond NET_BIND_SERVICE. */
  readonly added: readonly Fact<string>[];
  readonly escalates: Fact<boolean>;
  readonly privileged: Fact<boolean>;
  readonly seccomp: Fact<'set' | 'unset' | 'unconfined'>;
  readonly writableRoot: Fact<boolean>;
}

export interface Container {
  readonly name: string;
  /** `sidecar`: an init container that keeps running. */
  readonly role: 'main' | 'init' | 'sidecar' | 'ephemeral';
  readonly at: Place;
  /** null: what is not said here, such as the image of a KServe runtime. */
  readonly image: Fact<string> | null;
  /** Every command that can be read from its command, arguments and scripts. */
  readonly commands: readonly Words[];
  /** The image's own entry point is replaced. */
  readonly replaced: boolean;
  /** null: a value that is not written here. */
  readonly env: ReadonlyMap<string, Fact<string | null>>;
  readonly mounts: readonly Mount[];
  readonly hostPorts: readonly Fact<string>[];
  /** Where an orchestrator fetches the model from. */
  readonly storage: Fact<string> | null;
  readonly limits: { readonly memory: boolean; readonly gpu: boolean };
  readonly user: Fact<'root' | 'unstated' | 'other'>;
  /** null: its format cannot say. */
  readonly security: Security | null;
}

/** Containers that run together. */
export interface Workload {
  readonly format: 'kubernetes' | 'compose' | 'dockerfile' | 'oci';
  readonly kind: string;
  readonly name: string;
  /** null: the one that is current when the manifest is applied. */
  readonly namespace: string | null;
  readonly at: Place;
  readonly labels: ReadonlyMap<string, string>;
  readonly annotations: ReadonlyMap<string, Fact<string>>;
  readonly containers: readonly Container[];
  readonly host: readonly Fact<'pid' | 'ipc' | 'network'>[];
  readonly hostPaths: readonly Fact<string>[];
  /** null: its format knows no such token. */
  readonly token: Fact<boolean | 'account'> | null;
  readonly account: string;
  readonly readinessGates: readonly string[];
  /** The node's GPUs are taken without asking for a number of them. */
  readonly takesGpus: Fact<boolean> | null;
  readonly windows: boolean;
}

/** It ends, and no Service sends requests to it. */
export const isJob = ({ kind }: Workload): boolean => /^(?:Cron)?Job$/.test(kind);
