// The adapters among the files of a model: their modules, and the configuration that lies beside them.
import type { Format, TensorLayout } from '../../format/layout.ts';
import type { MeasuredFile } from '../../measure/measured.ts';
import { isAdapterConfig } from '../../model/companion.ts';
import { folderOf } from '../shards/shard.ts';
import { type AdapterConfig, type ConfigReading, readAdapterConfig } from './adapter-config.ts';
import { factorName, type Part } from './factor-name.ts';

export type AdapterTensor = Pick<TensorLayout, 'name' | 'dtype' | 'shape' | 'start' | 'end'>;

/** A weight file, from its header or from a profile. */
interface AdapterFile {
  readonly path: string;
  readonly format: Format;
  readonly metadata: readonly { readonly key: string; readonly value?: unknown }[];
  readonly tensors: readonly AdapterTensor[];
}

export interface Adapter {
  readonly path: string;
  readonly format: Format;
  /** null: GGUF, or none that can be read. */
  readonly config: AdapterConfig | null;
  /** GGUF: adapter.lora.alpha; null: not said, and not applied. */
  readonly ggufAlpha: number | null;
  /** GGUF: adapter.type. */
  readonly ggufType: string | null;
  /** In the file's order. */
  readonly modules: readonly AdapterModule[];
  /** Tensors that belong to no low-rank update. */
  readonly others: readonly AdapterTensor[];
}

/** The update s·B·A of one module. */
export interface AdapterModule {
  readonly name: string;
  readonly embedding: boolean;
  /** [r, in]; convolutions have their kernel behind it. GGUF has the factor of the embedding transposed. */
  readonly a: AdapterTensor | null;
  /** [out, r] */
  readonly b: AdapterTensor | null;
  /** DoRA's. */
  readonly magnitude: AdapterTensor | null;
  readonly bias: AdapterTensor | null;
}

/** adapter_config.json of each folder that has one. */
export function configsOf(files: readonly MeasuredFile[]): Map<string, ConfigReading> {
  const configs = new Map<string, ConfigReading>();
  for (const { entry, document } of files) {
    if (!isAdapterConfig(entry.path)) continue;
    const reading = document === null ? TOO_LARGE : readAdapterConfig(document);
    configs.set(folderOf(entry.path), reading);
  }
  return configs;
}

const TOO_LARGE: ConfigReading = { config: null, problems: ['it is larger than any configuration'] };

/** In the files' order. */
export function adaptersOf(
  files: readonly MeasuredFile[],
  configs: ReadonlyMap<string, ConfigReading>,
): Adapter[] {
  return files.flatMap((file) => {
    const config = configs.get(folderOf(file.entry.path))?.config ?? null;
    const adapter =
      file.layout === null ? null : toAdapter({ path: file.entry.path, ...file.layout }, config);
    return adapter === null ? [] : [adapter];
  });
}

/** null: the file is no adapter. */
export function toAdapter(
  { path, format, metadata, tensors }: AdapterFile,
  config: AdapterConfig | null,
): Adapter | null {
  const modules = new Map<string, Partial<Record<Part, AdapterTensor>> & { embedding: boolean }>();
  const others: AdapterTensor[] = [];
  for (const tensor of tensors) {
    const known = factorName(tensor.name, format);
    const module = known === null ? undefined : modules.get(known.module);
    if (known === null || module?.[known.part] !== undefined) others.push(tensor);
    else if (module === undefined) {
      modules.set(known.module, { embedding: known.embedding, [known.part]: tensor });
    } else module[known.part] = tensor;
  }
  const value = (key: string) => metadata.find((entry) => entry.key === key)?.value;
  // A file in the adapter's place is one even if no tensor in it looks like it: then all of it is smuggled.
  const isAdapter =
    format === 'gguf'
      ? modules.size > 0 || value('general.type') === 'adapter'
      : modules.size > 0 || (config !== null && /(?:^|\/)adapter_model\.safetensors$/.test(path));
  if (!isAdapter) return null;
  const [alpha, type] = [value('adapter.lora.alpha'), value('adapter.type')];
  return {
    path,
    format,
    config: format === 'gguf' ? null : config,
    ggufAlpha: typeof alpha === 'number' ? alpha : null,
    ggufType: typeof type === 'string' ? type : null,
    modules: [...modules].map(([name, { embedding, a, b, magnitude, bias }]) => ({
      name,
      embedding,
      a: a ?? null,
      b: b ?? null,
      magnitude: magnitude ?? null,
      bias: bias ?? null,
    })),
    others,
  };
}

/** Rows of the factor A, or what stands for them; null: not both factors, or not matrices. */
export function rankOf({ a, b }: AdapterModule): number | null {
  return a === null || b === null || a.shape.length < 2 || b.shape.length < 2 ? null : b.shape[1]!;
}
