// Which module a tensor of an adapter belongs to, and as what. PEFT: huggingface/peft, src/peft/utils/save_and_load.py; GGUF:
// llama.cpp, src/llama-adapter.cpp.
import type { Format } from '../../format/layout.ts';

export type Part = 'a' | 'b' | 'magnitude' | 'bias';

interface FactorName {
  /** The base model's name of the module; of GGUF, of its weight. */
  readonly module: string;
  readonly part: Part;
  /** The factors of an embedding, whose input is the vocabulary. */
  readonly embedding: boolean;
}

export const PEFT_PREFIX = 'base_model.model.';

/** null: not a tensor of a low-rank update. */
export function factorName(name: string, format: Format): FactorName | null {
  return format === 'gguf' ? ggufFactor(name) : peftFactor(name);
}

function ggufFactor(name: string): FactorName | null {
  const part = GGUF_PARTS.get(name.slice(-7));
  if (part === undefined) return null;
  const module = name.slice(0, -7);
  return { module, part, embedding: module.endsWith('token_embd.weight') };
}

const GGUF_PARTS: ReadonlyMap<string, Part> = new Map([
  ['.lora_a', 'a'],
  ['.lora_b', 'b'],
]);

function peftFactor(name: string): FactorName | null {
  if (!name.startsWith(PEFT_PREFIX)) return null;
  const at = name.lastIndexOf('.lora_');
  if (at < PEFT_PREFIX.length) return null;
  const known = PEFT_PARTS.get(name.slice(at + 1).replace('.default', ''));
  if (known === undefined) return null;
  return { module: name.slice(PEFT_PREFIX.length, at), part: known[0], embedding: known[1] };
}

// Old versions kept the adapter's name, 'default', in the key, and gave the magnitude a weight.
const PEFT_PARTS: ReadonlyMap<string, readonly [Part, boolean]> = new Map([
  ['lora_A.weight', ['a', false]],
  ['lora_B.weight', ['b', false]],
  ['lora_B.bias', ['bias', false]],
  ['lora_embedding_A', ['a', true]],
  ['lora_embedding_B', ['b', true]],
  ['lora_magnitude_vector', ['magnitude', false]],
  ['lora_magnitude_vector.weight', ['magnitude', false]],
]);
