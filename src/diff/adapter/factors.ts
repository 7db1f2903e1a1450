// The adapter among the files of a side, and the factors of its modules.

import { type Adapter, byFile, toAdapter } from '../../scan/adapter/adapter.ts';
import { type ConfigReading, readAdapterConfig } from '../../scan/adapter/config/adapter-config.ts';
import { Patterns } from '../../scan/adapter/config/expression.ts';
import { Selection } from '../../scan/adapter/config/selection.ts';
import { type AdapterModule, type AdapterTensor, sizeOf } from '../../scan/adapter/module.ts';
import { missingParts } from '../../scan/adapter/parts.ts';
import { type Selections, scaleOf } from '../../scan/adapter/scale.ts';
import { lowRankOf, updateShape } from '../../scan/adapter/update.ts';
import { dtypeByName } from '../../scan/dtype.ts';
import { ADAPTER_CONFIG_MAX, folderOf, isAdapterConfig } from '../../scan/model/companion.ts';
import type { ModelFile } from '../../scan/model/file.ts';
import type { MetadataProfile } from '../../scan/profile/profile.ts';
import { reopen, type SideModel } from '../side.ts';
import type { Composed, Factors } from './worker.ts';

/** A decomposition takes time and memory with the cube and the square of the rank. */
const MAX_RANK = 1024;
const MAX_BYTES = 2 ** 29;
const DECODED: ReadonlySet<string> = new Set(['F64', 'F32', 'F16', 'BF16', 'Q8_0']);

export interface LoadedAdapter {
  readonly adapter: Adapter;
  readonly selections: Selections;
  readonly side: SideModel;
  /** The header has scales of diffusers, and they are not known: a profile has long values by their digest alone. */
  readonly scalesUnread: boolean;
}

/** null: there is none, or more than one, or only its profile. Throws SteelyardError about the configuration's file. */
export function loadAdapter(side: SideModel): LoadedAdapter | null {
  if (side.files === null) return null;
  const tensors = byFile(side.profile);
  const adapters = side.profile.files.flatMap(({ path, format, metadata }) => {
    if (format === null) return [];
    const own = { path, format, metadata, tensors: tensors.get(path) ?? [] };
    const adapter = toAdapter(own, configOf(side, folderOf(path)));
    return adapter === null || adapter.modules.length === 0 ? [] : [{ adapter, metadata }];
  });
  const [one, ...more] = adapters;
  if (one === undefined || more.length > 0) return null;
  const { adapter, metadata } = one;
  const patterns = new Patterns();
  const { config, components } = adapter;
  const selections = {
    whole: config === null ? null : new Selection(config, patterns),
    components: new Map([...components].map(([name, one]) => [name, new Selection(one, patterns)])),
  };
  return { adapter, selections, side, scalesUnread: metadata.some(isUnreadScales) };
}

const isUnreadScales = ({ key, digest }: MetadataProfile): boolean =>
  key === 'lora_adapter_metadata' && digest !== undefined;

function configOf(side: SideModel, folder: string): ConfigReading | undefined {
  const known = side.profile.files.find(({ path }) => isAdapterConfig(path) && folderOf(path) === folder);
  if (known === undefined || known.size > ADAPTER_CONFIG_MAX) return undefined;
  const file = reopen(side, known.path);
  try {
    return readAdapterConfig(file.read(0, file.size));
  } finally {
    file.close();
  }
}

/** Tensors in place of their bytes. */
interface DirectModule extends Omit<Factors, 'a' | 'b'> {
  readonly a: AdapterTensor;
  readonly b: AdapterTensor;
}
interface ComposedModule extends Omit<Composed, 'parts'> {
  readonly parts: Readonly<Record<string, AdapterTensor>>;
}
export type LoadedModule = DirectModule | ComposedModule;

/** What a module's update is, or why it cannot be taken. */
export function moduleOf(
  { adapter, selections, scalesUnread }: LoadedAdapter,
  module: AdapterModule,
): LoadedModule | { readonly reason: string } {
  if (missingParts(module) !== null) return { reason: 'a factor is missing' };
  const isGguf = adapter.spelling === 'gguf';
  const shape = updateShape(module, isGguf);
  if (shape === null) return { reason: `an update of ${module.family} is no product of factors` };
  if (typeof shape === 'string') return { reason: 'the factors cannot be multiplied' };
  const reason = unreadable(Object.values(module.parts));
  if (reason !== null) return { reason };
  if (scalesUnread && goesByHeader(adapter, module))
    return { reason: 'its scale is in lora_adapter_metadata of the header, which is too long to be kept' };
  const isUnscaled = adapter.spelling === 'peft' && selections.whole === null;
  const scale = isUnscaled ? 1 : scaleOf(adapter, module, selections);
  if (scale === null || scale === undefined) return { reason: 'the scale cannot be determined' };
  const low = module.family === 'lora' ? lowRankOf(module, isGguf) : null;
  if (low !== null && low.experts > 1) return { reason: 'updates of experts are not taken apart' };
  const [out, ...others] = shape as [number, ...number[]];
  const whole = [out, sizeOf(others)] as const;
  if (sizeOf(whole) === 0) return { reason: 'a factor is empty' };
  const rank = low?.rankOfB ?? composedRank(module);
  if (rank === null) return { reason: 'its core is not taken apart' };
  if (rank === 0) return { reason: 'the factors cannot be multiplied' };
  if (rank > MAX_RANK) return { reason: `rank ${rank} is above ${MAX_RANK}` };
  if (low === null || module.parts.mid !== undefined)
    return { family: module.family, parts: module.parts, rank, shape: whole, scale };
  if (sizeOf(low.b.shape.slice(2)) !== 1) return { reason: 'the factors cannot be multiplied' };
  const { a, b } = low;
  const dtypes = [dtypeByName(a.dtype)!.code, dtypeByName(b.dtype)!.code] as const;
  return { a, b, dtypes, rank, shape: whole, flat: low.aByInput, bByRank: low.bByRank, scale };
}

/** Whether loaders take the scale from the header: the module has no alpha, and the adapter no configuration. */
export const goesByHeader = ({ spelling }: Adapter, { parts }: AdapterModule): boolean =>
  !['peft', 'gguf', 'mlx'].includes(spelling) && parts.alpha === undefined;

/** What stops the parts from being read as numbers; null: nothing. */
function unreadable(parts: readonly AdapterTensor[]): string | null {
  if (parts.reduce((sum, { start, end }) => sum + end - start, 0) > MAX_BYTES)
    return 'the factors are too large';
  const other = parts.find(({ dtype }) => !DECODED.has(dtype));
  if (other !== undefined) return `single values of ${other.dtype} are not decoded`;
  return parts.every(isWhole) ? null : "a factor's bytes are not its shape";
}

/** Of what compose.ts makes; null: nothing is made of it. */
function composedRank({ family, parts }: AdapterModule): number | null {
  const { b, w1, w1a, w2, w2a, t1, t2, w1b, w2b } = parts;
  if (Object.values(parts).some(({ dtype }) => dtype === 'Q8_0') || t1 !== undefined || t2 !== undefined)
    return null;
  if (family === 'loha') return w1a!.shape[1]! * w2a!.shape[1]!;
  if (family !== 'lokr') return b!.shape[1]!;
  const side = (whole?: AdapterTensor, left?: AdapterTensor): number =>
    whole === undefined ? left!.shape[1]! : Math.min(whole.shape[0]!, sizeOf(whole.shape.slice(1)));
  return w1b !== undefined || w1 !== undefined || w2b !== undefined ? side(w1, w1a) * side(w2, w2a) : null;
}

/** A ready profile is believed, but native code gets only what fits. */
function isWhole({ dtype, shape, start, end }: AdapterTensor): boolean {
  const { blockCount, blockSize } = dtypeByName(dtype)!;
  return (end - start) * blockCount === sizeOf(shape) * blockSize;
}

export const openWeights = ({ side, adapter }: LoadedAdapter): ModelFile => reopen(side, adapter.path);

export function readFactors(file: ModelFile, module: LoadedModule): Factors | Composed {
  const bytes = ({ start, end }: AdapterTensor): Uint8Array => file.read(start, end - start);
  if (!('parts' in module)) return { ...module, a: bytes(module.a), b: bytes(module.b) };
  return { ...module, parts: partsOf(file, module) };
}

/** The bytes of all parts, whatever is made of them. */
export function partsOf(file: ModelFile, { parts }: Pick<ComposedModule, 'parts'>): Composed['parts'] {
  return Object.fromEntries(
    Object.entries(parts).map(([name, { start, end, dtype, shape }]) => [
      name,
      { bytes: file.read(start, end - start), dtype, shape },
    ]),
  );
}
