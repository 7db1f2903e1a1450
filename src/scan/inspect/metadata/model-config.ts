// config.json against the tensors beside it. Loaders build the model by the numbers and fill it from the files: a layer that no file has is
// left as it was made, at random, and only a warning says so.
import { type JsonObject, readJson } from '../../../document/json/value.ts';
import { quoted } from '../../../document/violations.ts';
import { type Finding, toFinding } from '../../../rules/finding.ts';
import type { MeasuredFile } from '../../measure/measured.ts';
import { folderOf } from '../../model/companion.ts';

interface Shape {
  readonly file: string;
  readonly dtype: string;
  readonly shape: readonly number[];
}

export function inspectModelConfigs(files: readonly MeasuredFile[], unread: ReadonlySet<string>): Finding[] {
  return files.flatMap((file) => {
    const { path } = file.entry;
    if (!/(^|\/)config\.json$/.test(path) || file.document === null) return [];
    const reading = readJson(Buffer.from(file.document).toString('utf8'));
    if ('wrong' in reading || !(reading.value instanceof Map)) return [];
    const folder = folderOf(path);
    const beside = files.filter(({ entry }) => folderOf(entry.path) === folder);
    // Of a model of which a part could not be read, nothing is known to be missing.
    if ([...unread].some((one) => folderOf(one) === folder)) return [];
    const tensors = new Map<string, Shape>();
    for (const { entry, format, layout } of beside)
      if (format === 'safetensors')
        for (const { name, dtype, shape } of layout?.tensors ?? [])
          tensors.set(name, { file: entry.path, dtype, shape });
    return tensors.size === 0 ? [] : contradictions(path, reading.value as JsonObject, tensors);
  });
}

/** Prefixes of the language model, and where its numbers stand. */
const PREFIXES: readonly (readonly [prefix: string, section: string | null])[] = [
  ['model.', null],
  ['transformer.', null],
  ['gpt_neox.', null],
  ['', null],
  ['language_model.model.', 'text_config'],
  ['model.language_model.', 'text_config'],
];

function contradictions(path: string, root: JsonObject, tensors: ReadonlyMap<string, Shape>): Finding[] {
  const known = PREFIXES.find(([prefix]) => EMBEDDINGS.some((name) => tensors.has(prefix + name)));
  if (known === undefined) return [];
  const [prefix, section] = known;
  const text = root.get('text_config');
  const config = section !== null && text instanceof Map ? (text as JsonObject) : root;
  if (section === null && text instanceof Map) return [];
  const model = { path, prefix, config, tensors };
  return [...embedding(model), ...layers(model), ...heads(model)];
}

const EMBEDDINGS = ['embed_tokens.weight', 'wte.weight', 'embed_in.weight'];

interface Model {
  readonly path: string;
  readonly prefix: string;
  readonly config: JsonObject;
  readonly tensors: ReadonlyMap<string, Shape>;
}

function number({ config }: Model, ...keys: readonly string[]): [key: string, value: number] | null {
  for (const key of keys) {
    const value = config.get(key);
    if (typeof value === 'number' && Number.isSafeInteger(value) && value > 0) return [key, value];
  }
  return null;
}

const told = ({ path }: Model, message: string, tensor?: string): Finding =>
  toFinding({ rule: 'tensor/config', file: path, message, ...(tensor === undefined ? {} : { tensor }) });

const isPlain = ({ dtype, shape }: Shape): boolean =>
  shape.length === 2 && /^(B?F16|F32|F64|F8_)/.test(dtype);

function embedding(model: Model): Finding[] {
  const name = model.prefix + EMBEDDINGS.find((one) => model.tensors.has(model.prefix + one));
  const tensor = model.tensors.get(name)!;
  if (!isPlain(tensor)) return [];
  const [rows, columns] = tensor.shape as [number, number];
  const tokens = number(model, 'vocab_size');
  const width = number(model, 'embedding_size', 'word_embed_proj_dim', 'hidden_size', 'n_embd', 'd_model');
  const found: Finding[] = [];
  if (tokens !== null && tokens[1] !== rows)
    found.push(
      told(model, `${quoted(tokens[0])} is ${tokens[1]}, and ${quoted(name)} has ${rows} rows`, name),
    );
  if (width !== null && width[1] !== columns)
    found.push(
      told(model, `${quoted(width[0])} is ${width[1]}, and ${quoted(name)} has ${columns} columns`, name),
    );
  return found;
}

function layers(model: Model): Finding[] {
  const due = number(model, 'num_hidden_layers', 'n_layer', 'num_layers');
  if (due === null || due[1] > 10_000) return [];
  const seen = new Set<number>();
  for (const name of model.tensors.keys()) {
    if (!name.startsWith(model.prefix)) continue;
    const layer = /^(?:layers|h)\.(\d{1,5})\./.exec(name.slice(model.prefix.length))?.[1];
    if (layer !== undefined) seen.add(Number(layer));
  }
  if (seen.size === 0) return [];
  const missing = Array.from({ length: due[1] }, (_, i) => i).filter((i) => !seen.has(i));
  if (missing.length === 0) return [];
  const such = missing.slice(0, 3).join(', ');
  return [
    told(
      model,
      `${quoted(due[0])} is ${due[1]}, and no tensor is of ${missing.length} of the layers, such as ${such}`,
    ),
  ];
}

/** Models whose layers differ in their heads say so in keys of their own. */
const MIXED =
  /(swa|global|local|linear|sliding|per_layer|block_configs|cross|index|mamba|ssm).*(head|layer|config)|kv_lora_rank|layer_types/;

function heads(model: Model): Finding[] {
  const n = number(model, 'num_attention_heads', 'n_head');
  const kv = number(model, 'num_key_value_heads');
  if (n === null || kv === null || [...model.config.keys()].some((key) => MIXED.test(key))) return [];
  for (const [name, queries] of model.tensors) {
    if (!name.startsWith(model.prefix) || !name.endsWith('.self_attn.q_proj.weight')) continue;
    const keys = model.tensors.get(name.replace('q_proj', 'k_proj'));
    if (keys === undefined || !isPlain(queries) || !isPlain(keys)) continue;
    const [rows, keyRows] = [queries.shape[0]!, keys.shape[0]!];
    // Queries with a gate of their own have twice the rows that the output has columns.
    const output = model.tensors.get(name.replace('q_proj', 'o_proj'))?.shape[1];
    const own = output !== undefined && rows === 2 * output ? output : rows;
    if (own * kv[1] === keyRows * n[1]) continue;
    const message = `there are to be ${kv[1]} of ${n[1]} heads for keys, and ${quoted(name)} has ${rows} rows for ${keyRows} of the keys`;
    return [told(model, message, name)];
  }
  return [];
}
