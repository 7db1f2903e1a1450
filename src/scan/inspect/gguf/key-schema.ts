// The types that loaders take for granted. A C loader casts the data of an array to the element type it expects: scores of
// one byte each, read as four, run past the end of their memory.
import type { MetadataEntry } from '../../format/layout.ts';

/** What a well-known key holds; null: the key is not one of these, or its type does not matter. */
export function expectedType(key: string): Expected | null {
  const exact = EXACT.get(key);
  if (exact !== undefined) return exact;
  return PATTERNS.find(([pattern]) => pattern.test(key))?.[1] ?? null;
}

interface Expected {
  /** For people. */
  readonly words: string;
  /** Types of the value; for an array, of its elements. */
  readonly types: ReadonlySet<string>;
  readonly array: 'yes' | 'no' | 'either';
}

/** The type of an entry as people write it: u32, or array of f32. */
export function typeOf({ type, value }: MetadataEntry): string {
  return typeof value === 'object' ? `array of ${value.elementType}` : type;
}

export function isOfType({ type, value }: MetadataEntry, { types, array }: Expected): boolean {
  if (typeof value !== 'object') return array !== 'yes' && types.has(type);
  return array !== 'no' && types.has(value.elementType);
}

const expected = (words: string, types: string, array: Expected['array'] = 'no'): Expected => ({
  words,
  types: new Set(types.split(' ')),
  array,
});

const INTEGERS = 'u8 i8 u16 i16 u32 i32 u64 i64';
const STRING = expected('string', 'string');
const STRINGS = expected('array of string', 'string', 'yes');
const INTEGER = expected('an integer', INTEGERS);
const BOOL = expected('bool', 'bool');
const FLOAT = expected('f32', 'f32 f64');
const FLOATS = expected('array of f32', 'f32', 'yes');
const U16 = expected('u16', 'u16');
const WORDS = expected('array of i32', 'i32 u32', 'yes');
/** One number, or one per layer. */
const PER_LAYER = expected('an integer or an array of i32', 'u32 i32 u64 i64 u16 i16', 'either');

const EXACT: ReadonlyMap<string, Expected> = new Map([
  ['general.architecture', STRING],
  ['general.type', STRING],
  ['general.file_type', INTEGER],
  ['general.quantization_version', INTEGER],
  // llama.cpp reads these without asking for their type, and aborts.
  ['split.no', U16],
  ['split.count', U16],
  ['split.tensors.count', expected('i32', 'i32')],
  ['tokenizer.ggml.model', STRING],
  ['tokenizer.ggml.pre', STRING],
  ['tokenizer.ggml.tokens', STRINGS],
  ['tokenizer.ggml.added_tokens', STRINGS],
  ['tokenizer.ggml.merges', STRINGS],
  ['tokenizer.ggml.scores', FLOATS],
  ['tokenizer.ggml.token_type', WORDS],
  ['tokenizer.ggml.token_type_count', INTEGER],
  ['tokenizer.ggml.precompiled_charsmap', expected('array of u8', 'u8 i8', 'yes')],
  ['tokenizer.chat_template', STRING],
  ['tokenizer.chat_templates', STRINGS],
  ['tokenizer.huggingface.json', STRING],
  ['adapter.type', STRING],
  ['adapter.lora.alpha', FLOAT],
  ['adapter.alora.invocation_tokens', WORDS],
  ['clip.vision.image_mean', FLOATS],
  ['clip.vision.image_std', FLOATS],
  ['clip.vision.image_grid_pinpoints', WORDS],
]);

const PATTERNS: readonly (readonly [RegExp, Expected])[] = [
  [/^tokenizer\.chat_template\.\w+$/, STRING],
  [/^tokenizer\.ggml\.\w+_token_id$/, INTEGER],
  [/^tokenizer\.ggml\.(add_\w+|remove_extra_whitespaces|escape_whitespaces)$/, BOOL],
  [
    /^[\w-]+\.(context_length|embedding_length|block_count|vocab_size|expert_count|expert_used_count)$/,
    INTEGER,
  ],
  [/^[\w-]+\.(feed_forward_length|attention\.head_count|attention\.head_count_kv)$/, PER_LAYER],
];
