// Pods as the API server reports them, read as foreign text: whoever can write a pod chooses its names and labels.

import { PULLED_REASONS } from '../state.ts';
import type { PodFacts, Target } from '../target.ts';

/** The condition that a readiness gate of the pod's template names. */
export const CONDITION = 'steelyard.dev/provenance';
/** The label that a Service selects. */
export const ROTATION = 'steelyard.dev/in-rotation';
/** Why the label was taken away. */
export const PULLED = 'steelyard.dev/pulled';

export interface PodOptions {
  /** The container that serves the model; default: the one that kubectl would choose. */
  readonly container?: string;
  /** Where it listens; default: the container's first port. */
  readonly port?: number;
  readonly scheme: 'http' | 'https';
}

const record = (value: unknown): Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Record<string, unknown>)
    : {};
const list = (value: unknown): Record<string, unknown>[] => (Array.isArray(value) ? value.map(record) : []);
const text = (value: unknown): string | null => (typeof value === 'string' && value !== '' ? value : null);

/** Pods that end or have ended are no targets: null. */
export function targetOf(item: unknown, options: PodOptions): Target | null {
  const { metadata, spec, status } = record(item);
  const meta = record(metadata);
  const [namespace, name, uid] = [text(meta.namespace), text(meta.name), text(meta.uid)];
  const phase = text(record(status).phase);
  if (namespace === null || name === null || uid === null || meta.deletionTimestamp !== undefined)
    return null;
  if (phase === 'Succeeded' || phase === 'Failed') return null;
  const container = containerOf(record(spec), record(meta.annotations), options.container);
  return {
    name: `${namespace}/${name}`,
    url: addressOf(record(status), container, options),
    pod: {
      namespace,
      name,
      uid,
      imageId: imageOf(record(status), container),
      ...rotationOf(meta, record(spec), record(status)),
    },
  };
}

function containerOf(
  spec: Record<string, unknown>,
  annotations: Record<string, unknown>,
  named: string | undefined,
): Record<string, unknown> {
  const containers = list(spec.containers);
  const wanted = named ?? text(annotations['kubectl.kubernetes.io/default-container']);
  return (wanted === null ? containers[0] : containers.find(({ name }) => name === wanted)) ?? {};
}

function addressOf(
  status: Record<string, unknown>,
  container: Record<string, unknown>,
  { port, scheme }: PodOptions,
): string | null {
  const address = text(status.podIP);
  const [first] = list(container.ports);
  const number = port ?? first?.containerPort;
  // The API server writes addresses; anything else would be a host of somebody's choice.
  if (address === null || !/^[0-9a-f.:]{2,45}$/.test(address) || !Number.isInteger(number)) return null;
  return `${scheme}://${address.includes(':') ? `[${address}]` : address}:${number}`;
}

const imageOf = (status: Record<string, unknown>, { name }: Record<string, unknown>): string | null =>
  text(list(status.containerStatuses).find((one) => one.name === name)?.imageID);

function rotationOf(
  meta: Record<string, unknown>,
  spec: Record<string, unknown>,
  status: Record<string, unknown>,
): Pick<PodFacts, 'way' | 'out' | 'waiting'> {
  if (list(spec.readinessGates).some(({ conditionType }) => conditionType === CONDITION)) {
    const condition = list(status.conditions).find(({ type }) => type === CONDITION);
    const out = condition?.status === 'False' && PULLED_REASONS.has(String(condition.reason));
    return { way: 'readiness', out, waiting: !out && condition?.status !== 'True' };
  }
  const out = record(meta.annotations)[PULLED] !== undefined;
  const labelled = record(meta.labels)[ROTATION] !== undefined;
  return { way: labelled ? 'label' : null, out, waiting: false };
}
