// The adapter among the files of a side, and the factors of its modules.

import { type Adapter, byFile, toAdapter } from '../../scan/adapter/adapter.ts';
import { type ConfigReading, readAdapterConfig } from '../../scan/adapter/config/adapter-config.ts';
import { Patterns } from '../../scan/adapter/config/expression.ts';
import { Selection } from '../../scan/adapter/config/selection.ts';
import { type AdapterModule, type AdapterTensor, sizeOf } from '../../scan/adapter/module.ts';
import { type Selections, scaleOf } from '../../scan/adapter/scale.ts';
import { lowRankOf } from '../../scan/adapter/update.ts';
import { dtypeByName } from '../../scan/dtype.ts';
import { ADAPTER_CONFIG_MAX, folderOf, isAdapterConfig } from '../../scan/model/companion.ts';
import type { ModelFile } from '../../scan/model/file.ts';
import { reopen, type SideModel } from '../side.ts';
import type { Factors } from './worker.ts';

/** A decomposition takes time and memory with the cube and the square of the rank. */
const MAX_RANK = 256;
const MAX_BYTES = 2 ** 29;
const DECODED: ReadonlySet<string> = new Set(['F32', 'F16', 'BF16']);

export interface LoadedAdapter {
  readonly adapter: Adapter;
  readonly selections: Selections;
  readonly side: SideModel;
}

/** null: there is none, or more than one, or only its profile. Throws SteelyardError about the configuration's file. */
export function loadAdapter(side: SideModel): LoadedAdapter | null {
  if (side.files === null) return null;
  const tensors = byFile(side.profile);
  const adapters = side.profile.files.flatMap(({ path, format, metadata }) => {
    if (format === null) return [];
    const own = { path, format, metadata, tensors: tensors.get(path) ?? [] };
    const adapter = toAdapter(own, configOf(side, folderOf(path)));
    return adapter === null || adapter.modules.length === 0 ? [] : [adapter];
  });
  const [adapter, ...more] = adapters;
  if (adapter === undefined || more.length > 0) return null;
  const patterns = new Patterns();
  const { config, components } = adapter;
  const selections = {
    whole: config === null ? null : new Selection(config, patterns),
    components: new Map([...components].map(([name, one]) => [name, new Selection(one, patterns)])),
  };
  return { adapter, selections, side };
}

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

export interface LoadedModule extends Omit<Factors, 'a' | 'b'> {
  readonly a: AdapterTensor;
  readonly b: AdapterTensor;
}

/** What a module's update is, or why it cannot be taken. */
export function moduleOf(
  { adapter, selections }: LoadedAdapter,
  module: AdapterModule,
): LoadedModule | { readonly reason: string } {
  if (module.family !== 'lora') return { reason: `an update of ${module.family} is not taken apart` };
  if (module.parts.a === undefined || module.parts.b === undefined) return { reason: 'a factor is missing' };
  const low = lowRankOf(module, adapter.spelling === 'gguf');
  const rank = low?.rankOfB ?? 0;
  if (low === null || rank === 0 || rank !== low.rankOfA)
    return { reason: 'the factors cannot be multiplied' };
  const { a, b } = low;
  if (rank > MAX_RANK) return { reason: `rank ${rank} is above ${MAX_RANK}` };
  if (a.end - a.start + (b.end - b.start) > MAX_BYTES) return { reason: 'the factors are too large' };
  const other = [a, b].find(({ dtype }) => !DECODED.has(dtype));
  if (other !== undefined) return { reason: `single values of ${other.dtype} are not decoded` };
  if (![a, b].every(isWhole)) return { reason: "a factor's bytes are not its shape" };
  const isUnscaled = adapter.spelling === 'peft' && selections.whole === null;
  const scale = isUnscaled ? 1 : scaleOf(adapter, module, selections);
  if (scale === null || scale === undefined) return { reason: 'the scale cannot be told' };
  if (sizeOf(b.shape.slice(2)) !== 1 || low.bByRank || low.experts > 1 || module.parts.mid !== undefined)
    return { reason: 'the factors stand in another order' };
  const inner = low.inner * sizeOf(low.kernel);
  if (inner === 0 || low.out === 0) return { reason: 'a factor is empty' };
  const dtypes = [dtypeByName(a.dtype)!.code, dtypeByName(b.dtype)!.code] as const;
  return { a, b, dtypes, rank, shape: [low.out, inner], flat: low.aByInput, scale };
}

/** A ready profile is believed, but native code gets only what fits. */
const isWhole = ({ dtype, shape, start, end }: AdapterTensor): boolean =>
  end - start === sizeOf(shape) * (dtype === 'F32' ? 4 : 2);

export const openWeights = ({ side, adapter }: LoadedAdapter): ModelFile => reopen(side, adapter.path);

export function readFactors(file: ModelFile, { a, b, ...module }: LoadedModule): Factors {
  const bytes = ({ start, end }: AdapterTensor): Uint8Array => file.read(start, end - start);
  return { a: bytes(a), b: bytes(b), ...module };
}
