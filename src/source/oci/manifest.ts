// The manifest of a model: which layer is which file. Packers agree on digests and sizes and on little else; a layer of a kind that is
// not known keeps the name of its digest, and nobody guesses what it is.
import { quoted } from '../../document/violations.ts';
import { SteelyardError } from '../../rules/error.ts';
import { foreignJson, isRecord } from '../json.ts';
import { MAX_FILES } from '../path.ts';
import type { SourceNote } from '../store.ts';

/** Kinds of manifests that are asked for. */
export const INDEXES = [
  'application/vnd.oci.image.index.v1+json',
  'application/vnd.docker.distribution.manifest.list.v2+json',
];
export const MANIFESTS = [
  'application/vnd.oci.image.manifest.v1+json',
  'application/vnd.docker.distribution.manifest.v2+json',
];

interface Layer {
  readonly path: string;
  /** `sha256:…` */
  readonly digest: string;
  readonly size: number;
}

export interface Manifest {
  readonly layers: readonly Layer[];
  readonly notes: readonly SourceNote[];
}

/** Digests of the manifests in an index, of models: those for a platform are of programs. */
export function readIndex(bytes: Uint8Array): string[] {
  const index = foreignJson(bytes, 'the index of the registry');
  if (!isRecord(index) || !Array.isArray(index.manifests)) throw odd('is no index');
  return index.manifests.flatMap((one) => {
    if (!isRecord(one) || !isDigest(one.digest)) throw odd('has an entry without a digest');
    return one.platform === undefined ? [one.digest] : [];
  });
}

/** Throws NETWORK, LIMIT. */
export function readManifest(bytes: Uint8Array): Manifest {
  const manifest = foreignJson(bytes, 'the manifest of the registry');
  if (!isRecord(manifest) || manifest.schemaVersion !== 2 || !Array.isArray(manifest.layers))
    throw odd('is no manifest of version 2');
  if (manifest.layers.length > MAX_FILES)
    throw new SteelyardError('LIMIT', `a manifest of more than ${MAX_FILES} layers`);
  const layers: Layer[] = [];
  const notes: SourceNote[] = [];
  const names = new Set<string>();
  for (const one of manifest.layers) {
    const { digest, size, mediaType, annotations } = layerOf(one);
    const named = nameOf(mediaType, annotations);
    const plain = digest.replace(':', '-');
    // Ollama writes several licences as layers of one kind: the second one is told apart by its digest.
    const path = named === null ? plain : names.has(named) ? `${named}-${plain.slice(0, 19)}` : named;
    names.add(path);
    layers.push({ path, digest, size });
    if (named !== null) continue;
    const message = `a layer of the kind ${quoted(mediaType.slice(0, 200))} is not unpacked`;
    notes.push({ rule: 'source/layer-unknown', file: path, message });
  }
  return { layers, notes };
}

function layerOf(layer: unknown) {
  if (!isRecord(layer)) throw odd('has a layer that is none');
  const { digest, size, mediaType, annotations } = layer;
  if (!isDigest(digest)) throw odd('has a layer without a SHA-256');
  if (typeof size !== 'number' || typeof mediaType !== 'string')
    throw odd('has a layer without size or kind');
  return { digest, size, mediaType, annotations: isRecord(annotations) ? annotations : {} };
}

export const isDigest = (text: unknown): text is string =>
  typeof text === 'string' && /^sha256:[0-9a-f]{64}$/.test(text);

/** Annotations that hold a path: ModelPack, its drafts, KitOps and oras, Docker. */
const PATHS = [
  'org.cncf.model.filepath',
  'org.cnai.model.filepath',
  'org.opencontainers.image.title',
  'com.docker.model.filepath',
];

/** Kinds whose layer is the file itself; ModelPack's `.raw`, KitOps' raw layers. */
const RAW = [
  /^application\/vnd\.(?:cncf|cnai)\.model\.(?:weight|weight\.config|doc|code|dataset)\.v1\.(?:raw|gguf|safetensors)$/,
  /^application\/vnd\.kitops\.modelkit\.(?:model|modelpart|docs|code|dataset)\.v1\.raw$/,
];

/** Kinds that are one file each, with a name of their own: Ollama's and Docker's. */
const NAMES: Readonly<Record<string, string>> = {
  'application/vnd.ollama.image.model': 'model.gguf',
  'application/vnd.ollama.image.projector': 'mmproj.gguf',
  'application/vnd.ollama.image.adapter': 'adapter.gguf',
  'application/vnd.ollama.image.template': 'template',
  'application/vnd.ollama.image.system': 'system',
  'application/vnd.ollama.image.params': 'params',
  'application/vnd.ollama.image.license': 'license',
  'application/vnd.ollama.image.messages': 'messages',
  'application/vnd.docker.ai.gguf.v3': 'model.gguf',
  'application/vnd.docker.ai.safetensors': 'model.safetensors',
  'application/vnd.docker.ai.mmproj': 'mmproj.gguf',
  'application/vnd.docker.ai.license': 'license',
  'application/vnd.docker.ai.chat.template': 'chat_template.jinja',
};

/** null: not a kind whose layer is a file. */
function nameOf(mediaType: string, annotations: Readonly<Record<string, unknown>>): string | null {
  const own = NAMES[mediaType];
  if (own === undefined && !RAW.some((kind) => kind.test(mediaType))) return null;
  const path = PATHS.map((key) => annotations[key]).find((one) => typeof one === 'string');
  return typeof path === 'string' ? path.replace(/^\.\//, '') : (own ?? null);
}

const odd = (how: string): SteelyardError =>
  new SteelyardError('NETWORK', `what the registry answers ${how}`, { errno: 'HTTP_4' });
