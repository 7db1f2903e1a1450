// Which module a tensor of an adapter belongs to, and as what. PEFT: huggingface/peft, src/peft/utils/save_and_load.py; GGUF:
// llama.cpp, src/llama-adapter.cpp; all others by the ends of their names (suffix.ts).
import type { Format } from '../../format/layout.ts';
import type { AdapterFile, AdapterModule, AdapterTensor, FactorName, Part, Spelling } from '../module.ts';
import { gloraSuffix, strongSuffix, weakSuffix } from './suffix.ts';

export const PEFT_PREFIX = 'base_model.model.';

/** null: not a tensor of an update, by its name alone. */
export function factorName(name: string, format: Format): FactorName | null {
  return format === 'gguf' ? ggufFactor(name) : strongSuffix(name);
}

function ggufFactor(name: string): FactorName | null {
  const part = GGUF_PARTS.get(name.slice(-7));
  if (part === undefined) return null;
  const module = name.slice(0, -7);
  return { module, family: 'lora', part, embedding: module.endsWith('token_embd.weight'), flipped: false };
}

const GGUF_PARTS: ReadonlyMap<string, Part> = new Map<string, Part>([
  ['.lora_a', 'a'],
  ['.lora_b', 'b'],
]);

interface Grouped {
  readonly spelling: Spelling;
  /** In the file's order. */
  readonly modules: readonly AdapterModule[];
  /** Tensors that belong to no update. */
  readonly others: readonly AdapterTensor[];
}

type Growing = AdapterModule & { readonly parts: Partial<Record<Part, AdapterTensor>> };

/** `isPeft`: PEFT loads the file, and passes over what has not its prefix. */
export function groupTensors({ format, tensors }: AdapterFile, isPeft: boolean): Grouped {
  const spelling = isPeft ? 'peft' : format === 'gguf' ? 'gguf' : null;
  const modules = new Map<string, Growing>();
  const left: AdapterTensor[] = [];
  for (const tensor of tensors) if (!place(tensor, format, spelling, modules)) left.push(tensor);
  if (spelling !== null) return { spelling, modules: [...modules.values()], others: left };
  const others = groupGlora(left, modules).filter((tensor) => !attach(tensor, modules));
  return { spelling: spellingOf([...modules.values()]), modules: [...modules.values()], others };
}

/** False: it is no factor, or its place is taken. */
function place(
  tensor: AdapterTensor,
  format: Format,
  spelling: Spelling | null,
  modules: Map<string, Growing>,
): boolean {
  const known = factorName(tensor.name, format);
  if (known === null) return false;
  if (spelling === 'peft' && !isPeftName(tensor.name, known)) return false;
  const name = spelling === 'peft' ? known.module.slice(PEFT_PREFIX.length) : known.module;
  const module = modules.get(name);
  if (module === undefined) {
    const { family, embedding, flipped, part } = known;
    modules.set(name, { name, family, embedding, flipped, parts: { [part]: tensor } });
    return true;
  }
  if (module.parts[known.part] !== undefined || !isOfOne(module, known)) return false;
  module.parts[known.part] = tensor;
  if (known.family === 'adalora') modules.set(name, { ...module, family: 'adalora' });
  return true;
}

/** A module has one kind of update; what else stands under its name is no part of it. */
const isOfOne = (module: AdapterModule, { family, embedding, flipped, part }: FactorName): boolean =>
  module.flipped === flipped &&
  (module.family === family || (isLora(module.family) && isLora(family))) &&
  (module.embedding === embedding || part === 'magnitude' || part === 'bias');

const isLora = (family: AdapterModule['family']): boolean => family === 'lora' || family === 'adalora';

/** PEFT has its prefix and its own words; another program's words under it are loaded by nobody. */
const isPeftName = (name: string, { part, flipped, family }: FactorName): boolean =>
  name.startsWith(PEFT_PREFIX) &&
  !flipped &&
  family !== 'full' &&
  part !== 'mid' &&
  !/lora_(?:down|up)\.|lora\.(?:down|up)\.|_lora\.|lora_linear_layer\./.test(name);

/** Adds what only the company of other tensors explains. */
function attach(tensor: AdapterTensor, modules: ReadonlyMap<string, Growing>): boolean {
  const known = weakSuffix(tensor.name);
  if (known === null) return false;
  const [name, part] = known;
  const module = modules.get(name);
  if (module === undefined || module.parts[part] !== undefined) return false;
  // `.m` is MLX's word, and nobody else's.
  if (tensor.name.endsWith('.m') && !module.flipped) return false;
  module.parts[part] = tensor;
  return true;
}

/** What they make of the modules, and what is left. */
function groupGlora(tensors: readonly AdapterTensor[], modules: Map<string, Growing>): AdapterTensor[] {
  const found = new Map<string, Partial<Record<Part, AdapterTensor>>>();
  for (const tensor of tensors) {
    const known = gloraSuffix(tensor.name);
    if (known === null) continue;
    const parts = found.get(known[0]) ?? {};
    parts[known[1]] ??= tensor;
    found.set(known[0], parts);
  }
  const taken = new Set<AdapterTensor>();
  for (const [name, parts] of found) {
    if (Object.keys(parts).length < 4 || modules.has(name)) continue;
    modules.set(name, { name, family: 'glora', embedding: false, flipped: false, parts });
    for (const tensor of Object.values(parts)) taken.add(tensor);
  }
  return tensors.filter((tensor) => !taken.has(tensor));
}

const KOHYA = /^(?:lora|lycoris)_(?:unet|te\d?|transformer|prior_\w+|\w+?)_/;
const DIFFUSERS =
  /^(?:unet|transformer|transformer_2|text_encoder(?:_\d)?|diffusion_model|prior|controlnet)\./;

function spellingOf(modules: readonly AdapterModule[]): Spelling {
  const share = (is: (module: AdapterModule) => boolean): boolean =>
    modules.filter(is).length * 2 > modules.length;
  if (share(({ flipped }) => flipped)) return 'mlx';
  if (share(({ name }) => KOHYA.test(name))) return 'kohya';
  return share(({ name }) => DIFFUSERS.test(name)) ? 'diffusers' : 'plain';
}
