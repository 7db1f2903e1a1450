// A document of Kubernetes → the workloads in it, found by shape: a table of kinds would not know tomorrow's operator.

import type { Fact, Fault } from '../../yaml/place.ts';
import type { Node } from '../../yaml/yaml.ts';
import type { Workload } from '../container/container.ts';
import { type NetworkPolicy, networkPolicy } from './network.ts';
import { type Found, isPodSpec, podWorkload } from './pod.ts';

export interface Objects {
  readonly workloads: readonly Workload[];
  readonly policies: readonly NetworkPolicy[];
  /** Service accounts whose pods get no token. */
  readonly tokenless: readonly { readonly name: string; readonly namespace: string | null }[];
  /** Every text in them, for what is written inside of texts. */
  readonly texts: readonly Fact<string>[];
  readonly faults: readonly Fault[];
}

export function kubernetesObjects(document: Node): Objects {
  const list = /List$/.test(document.get('kind')?.text ?? '') ? document.get('items') : undefined;
  const objects = list?.isList === true ? list.items() : [document];
  const found = objects.flatMap((owner) => [...pods(owner, owner, undefined)]);
  return {
    workloads: found.map(podWorkload),
    policies: objects.flatMap((one) => networkPolicy(one) ?? []),
    tokenless: objects.flatMap(tokenless),
    texts: objects.flatMap((one) =>
      one.get('kind')?.text === 'CustomResourceDefinition' ? [] : textsIn(one),
    ),
    faults: found.flatMap(({ spec }) => unrendered(spec)),
  };
}

function* pods(node: Node, owner: Node, metadata: Node | undefined): Generator<Found> {
  if (node.isList) for (const item of node.items()) yield* pods(item, owner, metadata);
  if (!node.isMap) return;
  if (isPodSpec(node)) yield { owner, spec: node, metadata: metadata ?? owner.get('metadata') };
  const own = node.get('metadata');
  for (const [key, value] of node.entries()) {
    if (NOT_WALKED.has(key)) continue;
    yield* pods(value, owner, key === 'spec' ? (own ?? metadata) : undefined);
  }
}

/** Nothing that is a pod stands in these, or it was seen already. */
const NOT_WALKED = new Set([
  'metadata',
  'status',
  'containers',
  'initContainers',
  'ephemeralContainers',
  'volumes',
  'openAPIV3Schema',
]);

function tokenless(object: Node): Objects['tokenless'] {
  if (object.get('kind')?.text !== 'ServiceAccount') return [];
  if (object.get('automountServiceAccountToken')?.value !== false) return [];
  const metadata = object.get('metadata');
  return [{ name: metadata?.get('name')?.text ?? '', namespace: metadata?.get('namespace')?.text ?? null }];
}

export function textsIn(node: Node): Fact<string>[] {
  if (node.isList) return node.items().flatMap(textsIn);
  if (node.isMap) return node.entries().flatMap(([, value]) => textsIn(value));
  const { fact } = node;
  return fact === null ? [] : [fact];
}

/** In a pod, `{{ … }}` in quotes is a value that nobody knows yet. A chat template on several lines is one that is known. */
function unrendered(spec: Node): Fault[] {
  const hole = textsIn(spec).find(({ value }) => {
    const open = value.indexOf('{{');
    if (open >= 0 && value.indexOf('}}', open) >= 0) return !/[\n%]/.test(value);
    if (value.startsWith('<%') && value.endsWith('%>')) return true;
    // Of envsubst, and of ko, which builds the image when the manifest is applied.
    return /^\$(?:\{[A-Z_]\w*\}|[A-Z_]\w*)$|^ko:\/\//.test(value);
  });
  if (hole === undefined) return [];
  const message = 'a template that was not rendered; lint its output: helm template … | steelyard lint -';
  return [{ code: 'INVALID_MANIFEST', at: hole.at, message }];
}
