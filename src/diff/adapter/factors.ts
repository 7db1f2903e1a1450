// The adapter among the files of a side, and the factors of its modules.
import { dtypeByName } from '../../scan/dtype.ts';
import { type AdapterConfig, readAdapterConfig } from '../../scan/inspect/adapter/adapter-config.ts';
import { Patterns } from '../../scan/inspect/adapter/expression.ts';
import {
  type Adapter,
  type AdapterModule,
  type AdapterTensor,
  rankOf,
  toAdapter,
} from '../../scan/inspect/adapter/modules.ts';
import { rankOfA } from '../../scan/inspect/adapter/pairs.ts';
import { Selection } from '../../scan/inspect/adapter/selection.ts';
import { scaleOf } from '../../scan/inspect/adapter/strength.ts';
import { folderOf } from '../../scan/inspect/shards/shard.ts';
import { ADAPTER_CONFIG_MAX, isAdapterConfig } from '../../scan/model/companion.ts';
import type { ModelFile } from '../../scan/model/file.ts';
import type { TensorProfile } from '../../scan/profile/profile.ts';
import { reopen, type SideModel } from '../side.ts';
import type { Factors } from './worker.ts';

/** A decomposition takes time and memory with the cube and the square of the rank. */
const MAX_RANK = 256;
const MAX_BYTES = 2 ** 29;
const DECODED: ReadonlySet<string> = new Set(['F32', 'F16', 'BF16']);

export interface LoadedAdapter {
  readonly adapter: Adapter;
  readonly selection: Selection | null;
  readonly side: SideModel;
}

/** null: there is none, or more than one, or only its profile. Throws SteelyardError about the configuration's file. */
export function loadAdapter(side: SideModel): LoadedAdapter | null {
  if (side.files === null) return null;
  const tensors = new Map<string, TensorProfile[]>();
  for (const tensor of side.profile.tensors) {
    const others = tensors.get(tensor.file);
    if (others === undefined) tensors.set(tensor.file, [tensor]);
    else others.push(tensor);
  }
  const adapters = side.profile.files.flatMap(({ path, format, metadata }) => {
    if (format === null) return [];
    const own = { path, format, metadata, tensors: tensors.get(path) ?? [] };
    const candidate = toAdapter(own, null);
    return candidate === null ? [] : [candidate];
  });
  const [first, ...more] = adapters;
  if (first === undefined || more.length > 0) return null;
  const config = first.format === 'gguf' ? null : configOf(side, folderOf(first.path));
  const isLora = config === null || config.kind === 'LORA';
  if (!isLora || first.modules.length === 0) return null;
  const adapter = { ...first, config };
  return { adapter, selection: config === null ? null : new Selection(config, new Patterns()), side };
}

function configOf(side: SideModel, folder: string): AdapterConfig | null {
  const known = side.profile.files.find(({ path }) => isAdapterConfig(path) && folderOf(path) === folder);
  if (known === undefined || known.size > ADAPTER_CONFIG_MAX) return null;
  const file = reopen(side, known.path);
  try {
    return readAdapterConfig(file.read(0, file.size)).config;
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
  { adapter, selection }: LoadedAdapter,
  module: AdapterModule,
): LoadedModule | { readonly reason: string } {
  const { a, b, embedding } = module;
  const rank = rankOf(module);
  if (a === null || b === null) return { reason: 'a factor is missing' };
  if (rank === null || rank === 0 || rank !== rankOfA(module, adapter))
    return { reason: 'the factors cannot be multiplied' };
  if (rank > MAX_RANK) return { reason: `rank ${rank} is above ${MAX_RANK}` };
  if (a.end - a.start + (b.end - b.start) > MAX_BYTES) return { reason: 'the factors are too large' };
  const other = [a, b].find(({ dtype }) => !DECODED.has(dtype));
  if (other !== undefined) return { reason: `single values of ${other.dtype} are not decoded` };
  if (![a, b].every(isWhole)) return { reason: "a factor's bytes are not its shape" };
  const scale =
    adapter.format === 'safetensors' && selection === null ? 1 : scaleOf(adapter, module, selection);
  if (scale === null) return { reason: 'the scale cannot be told' };
  const flat = adapter.format === 'gguf' && embedding;
  const inner = flat ? a.shape[0]! : sizeOf(a.shape.slice(1));
  if (sizeOf(b.shape.slice(2)) !== 1) return { reason: 'the factors cannot be multiplied' };
  if (inner === 0 || b.shape[0] === 0) return { reason: 'a factor is empty' };
  const dtypes = [dtypeByName(a.dtype)!.code, dtypeByName(b.dtype)!.code] as const;
  return { a, b, dtypes, rank, shape: [b.shape[0]!, inner], flat, scale };
}

const sizeOf = (shape: readonly number[]): number => shape.reduce((all, size) => all * size, 1);

/** A ready profile is believed, but native code gets only what fits. */
const isWhole = ({ dtype, shape, start, end }: AdapterTensor): boolean =>
  end - start === sizeOf(shape) * (dtype === 'F32' ? 4 : 2);

export const openWeights = ({ side, adapter }: LoadedAdapter): ModelFile => reopen(side, adapter.path);

export function readFactors(file: ModelFile, { a, b, ...module }: LoadedModule): Factors {
  const bytes = ({ start, end }: AdapterTensor): Uint8Array => file.read(start, end - start);
  return { a: bytes(a), b: bytes(b), ...module };
}
