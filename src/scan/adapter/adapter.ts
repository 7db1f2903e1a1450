// The adapters among the files of a model: their modules, and the configuration that lies beside them or in their header.
import type { MeasuredFile } from '../measure/measured.ts';
import { folderOf, isAdapterConfig } from '../model/companion.ts';
import type { Profile } from '../profile/profile.ts';
import { type AdapterConfig, type ConfigReading, readAdapterConfig } from './config/adapter-config.ts';
import { componentsOf } from './config/components.ts';
import type { MlxConfig } from './config/mlx-config.ts';
import type { AdapterFile, AdapterModule, AdapterTensor, Spelling } from './module.ts';
import { groupTensors, PEFT_PREFIX } from './spelling/spelling.ts';

export interface Adapter {
  readonly path: string;
  readonly spelling: Spelling;
  /** PEFT's; null: another spelling, or none that can be read. */
  readonly config: AdapterConfig | null;
  readonly mlx: MlxConfig | null;
  /** diffusers': by the component ('transformer') that begins the names of its modules. */
  readonly components: ReadonlyMap<string, AdapterConfig>;
  /** GGUF: adapter.lora.alpha; null: not said, and not applied. */
  readonly ggufAlpha: number | null;
  /** GGUF: adapter.type. */
  readonly ggufType: string | null;
  /** sd-scripts' words in the header: what a reviewer reads there. Loaders go by the tensors. */
  readonly stated: { readonly rank: number | null; readonly alpha: number | null };
  /** In the file's order. */
  readonly modules: readonly AdapterModule[];
  /** Tensors that belong to no update. */
  readonly others: readonly AdapterTensor[];
}

/** adapter_config.json of each folder that has one. */
export function configsOf(files: readonly MeasuredFile[]): Map<string, ConfigReading> {
  const configs = new Map<string, ConfigReading>();
  for (const { entry, document } of files) {
    if (!isAdapterConfig(entry.path)) continue;
    configs.set(folderOf(entry.path), document === null ? TOO_LARGE : readAdapterConfig(document));
  }
  return configs;
}

const TOO_LARGE: ConfigReading = {
  config: null,
  mlx: null,
  problems: ['it is larger than any configuration'],
};

/** In the files' order. */
export function adaptersOf(
  files: readonly MeasuredFile[],
  profile: Profile,
  configs: ReadonlyMap<string, ConfigReading>,
): Adapter[] {
  const tensors = byFile(profile);
  return files.flatMap(({ entry: { path }, layout }) => {
    if (layout === null) return [];
    const { format, metadata } = layout;
    const file = { path, format, metadata, tensors: tensors.get(path) ?? [] };
    const adapter = toAdapter(file, configs.get(folderOf(path)));
    return adapter === null ? [] : [adapter];
  });
}

/** Tensors of a profile by the file that they are in. */
export function byFile({ tensors }: Profile): Map<string, AdapterTensor[]> {
  const found = new Map<string, AdapterTensor[]>();
  for (const tensor of tensors) {
    const others = found.get(tensor.file);
    if (others === undefined) found.set(tensor.file, [tensor]);
    else others.push(tensor);
  }
  return found;
}

/** null: the file is no adapter. */
export function toAdapter(file: AdapterFile, reading: ConfigReading | undefined): Adapter | null {
  const { path, format, metadata } = file;
  const isGguf = format === 'gguf';
  const config = isGguf ? null : (reading?.config ?? null);
  const isPeft = !isGguf && isPeftFile(file, config);
  const grouped = groupTensors(file, isPeft);
  const value = (key: string): unknown => metadata.find((entry) => entry.key === key)?.value;
  const isAdapter = isGguf
    ? grouped.modules.length > 0 || value('general.type') === 'adapter'
    : grouped.modules.length > 0 || isPeft || isInItsPlace(file, reading, value);
  if (!isAdapter) return null;
  const [alpha, type] = [value('adapter.lora.alpha'), value('adapter.type')];
  const mlx = isGguf || isPeft ? null : (reading?.mlx ?? null);
  return {
    path,
    config: isPeft ? config : null,
    mlx,
    components: isPeft || isGguf ? new Map() : componentsOf(value('lora_adapter_metadata')),
    ggufAlpha: typeof alpha === 'number' ? alpha : null,
    ggufType: typeof type === 'string' ? type : null,
    stated: { rank: numberOf(value('ss_network_dim')), alpha: numberOf(value('ss_network_alpha')) },
    ...grouped,
  };
}

/** PEFT opens adapter_model.safetensors and takes what has its prefix; all else in it is smuggled. */
const isPeftFile = ({ path, tensors }: AdapterFile, config: AdapterConfig | null): boolean =>
  tensors.some(({ name }) => name.startsWith(PEFT_PREFIX)) ||
  (config !== null && /(?:^|\/)adapter_model\.safetensors$/.test(path));

/** By its name, its header or the words in its tensors' names: though no tensor has a name that is known here. */
function isInItsPlace(
  { path, tensors }: AdapterFile,
  reading: ConfigReading | undefined,
  value: (key: string) => unknown,
): boolean {
  if (typeof value('ss_network_module') === 'string') return true;
  if (/(?:^|\/)adapter_model\.safetensors$/.test(path)) return true;
  if (reading !== undefined && reading.mlx !== null && MLX_FILE.test(path)) return true;
  return tensors.length > 0 && tensors.filter(({ name }) => WORDS.test(name)).length * 2 > tensors.length;
}

/** mlx-lm writes adapters.safetensors, and a copy of it for each checkpoint. */
const MLX_FILE = /(?:^|\/)(?:\d+_)?adapters\.safetensors$/;
/** Half of the tensors speak of a kind of adapter. */
const WORDS = /(?:^|[._])(?:lora|dora|loha|lokr|hada|boft|oft|vera|ia3|adapter|lycoris)(?:[._\d]|$)/i;

/** sd-scripts writes numbers as text, 'None' and 'Dynamic' where there is none. */
const numberOf = (value: unknown): number | null =>
  typeof value === 'string' && /^\d{1,9}(?:\.\d{1,9})?$/.test(value) ? Number(value) : null;
