// A file of any of the four formats → the workloads, policies and build steps in it. What it cannot read is a fault.

import type { Fact, Fault } from '../../yaml/place.ts';
import { type Node, readManifest, TooLarge } from '../../yaml/yaml.ts';
import type { Workload } from '../container/container.ts';
import { type Build, NO_BUILD } from './build-steps.ts';
import { composeWorkload, isCompose } from './compose.ts';
import { DOCKERFILE_SIZE, isDockerfile, readDockerfile } from './dockerfile.ts';
import { isImageConfig, readImageConfig } from './image-config.ts';
import { kubernetesObjects, type Objects, textsIn } from './kubernetes.ts';

export type { Build } from './build-steps.ts';
export type { NetworkPolicy, Way } from './network.ts';

export interface Form {
  /** What the file turned out to be; null: nothing in it runs a container. */
  readonly format: Workload['format'] | null;
  /** Documents in it, those that could not be read not counted. */
  readonly documents: number;
  readonly workloads: readonly Workload[];
  readonly policies: Objects['policies'];
  readonly tokenless: Objects['tokenless'];
  readonly texts: readonly Fact<string>[];
  readonly builds: readonly Build[];
  readonly faults: readonly Fault[];
}

const EMPTY: Form = {
  format: null,
  documents: 0,
  workloads: [],
  policies: [],
  tokenless: [],
  texts: [],
  builds: [],
  faults: [],
};

/** @param file its path as the user wrote it; the name decides where the text alone does not. */
export async function readForm(text: string, file: string): Promise<Form> {
  const named = /(?:^|\/)(?:Dockerfile|Containerfile)(?:\.[^/]*)?$|\.(?:dockerfile|containerfile)$/i.test(
    file,
  );
  if (named || isDockerfile(text)) return dockerfileForm(text, file);
  const { documents, faults } = readManifest(text, file);
  const forms = documents.map((document) => documentForm(document, file));
  return {
    format: forms.find(({ format }) => format !== null)?.format ?? null,
    documents: documents.length,
    workloads: forms.flatMap((form) => form.workloads),
    policies: forms.flatMap((form) => form.policies),
    tokenless: forms.flatMap((form) => form.tokenless),
    texts: forms.flatMap((form) => form.texts),
    builds: forms.flatMap((form) => form.builds),
    faults: [...faults, ...forms.flatMap((form) => form.faults)],
  };
}

async function dockerfileForm(text: string, file: string): Promise<Form> {
  if (Buffer.byteLength(text) > DOCKERFILE_SIZE)
    return unreadable(file, `larger than ${DOCKERFILE_SIZE} bytes`, 'LIMIT');
  const { workload, build } = await readDockerfile(text, file);
  if (workload.containers[0]!.image === null) return unreadable(file, 'no FROM: not a Dockerfile');
  return { ...EMPTY, format: 'dockerfile', documents: 1, workloads: [workload], builds: [build] };
}

function documentForm(document: Node, file: string): Form {
  try {
    if (isImageConfig(document)) {
      const { workload, build } = readImageConfig(document, file);
      return { ...EMPTY, format: 'oci', workloads: [workload], builds: [build] };
    }
    if (isCompose(document))
      return {
        ...EMPTY,
        format: 'compose',
        workloads: [composeWorkload(document)],
        texts: textsIn(document),
      };
    const objects = kubernetesObjects(document);
    const format = objects.workloads.length > 0 || objects.policies.length > 0 ? 'kubernetes' : null;
    return { ...EMPTY, ...objects, format, builds: [NO_BUILD] };
  } catch (error) {
    if (!(error instanceof TooLarge)) throw error;
    return unreadable(file, 'larger, with its aliases followed, than anything that is looked at', 'LIMIT');
  }
}

/** A file of which nothing can be said. */
export const unreadable = (
  file: string,
  message: string,
  code: Fault['code'] = 'INVALID_MANIFEST',
): Form => ({
  ...EMPTY,
  faults: [{ code, at: { file, line: 1, column: 1 }, message }],
});
