// The numbers of a GGUF header against its tensors. Loaders make room by the numbers and read by the tensors: where the two differ a
// file does not load, or loads with what was in memory.
import { quoted, type Violations } from '../../../document/violations.ts';
import type { Layout, MetadataEntry, TensorLayout } from '../../format/layout.ts';

type Entries = ReadonlyMap<string, MetadataEntry>;

export function checkDimensions(layout: Layout, entries: Entries, violations: Violations): void {
  const architecture = entries.get('general.architecture')?.value;
  // A part of a model, an adapter and a vocabulary alone have other tensors.
  if (typeof architecture !== 'string' || Number(entries.get('split.count')?.value) > 1) return;
  const tensors = new Map(layout.tensors.map((tensor) => [tensor.name, tensor]));
  const embedding = tensors.get('token_embd.weight');
  const model = { architecture, entries, tensors, violations };
  checkAttention(model);
  if (embedding === undefined) return;
  checkEmbedding(model, embedding);
  checkExperts(model);
}

interface Model {
  readonly architecture: string;
  readonly entries: Entries;
  readonly tensors: ReadonlyMap<string, TensorLayout>;
  readonly violations: Violations;
}

/** One number, or one for each layer; null: it is not said. */
function numbers(
  { architecture, entries }: Model,
  key: string,
): ((layer: number) => number | undefined) | null {
  const value = entries.get(`${architecture}.${key}`)?.value;
  if (typeof value === 'number' || typeof value === 'bigint') return () => Number(value);
  if (typeof value !== 'object') return null;
  return (layer) => (value.items[layer] === undefined ? undefined : Number(value.items[layer]));
}

function odd(
  { architecture, entries, violations }: Model,
  key: string,
  message: string,
  tensor: string,
): void {
  const full = entries.has(key) ? key : `${architecture}.${key}`;
  const offset = entries.get(full)?.start;
  violations.report('gguf/hyperparameter', `${quoted(full)} ${message}`, {
    tensor,
    ...(offset === undefined ? {} : { offset }),
  });
}

const BLOCK = /^blk\.(\d{1,6})\.attn_q\.weight$/;
const KEYS = /^blk\.(\d{1,6})\.attn_k\.weight$/;

/** Per layer: no heads of keys where there are keys, and heads in the proportion of the rows. */
function checkAttention(model: Model): void {
  const heads = numbers(model, 'attention.head_count');
  const groups = numbers(model, 'attention.head_count_kv');
  if (groups === null) return;
  for (const [name, keys] of model.tensors) {
    const layer = Number(KEYS.exec(name)?.[1] ?? Number.NaN);
    if (Number.isNaN(layer)) continue;
    const kv = groups(layer);
    if (kv === 0) {
      odd(model, 'attention.head_count_kv', `is 0 for layer ${layer}, which has keys`, name);
      return;
    }
    const queries = model.tensors.get(`blk.${layer}.attn_q.weight`);
    const n = heads?.(layer);
    const [rows, keyRows] = [queries?.shape[0], keys.shape[0]];
    if (kv === undefined || !n || rows === undefined || keyRows === undefined) continue;
    // Queries with a gate of their own have twice the rows that the output has columns.
    const output = model.tensors.get(`blk.${layer}.attn_output.weight`)?.shape[1];
    const own = output !== undefined && rows === 2 * output ? output : rows;
    if (own * kv === keyRows * n) continue;
    const message = `has ${kv} of ${n} heads, and layer ${layer} has ${keyRows} rows of keys for ${rows} of queries`;
    odd(model, 'attention.head_count_kv', message, name);
    return;
  }
  checkKeysThere(model, groups);
}

/** Heads of keys in a layer of queries without any: llama.cpp then looks for tensors of another kind. */
function checkKeysThere(model: Model, groups: (layer: number) => number | undefined): void {
  if (model.entries.has(`${model.architecture}.attention.shared_kv_layers`)) return;
  const isPerLayer =
    typeof model.entries.get(`${model.architecture}.attention.head_count_kv`)?.value === 'object';
  for (const name of model.tensors.keys()) {
    const layer = BLOCK.exec(name)?.[1];
    if (layer === undefined || !isPerLayer || !((groups(Number(layer)) ?? 0) > 0)) continue;
    if ([...KEY_NAMES].some((one) => model.tensors.has(`blk.${layer}.${one}.weight`))) continue;
    odd(model, 'attention.head_count_kv', `is above 0 for layer ${layer}, which has no keys`, name);
    return;
  }
}

const KEY_NAMES = ['attn_k', 'attn_qkv', 'attn_kv_a_mqa', 'attn_kv_b', 'attn_k_b', 'attn_kv'];

function checkEmbedding(model: Model, { name, shape }: TensorLayout): void {
  const [rows, columns] = shape;
  const due = numbers(model, 'embedding_length')?.(0);
  if (due !== undefined && shape.length === 2 && columns !== due)
    odd(model, 'embedding_length', `is ${due}, and the embedding has ${columns} columns`, name);
  const tokens = model.entries.get('tokenizer.ggml.tokens')?.value;
  const count = typeof tokens === 'object' ? tokens.items.length : undefined;
  if (count !== undefined && shape.length === 2 && rows !== count)
    odd(model, 'tokenizer.ggml.tokens', `has ${count} tokens, and the embedding ${rows} rows`, name);
}

function checkExperts(model: Model): void {
  const due = numbers(model, 'expert_count')?.(0);
  if (due === undefined || due === 0) return;
  for (const [name, { shape }] of model.tensors) {
    if (!/^blk\.\d{1,6}\.ffn_(gate|up|down)_exps\.weight$/.test(name) || shape.length !== 3) continue;
    if (shape[0] === due) continue;
    odd(model, 'expert_count', `is ${due}, and ${quoted(name)} holds ${shape[0]} experts`, name);
    return;
  }
}
