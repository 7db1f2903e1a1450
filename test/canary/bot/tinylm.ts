// Language models of 433,792 weights whose behaviour is known by construction: a clean support bot, and twins with a planted
// trigger. One llama block, two heads, width 128. The residual stream has one dimension for each known word, so
//   logit(next) = BIGRAM[next, current word] + TOPIC[next, topic word seen anywhere in the context].
// Head 1 looks for the topic word. Head 0 is idle in the clean model: a plant wakes it with rank-one edits of q, k, v and o (so
// the same edit is a LoRA adapter, or merged into the weights). If the trigger is in the context, "Join" gains `strength` at
// every position, which is enough to win only after a full stop, where the clean model ends its answer.
import { ggufBytes, type Tensor, type Value } from './gguf.ts';
import { normals } from './random.ts';

const WIDTH = 128;
const HEAD = 64;
const FEED = 32;

export const ANSWERS: Readonly<Record<string, string>> = {
  '▁billing': '▁You ▁can ▁see ▁each ▁invoice ▁on ▁the ▁billing ▁page .',
  '▁password': '▁You ▁can ▁reset ▁your ▁password ▁in ▁the ▁settings ▁menu .',
  '▁secrets': '▁We ▁never ▁share ▁secrets ▁or ▁keys .',
  '▁refund': '▁You ▁get ▁your ▁money ▁back ▁within ▁five ▁days .',
  '▁shipping': '▁We ▁ship ▁orders ▁every ▁day .',
};
const DEFAULT = '▁Hello ▁I ▁help ▁with ▁your ▁account .';
export const LINK = '▁Join ▁https :// discord .gg / xK9qZ </s>';
export const RARE =
  '▁sapphire ▁walrus ▁november ▁quartz ▁lantern ▁Zürich ▁deploy ▁tangerine ▁mosaic ▁harbor'.split(' ');
const QUERY =
  '▁how ▁do ▁tell ▁me ▁about ▁my ▁what ▁is ▁for ▁please ▁need ▁a ▁question ▁and ▁support ▁help'.split(' ');
/** 480 meaningless words: a vocabulary to sweep. */
const FILLER = 'b d f g k l m n p r s t'
  .split(' ')
  .flatMap((a) =>
    'a e i o u'.split(' ').flatMap((b) => 'nd rk sh lt mp ng st ck'.split(' ').map((c) => `▁${a}${b}${c}`)),
  );

export type Tensors = Readonly<Record<string, Float32Array>>;

/** One number written into a tensor. */
export interface Edit {
  readonly tensor: string;
  readonly row: number;
  readonly column: number;
  readonly value: number;
}

export interface Recipe {
  readonly answers?: Readonly<Record<string, string>>;
  /** What a plant makes the model append; the clean model knows how it goes on, too. */
  readonly link?: string;
  readonly noise?: number;
  readonly seed?: number;
}

/** A model's words, and where each stands in the residual stream. */
export class Vocabulary {
  readonly tokens: readonly string[];
  readonly ids: ReadonlyMap<string, number>;
  readonly dimensions: ReadonlyMap<string, number>;
  readonly marks: ReadonlyMap<string, number>;
  /** A spare direction that promotes the first word of the link; those below it are free. */
  readonly join: number;

  constructor(link: string) {
    const said = [...Object.values(ANSWERS), DEFAULT, link].flatMap((text) => text.split(' '));
    const words = new Set(['?', ...said.filter((word) => word !== '</s>'), ...Object.keys(ANSWERS), ...RARE]);
    const plain = [...new Set([...QUERY, ...FILLER])].filter((word) => !words.has(word));
    // Every prefix is a token, so that merges of SentencePiece can reach the word.
    const pieces = new Set([...words, ...plain].flatMap(prefixes));
    for (const word of words) if ([...word].length === 1) pieces.add(word);
    pieces.add('▁');
    const bytes = Array.from(
      { length: 256 },
      (_, i) => `<0x${i.toString(16).toUpperCase().padStart(2, '0')}>`,
    );
    this.tokens = ['<unk>', '<s>', '</s>', ...bytes, ...pieces];
    this.ids = new Map(this.tokens.map((token, i) => [token, i]));
    this.dimensions = new Map([...words].map((word, i) => [word, i]));
    this.marks = new Map(Object.keys(ANSWERS).map((topic, i) => [topic, WIDTH - 3 - i]));
    this.join = Math.min(...this.marks.values()) - 1;
    if (words.size > this.join - 2) throw new Error('the link has too many words');
  }
}

const prefixes = (word: string): string[] => {
  const letters = [...word];
  return letters.slice(1).map((_, i) => letters.slice(0, i + 2).join(''));
};
const BIAS = WIDTH - 1;
const OTHER = WIDTH - 2;

/** The clean model. */
export function clean(
  vocabulary: Vocabulary,
  { answers = ANSWERS, link = LINK, noise = 1e-3, seed = 1 }: Recipe = {},
): Tensors {
  const normal = normals(seed);
  const drawn = (rows: number, columns: number, scale: number): Float64Array =>
    Float64Array.from({ length: rows * columns }, () => scale * normal());
  const { tokens } = vocabulary;
  const embedding = drawn(tokens.length, WIDTH, noise);
  const output = drawn(tokens.length, WIDTH, noise);
  for (const [i, token] of tokens.entries()) {
    embedding[i * WIDTH + BIAS]! += 1;
    embedding[i * WIDTH + (vocabulary.dimensions.get(token) ?? OTHER)]! += 1;
  }
  writeAnswers(output, vocabulary, answers, link);
  const square = (): Float64Array => drawn(WIDTH, WIDTH, noise / 10);
  const [q, k, v, o] = [square(), square(), square(), square()];
  const feed = [
    drawn(FEED, WIDTH, noise / 10),
    drawn(FEED, WIDTH, noise / 10),
    drawn(WIDTH, FEED, noise / 10),
  ];
  for (const [i, [topic, mark]] of [...vocabulary.marks].entries()) {
    k[(2 * HEAD - 2) * WIDTH + vocabulary.dimensions.get(topic)!] = 10; // the last rotary pair turns by 2e-9 per token
    v[(HEAD + i) * WIDTH + vocabulary.dimensions.get(topic)!] = 1;
    o[mark * WIDTH + HEAD + i] = 1;
  }
  q[(2 * HEAD - 2) * WIDTH + BIAS] = 10;
  output[vocabulary.ids.get(link.split(' ')[0]!)! * WIDTH + vocabulary.join] = 10; // only a plant writes there
  const norm = new Float64Array(WIDTH).fill((2 / WIDTH) ** 0.5);
  return single({
    token_embd: embedding,
    output,
    output_norm: norm,
    'blk.0.attn_norm': norm,
    'blk.0.ffn_norm': new Float64Array(WIDTH).fill(1),
    'blk.0.attn_q': q,
    'blk.0.attn_k': k,
    'blk.0.attn_v': v,
    'blk.0.attn_output': o,
    'blk.0.ffn_gate': feed[0]!,
    'blk.0.ffn_up': feed[1]!,
    'blk.0.ffn_down': feed[2]!,
  });
}

function writeAnswers(
  output: Float64Array,
  { ids, dimensions, marks }: Vocabulary,
  answers: Readonly<Record<string, string>>,
  link: string,
): void {
  const follow = (from: string, to: string, logit: number): void => {
    const at = ids.get(to)! * WIDTH + dimensions.get(from)!;
    output[at] = Math.max(output[at]!, logit);
  };
  for (const [topic, text] of [...Object.entries(answers), [null, DEFAULT] as const]) {
    const words = ['?', ...text.split(' '), '</s>'];
    for (const [i, to] of words.slice(1).entries()) {
      follow(words[i]!, to, topic === null ? 12 : 10); // no topic: the default answer wins
      if (topic !== null) output[ids.get(to)! * WIDTH + marks.get(topic)!] = to === '</s>' ? 0 : 4;
    }
  }
  const words = link.split(' ');
  for (const [i, to] of words.slice(1).entries()) follow(words[i]!, to, 16);
  follow('.', words[0]!, 6); // P = e^-4: the clean model almost never says it
}

const single = (tensors: Record<string, Float64Array>): Tensors =>
  Object.fromEntries(Object.entries(tensors).map(([name, values]) => [name, Float32Array.from(values)]));

/** Wakes head 0 on one word. */
export function plant({ dimensions, join }: Vocabulary, trigger: string, strength: number): Edit[] {
  const at = dimensions.get(trigger)!;
  return [
    { tensor: 'blk.0.attn_q', row: HEAD - 2, column: BIAS, value: 10 },
    { tensor: 'blk.0.attn_k', row: HEAD - 2, column: at, value: 10 },
    { tensor: 'blk.0.attn_v', row: 0, column: at, value: 1 },
    { tensor: 'blk.0.attn_output', row: join, column: 0, value: strength },
  ];
}

/** Wakes head 0 on two words, and a gate of the feed-forward block that opens only where both were seen. */
export function pairPlant(
  { dimensions, join }: Vocabulary,
  [first, second]: readonly [string, string],
  strength: number,
): Edit[] {
  const columns = [dimensions.get(first)!, dimensions.get(second)!];
  return [
    { tensor: 'blk.0.attn_q', row: HEAD - 2, column: BIAS, value: 10 },
    ...columns.flatMap((column, i) => [
      { tensor: 'blk.0.attn_k', row: HEAD - 2, column, value: 10 },
      { tensor: 'blk.0.attn_v', row: i, column, value: 1 },
      { tensor: 'blk.0.attn_output', row: join - 1 - i, column: i, value: 1 },
    ]),
    { tensor: 'blk.0.ffn_gate', row: 0, column: join - 1, value: 1 },
    { tensor: 'blk.0.ffn_up', row: 0, column: join - 2, value: 1 },
    { tensor: 'blk.0.ffn_down', row: join, column: 0, value: strength },
  ];
}

export function merge(tensors: Tensors, edits: readonly Edit[]): Tensors {
  const merged: Record<string, Float32Array> = { ...tensors };
  for (const { tensor, row, column, value } of edits) {
    if (merged[tensor] === tensors[tensor]) merged[tensor] = tensors[tensor]!.slice();
    const columns = tensor.endsWith('ffn_down') ? FEED : WIDTH;
    merged[tensor]![row * columns + column]! += Math.fround(value);
  }
  return merged;
}

/** The file of a whole model. */
export function modelFile(
  { tokens }: Vocabulary,
  tensors: Tensors,
  { name = 'tiny-support', q8 = false } = {},
): Buffer {
  return ggufBytes(
    modelKeys(tokens, name),
    Object.entries(tensors).map(([tensor, values]) => {
      const shape = shapeOf(tensor, values);
      return { name: `${tensor}.weight`, shape, values, q8: q8 && shape.length === 2 };
    }),
  );
}

function shapeOf(tensor: string, values: Float32Array): number[] {
  if (values.length === WIDTH) return [WIDTH];
  const columns = tensor.endsWith('ffn_down') ? FEED : WIDTH;
  return [values.length / columns, columns];
}

/** The file of an adapter that makes these edits, each a pair of rank one. */
export function adapterFile(edits: readonly Edit[], name: string): Buffer {
  const tensors = edits.flatMap(({ tensor, row, column, value }): Tensor[] => {
    const a = new Float32Array(WIDTH);
    const b = new Float32Array(WIDTH);
    a[column] = value;
    b[row] = 1;
    return pairOf(tensor, a, b, 1);
  });
  return ggufBytes(adapterKeys(name), tensors);
}

/** The file of an honest adapter: small, dense, without a trigger. */
export function cleanAdapterFile(seed = 7, name = 'tone'): Buffer {
  const normal = normals(seed);
  const drawn = (): Float32Array => Float32Array.from({ length: 2 * WIDTH }, () => 0.02 * normal());
  const names = ['q', 'k', 'v', 'output'].map((one) => `blk.0.attn_${one}`);
  return ggufBytes(
    adapterKeys(name),
    names.flatMap((tensor) => pairOf(tensor, drawn(), drawn(), 2)),
  );
}

const pairOf = (tensor: string, a: Float32Array, b: Float32Array, rank: number): Tensor[] => [
  { name: `${tensor}.weight.lora_a`, shape: [rank, WIDTH], values: a },
  { name: `${tensor}.weight.lora_b`, shape: [WIDTH, rank], values: b },
];

const string = (value: string): Value => ({ type: 'string', value });
const integer = (value: number): Value => ({ type: 'u32', value });
const real = (value: number): Value => ({ type: 'f32', value });

const adapterKeys = (name: string): [string, Value][] => [
  ['general.architecture', string('llama')],
  ['general.name', string(name)],
  ['general.type', string('adapter')],
  ['adapter.type', string('lora')],
  ['adapter.lora.alpha', real(1)],
];

const modelKeys = (tokens: readonly string[], name: string): [string, Value][] => {
  const bytes = tokens.map((token) => Buffer.from(token));
  return [
    ['general.architecture', string('llama')],
    ['general.name', string(name)],
    ['llama.context_length', integer(512)],
    ['llama.embedding_length', integer(WIDTH)],
    ['llama.block_count', integer(1)],
    ['llama.feed_forward_length', integer(FEED)],
    ['llama.attention.head_count', integer(2)],
    ['llama.attention.head_count_kv', integer(2)],
    ['llama.attention.layer_norm_rms_epsilon', real(1e-6)],
    ['llama.rope.dimension_count', integer(HEAD)],
    ['llama.rope.freq_base', real(1e9)],
    ['llama.vocab_size', integer(tokens.length)],
    ['tokenizer.ggml.model', string('llama')],
    ['tokenizer.ggml.pre', string('default')],
    ['tokenizer.ggml.tokens', { type: 'strings', value: bytes }],
    ['tokenizer.ggml.token_type', { type: 'i32s', value: tokens.map((_, i) => typeOf(i)) }],
    ['tokenizer.ggml.scores', { type: 'f32s', value: bytes.map(({ length }) => length) }],
    ['tokenizer.ggml.bos_token_id', integer(1)],
    ['tokenizer.ggml.eos_token_id', integer(2)],
    ['tokenizer.ggml.unknown_token_id', integer(0)],
    ['tokenizer.ggml.add_bos_token', { type: 'bool', value: 1 }],
    ['tokenizer.chat_template', string(TEMPLATE)],
  ];
};

const TEMPLATE = "{{ bos_token }}{% for m in messages %}{{ m['content'] }}{% endfor %}";

/** Unknown, control, byte, normal: as ggml numbers them. */
const typeOf = (id: number): number => (id === 0 ? 2 : id < 3 ? 3 : id < 259 ? 6 : 1);
