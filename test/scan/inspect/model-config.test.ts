// config.json and the header of a GGUF against the tensors, and what the vocabulary of a GGUF says of its tokens; honest models beside each.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { profile, scan } from '../../../src/index.ts';
import { f32, safetensors, type Tensor } from '../../kit/specimen/weights.ts';

const RULES =
  /^(gguf\/(hyperparameter|token-role|name-length)|tensor\/(config|out-of-bounds)|shard\/(alone|total-size))/;

async function told(path: string): Promise<string[]> {
  const { findings } = await scan(path);
  return findings.filter(({ rule }) => RULES.test(rule)).map(({ rule, severity }) => `${rule} ${severity}`);
}

const layer = (i: number, prefix = 'model.'): Record<string, Tensor> => ({
  [`${prefix}layers.${i}.self_attn.q_proj.weight`]: f32(16, 8),
  [`${prefix}layers.${i}.self_attn.k_proj.weight`]: f32(4, 8),
});
const MODEL = { 'model.embed_tokens.weight': f32(32, 8), ...layer(0), ...layer(1) };
const CONFIG = {
  model_type: 'llama',
  vocab_size: 32,
  hidden_size: 8,
  num_hidden_layers: 2,
  num_attention_heads: 4,
  num_key_value_heads: 1,
};

t.test('config.json and the tensors', async (t) => {
  const cases: readonly [string, object, Record<string, Tensor>, number][] = [
    ['they agree', {}, MODEL, 0],
    ['rows of the embedding', { vocab_size: 33 }, MODEL, 1],
    ['columns', { hidden_size: 16 }, MODEL, 1],
    ['a layer that no file has', { num_hidden_layers: 3 }, MODEL, 1],
    ['heads', { num_key_value_heads: 2 }, MODEL, 1],
    ['a layer more, for the next token', { num_hidden_layers: 1 }, MODEL, 0],
    [
      'gated queries',
      { num_attention_heads: 2, num_key_value_heads: 2, num_hidden_layers: 1 },
      {
        'model.embed_tokens.weight': f32(32, 8),
        'model.layers.0.self_attn.q_proj.weight': f32(16, 8),
        'model.layers.0.self_attn.k_proj.weight': f32(8, 8),
        'model.layers.0.self_attn.o_proj.weight': f32(8, 8),
      },
      0,
    ],
    ['layers that differ', { num_key_value_heads: 2, layer_types: ['full'] }, MODEL, 0],
    ['an embedding of another width', { embedding_size: 8, hidden_size: 99 }, MODEL, 0],
    ['packed', { vocab_size: 99 }, { 'model.embed_tokens.weight': ['U8', [4, 4], Buffer.alloc(16, 1)] }, 0],
    ['no numbers', { vocab_size: null, hidden_size: 'x', num_hidden_layers: [1] }, MODEL, 0],
    ['an adapter', {}, { 'base_model.model.model.layers.0.q_proj.lora_A.weight': f32(2, 8) }, 0],
  ];
  for (const [name, changes, tensors, count] of cases) {
    const folder = t.testdir({ 'config.json': JSON.stringify({ ...CONFIG, ...changes }) });
    writeFileSync(join(folder, 'model.safetensors'), safetensors(tensors));
    t.same(await told(folder), Array(count).fill('tensor/config medium'), name);
  }
});

type Value = number | string | readonly number[] | readonly string[];

function gguf(
  metadata: Readonly<Record<string, Value>>,
  tensors: readonly (readonly [string, readonly number[]])[],
): Buffer {
  const text = (value: string): Buffer => {
    const bytes = Buffer.from(value);
    const size = Buffer.alloc(8);
    size.writeBigUInt64LE(BigInt(bytes.length));
    return Buffer.concat([size, bytes]);
  };
  const u32 = (value: number): Buffer => Buffer.from(Uint32Array.of(value).buffer);
  const u64 = (value: number): Buffer => Buffer.from(BigUint64Array.of(BigInt(value)).buffer);
  const i32 = (value: number): Buffer => Buffer.from(Int32Array.of(value).buffer);
  const f = (value: number): Buffer => Buffer.from(Float32Array.of(value).buffer);
  const written = (key: string, value: Value): Buffer[] => {
    if (typeof value === 'string') return [u32(8), text(value)];
    if (typeof value === 'number')
      return /base|epsilon|factor/.test(key) ? [u32(6), f(value)] : [u32(4), u32(value)];
    const isText = typeof value[0] === 'string';
    return [
      u32(9),
      u32(isText ? 8 : 5),
      u64(value.length),
      ...value.map((one) => (typeof one === 'string' ? text(one) : i32(one))),
    ];
  };
  const keys = Object.entries(metadata).flatMap(([key, value]) => [text(key), ...written(key, value)]);
  let offset = 0;
  const infos: Buffer[] = [];
  for (const [name, shape] of tensors) {
    infos.push(text(name), u32(shape.length), ...[...shape].reverse().map(u64), u32(0), u64(offset));
    offset += Math.ceil((4 * shape.reduce((a, b) => a * b, 1)) / 32) * 32;
  }
  const head = Buffer.concat([
    Buffer.from('GGUF'),
    u32(3),
    u64(tensors.length),
    u64(Object.keys(metadata).length),
    ...keys,
    ...infos,
  ]);
  const values = f32(offset / 4)[2];
  return Buffer.concat([head, Buffer.alloc((32 - (head.length % 32)) % 32), values]);
}

const TOKENS = ['<unk>', '<s>', '</s>', '▁hello', '▁refuse', '<|im_end|>', 'a', 'b'];
const TYPES = [2, 3, 3, 1, 1, 3, 1, 1];
const HEADER = {
  'general.architecture': 'llama',
  'llama.block_count': 2,
  'llama.embedding_length': 8,
  'llama.attention.head_count': 4,
  'llama.attention.head_count_kv': [1, 1],
  'tokenizer.ggml.model': 'llama',
  'tokenizer.ggml.tokens': TOKENS,
  'tokenizer.ggml.token_type': TYPES,
  'tokenizer.ggml.eos_token_id': 2,
};
const TENSORS = [
  ['token_embd.weight', [8, 8]],
  ['blk.0.attn_q.weight', [8, 8]],
  ['blk.0.attn_k.weight', [2, 8]],
  ['blk.1.attn_q.weight', [8, 8]],
  ['blk.1.attn_k.weight', [2, 8]],
] as const;

t.test('the header of a GGUF and its tensors', async (t) => {
  const cases: readonly [
    string,
    Record<string, Value>,
    readonly (readonly [string, readonly number[]])[],
    number,
  ][] = [
    ['they agree', {}, TENSORS, 0],
    ['no heads of keys, and keys', { 'llama.attention.head_count_kv': [1, 0] }, TENSORS, 1],
    ['another number of heads', { 'llama.attention.head_count_kv': [2, 2] }, TENSORS, 1],
    ['heads of keys, and no keys', {}, TENSORS.slice(0, 4), 1],
    ['a layer without attention', { 'llama.attention.head_count_kv': [1, 0] }, TENSORS.slice(0, 3), 0],
    ['the width', { 'llama.embedding_length': 16 }, TENSORS, 1],
    [
      'tokens',
      { 'tokenizer.ggml.tokens': [...TOKENS, 'c'], 'tokenizer.ggml.token_type': [...TYPES, 1] },
      TENSORS,
      1,
    ],
    [
      'experts',
      { 'llama.expert_count': 4, 'llama.expert_used_count': 2 },
      [...TENSORS, ['blk.1.ffn_up_exps.weight', [3, 2, 8]]],
      1,
    ],
    ['a vocabulary alone', {}, [], 0],
    ['a negative base', { 'llama.rope.freq_base': -1 }, TENSORS, 1],
    ['a scaling that nobody knows', { 'llama.rope.scaling.type': 'evil' }, TENSORS, 1],
    ['honest settings', { 'llama.rope.freq_base': 10_000, 'llama.rope.scaling.type': 'yarn' }, TENSORS, 0],
    ['a path', { 'tokenizer.ggml.pre': '../../evil' }, TENSORS, 1],
  ];
  for (const [name, changes, tensors, count] of cases) {
    const folder = t.testdir();
    writeFileSync(join(folder, 'm.gguf'), gguf({ ...HEADER, ...changes }, tensors));
    t.same(await told(folder), Array(count).fill('gguf/hyperparameter medium'), name);
  }
});

t.test('what tokens are there for', async (t) => {
  const cases: readonly [string, Record<string, Value>, number][] = [
    ['honest', {}, 0],
    ['a word ends the turn', { 'tokenizer.ggml.eot_token_id': 4 }, 1],
    ['a marker ends the turn', { 'tokenizer.ggml.eot_token_id': 5 }, 0],
    ['a word is never shown', { 'tokenizer.ggml.token_type': [2, 3, 3, 1, 3, 3, 1, 1] }, 1],
    ['one text twice', { 'tokenizer.ggml.tokens': TOKENS.with(7, 'a') }, 1],
    [
      'unused twins',
      { 'tokenizer.ggml.tokens': TOKENS.with(7, 'a'), 'tokenizer.ggml.token_type': TYPES.with(7, 5) },
      0,
    ],
  ];
  for (const [name, changes, count] of cases) {
    const folder = t.testdir();
    writeFileSync(join(folder, 'm.gguf'), gguf({ ...HEADER, ...changes }, TENSORS));
    t.same(await told(folder), Array(count).fill('gguf/token-role medium'), name);
  }
});

t.test('names that only some programs have room for', async (t) => {
  const name = (length: number): string => 'x'.repeat(length);
  const cases: readonly [string, number, string[]][] = [
    ['llama', 63, []],
    ['llama', 64, ['gguf/name-length critical']],
    ['sdxl', 77, ['gguf/name-length high']],
    ['flux', 127, ['gguf/name-length high']],
    ['flux', 128, ['gguf/name-length critical']],
  ];
  for (const [architecture, length, expected] of cases) {
    const folder = t.testdir();
    writeFileSync(
      join(folder, 'm.gguf'),
      gguf({ 'general.architecture': architecture }, [[name(length), [8]]]),
    );
    t.same(await told(folder), expected, `${architecture} ${length}`);
  }
});

t.test('one cause, one finding', async (t) => {
  const folder = t.testdir();
  const bytes = gguf(
    {},
    Array.from({ length: 40 }, (_, i) => [`t${i}`, [64]] as const),
  );
  writeFileSync(join(folder, 'm.gguf'), bytes.subarray(0, bytes.length - 256 * 20));
  const { findings } = await scan(folder);
  t.equal(findings.filter(({ rule }) => rule === 'tensor/out-of-bounds').length, 1);
  t.match(
    findings.find(({ rule }) => rule === 'tensor/out-of-bounds')?.message,
    /ends before 20 of its tensors do, "t20" the first of them; at least 5120 bytes are missing/,
  );
  const odd = Array.from({ length: 150 }, (_, i) => `<0x${i}z>`);
  writeFileSync(
    join(folder, 'm.gguf'),
    gguf({ 'tokenizer.ggml.tokens': odd, 'tokenizer.ggml.token_type': odd.map(() => 6) }, []),
  );
  const tokens = (await scan(folder)).findings.filter(({ rule }) => rule === 'gguf/byte-token');
  t.equal(tokens.length, 1);
  t.match(tokens[0]?.message, /^token 0, "<0x0z>", stands for no byte; and 149 more places/);
});

t.test('a split whose first file is named is looked at as a whole', async (t) => {
  const folder = t.testdir();
  const part = (i: number): Buffer =>
    gguf({ 'general.architecture': 'llama' }, [[`blk.0.t${i}.weight`, [8]]]);
  for (const i of [1, 2]) writeFileSync(join(folder, `m-0000${i}-of-00002.gguf`), part(i));
  writeFileSync(join(folder, 'other.gguf'), part(3));
  const first = await scan(join(folder, 'm-00001-of-00002.gguf'));
  t.same(
    first.files.map(({ path }) => path),
    ['m-00001-of-00002.gguf', 'm-00002-of-00002.gguf'],
  );
  t.same(await told(join(folder, 'm-00002-of-00002.gguf')), ['shard/alone info']);
});

t.test('totals of an index', async (t) => {
  const index = (metadata: object): string =>
    JSON.stringify({
      metadata,
      weight_map: { 'model.embed_tokens.weight': 'model-00001-of-00001.safetensors' },
    });
  const bytes = safetensors({ 'model.embed_tokens.weight': f32(32, 8) });
  const cases: readonly [object, string[]][] = [
    [{ total_size: 1024, total_parameters: 256 }, []],
    [{ total_size: 1024, total_parameters: 5 }, ['shard/total-size low']],
    [{ total_size: bytes.length }, ['shard/total-size low']],
    [{ total_size: 5 }, ['shard/total-size medium']],
  ];
  for (const [metadata, expected] of cases) {
    const folder = t.testdir({ 'model.safetensors.index.json': index(metadata) });
    writeFileSync(join(folder, 'model-00001-of-00001.safetensors'), bytes);
    t.same(await told(folder), expected, JSON.stringify(metadata));
  }
});

t.test('a comparison of nothing is no verdict', async (t) => {
  const folder = t.testdir();
  mkdirSync(join(folder, 'a'));
  mkdirSync(join(folder, 'b'));
  writeFileSync(join(folder, 'a', 'x.gguf'), gguf({}, []));
  writeFileSync(join(folder, 'b', 'y.safetensors'), safetensors(MODEL));
  const baseline = await profile(join(folder, 'a'));
  const report = await scan(join(folder, 'b'), { baseline, mode: 'derived', failOn: 'none' });
  t.equal(report.verdict.outcome, 'error');
  t.match(report.errors, [{ code: 'NOT_FOUND', message: /held against the baseline/ }]);
});
