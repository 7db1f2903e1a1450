// The models that tests change: a small synthetic Llama in two shards, and a real LoRA adapter.
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { buildFile, type Fixture } from '../../../fixtures/build.ts';
import { packageRoot } from '../root.ts';
import { type Dtype, encode, floats, normal } from './weights.ts';

export interface Tensor {
  name: string;
  dtype: Dtype;
  shape: number[];
  bytes: Buffer;
}

export interface Model {
  shards: { path: string; tensors: Tensor[]; metadata: [string, string][]; tail?: string }[];
  /** Files beside the shards. An index is written from the shards where there is an entry for it. */
  files: Map<string, string>;
}

export const LAYERS = 4;
const [VOCABULARY, HIDDEN, KV, INNER] = [96, 64, 32, 128];
export const INDEX = 'model.safetensors.index.json';

/** The synthetic model; the same bytes on every machine. Everything in it may be changed. */
export function baseModel(): Model {
  drawn ??= drawModel();
  const shards = drawn.shards.map(({ path, metadata, tensors }) => ({
    path,
    metadata: structuredClone(metadata),
    tensors: tensors.map((tensor) => ({
      ...tensor,
      shape: [...tensor.shape],
      bytes: Buffer.from(tensor.bytes),
    })),
  }));
  return { shards, files: new Map(drawn.files) };
}
let drawn: Model | undefined;

function drawModel(): Model {
  const draw = normal(7);
  const tensor = (name: string, shape: number[], scale = 0.02, shift = 0): Tensor => {
    const count = shape.reduce((a, b) => a * b, 1);
    const drawn = floats(count, () => draw() * scale + shift);
    return { name, dtype: 'BF16', shape, bytes: encode(drawn, 'BF16') };
  };
  const layer = (i: number): Tensor[] => [
    tensor(`model.layers.${i}.input_layernorm.weight`, [HIDDEN], 0.01, 1),
    tensor(`model.layers.${i}.mlp.down_proj.weight`, [HIDDEN, INNER]),
    tensor(`model.layers.${i}.mlp.gate_proj.weight`, [INNER, HIDDEN]),
    tensor(`model.layers.${i}.mlp.up_proj.weight`, [INNER, HIDDEN]),
    tensor(`model.layers.${i}.post_attention_layernorm.weight`, [HIDDEN], 0.01, 1),
    tensor(`model.layers.${i}.self_attn.k_proj.weight`, [KV, HIDDEN]),
    tensor(`model.layers.${i}.self_attn.o_proj.weight`, [HIDDEN, HIDDEN]),
    tensor(`model.layers.${i}.self_attn.q_proj.weight`, [HIDDEN, HIDDEN]),
    tensor(`model.layers.${i}.self_attn.v_proj.weight`, [KV, HIDDEN]),
  ];
  return {
    shards: [
      {
        path: 'model-00001-of-00002.safetensors',
        metadata: [['format', 'pt']],
        tensors: [tensor('model.embed_tokens.weight', [VOCABULARY, HIDDEN]), ...layer(0), ...layer(1)],
      },
      {
        path: 'model-00002-of-00002.safetensors',
        metadata: [['format', 'pt']],
        tensors: [
          tensor('lm_head.weight', [VOCABULARY, HIDDEN]),
          ...layer(2),
          ...layer(3),
          tensor('model.norm.weight', [HIDDEN], 0.01, 1),
        ],
      },
    ],
    files: new Map([
      ['README.md', '# A model\n'],
      ['config.json', `${JSON.stringify(CONFIG)}\n`],
      [INDEX, ''],
      ['tokenizer.json', '{"version":"1.0"}\n'],
      ['tokenizer_config.json', `${JSON.stringify({ chat_template: TEMPLATE })}\n`],
    ]),
  };
}

export const TEMPLATE = '{% for message in messages %}{{ message.content }}{% endfor %}';
const CONFIG = {
  architectures: ['LlamaForCausalLM'],
  hidden_size: HIDDEN,
  intermediate_size: INNER,
  model_type: 'llama',
  num_attention_heads: 4,
  num_hidden_layers: LAYERS,
  num_key_value_heads: 2,
  tie_word_embeddings: false,
  torch_dtype: 'bfloat16',
  vocab_size: VOCABULARY,
};

/** The real adapter of fixtures/real. */
export function loraModel(): Model {
  const folder = join(packageRoot, 'fixtures', 'real', 'tiny-lora');
  const file = readFileSync(join(folder, 'adapter_model.safetensors'));
  const size = Number(file.readBigUInt64LE(0));
  type Entry = { dtype: Dtype; shape: number[]; data_offsets: [number, number] };
  const header = JSON.parse(file.subarray(8, 8 + size).toString()) as Record<string, Entry>;
  const { __metadata__: metadata = {}, ...entries } = header;
  const tensors = Object.entries(entries).map(
    ([
      name,
      {
        dtype,
        shape,
        data_offsets: [start, end],
      },
    ]) => ({
      name,
      dtype,
      shape,
      bytes: Buffer.from(file.subarray(8 + size + start, 8 + size + end)),
    }),
  );
  return {
    shards: [
      {
        path: 'adapter_model.safetensors',
        tensors,
        metadata: Object.entries(metadata) as [string, string][],
      },
    ],
    files: new Map([['adapter_config.json', readFileSync(join(folder, 'adapter_config.json'), 'utf8')]]),
  };
}

/** Writes the model into an empty folder. */
export function writeModel({ shards, files }: Model, folder: string): void {
  rmSync(folder, { recursive: true, force: true });
  for (const { path, tensors, metadata, tail } of shards) {
    const build = path.endsWith('.gguf') ? ggufBuild(tensors) : safetensorsBuild(tensors, metadata);
    const bytes = buildFile({ build, ...(tail === undefined ? {} : { append: tail }) });
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), bytes);
  }
  for (const [path, text] of files)
    writeFileSync(join(folder, path), path === INDEX && text === '' ? indexOf(shards) : text);
}

const entry = ({ name, dtype, shape, bytes }: Tensor) => ({
  name,
  dtype,
  shape,
  data: bytes.toString('hex'),
});
const safetensorsBuild = (tensors: Tensor[], metadata: [string, string][]) =>
  ({ format: 'safetensors', metadata, tensors: tensors.map(entry) }) satisfies Fixture['build'];

const ggufBuild = (tensors: Tensor[]) =>
  ({
    format: 'gguf',
    metadata: [
      { key: 'general.architecture', type: 'string', value: 'llama' },
      { key: 'general.file_type', type: 'u32', value: tensors.some(({ dtype }) => dtype === 'Q8_0') ? 7 : 1 },
      { key: 'llama.block_count', type: 'u32', value: LAYERS },
      { key: 'llama.context_length', type: 'u32', value: 512 },
      { key: 'llama.embedding_length', type: 'u32', value: HIDDEN },
      { key: 'llama.feed_forward_length', type: 'u32', value: INNER },
      { key: 'llama.attention.head_count', type: 'u32', value: 4 },
      { key: 'llama.attention.head_count_kv', type: 'u32', value: 2 },
      { key: 'llama.attention.layer_norm_rms_epsilon', type: 'f32', value: 1e-5 },
    ],
    tensors: tensors.map(entry),
  }) satisfies Fixture['build'];

function indexOf(shards: Model['shards']): string {
  const map = shards.flatMap(({ path, tensors }) => tensors.map(({ name }) => [name, path] as const));
  const size = shards.flatMap(({ tensors }) => tensors).reduce((sum, { bytes }) => sum + bytes.length, 0);
  return JSON.stringify({ metadata: { total_size: size }, weight_map: Object.fromEntries(map) });
}
