// What an adapter holds beyond the low-rank updates that its configuration names. A tensor of full rank replaces a layer: it is where
// a reviewer who looks at rank and alpha does not look.
import { quoted } from '../../../document/violations.ts';
import type { Contradictions } from '../contradictions.ts';
import type { AdapterConfig } from './adapter-config.ts';
import type { BaseModel } from './base.ts';
import { PEFT_PREFIX } from './factor-name.ts';
import type { Adapter, AdapterTensor } from './modules.ts';
import { EMBEDDINGS, type Selection } from './selection.ts';

export function checkTargets(adapter: Adapter, selection: Selection, contradictions: Contradictions): void {
  for (const module of adapter.modules) {
    if (selection.selects(module.name) !== false) continue;
    const tensor = module.a ?? module.b ?? module.magnitude ?? module.bias!;
    const message = `the configuration does not select ${quoted(module.name)}`;
    contradictions.report('adapter/target', adapter.path, message, {
      tensor: tensor.name,
      offset: tensor.start,
    });
  }
}

export function checkOthers(
  adapter: Adapter,
  config: AdapterConfig,
  base: BaseModel | null,
  contradictions: Contradictions,
): void {
  for (const tensor of adapter.others) {
    const { rule, message } = kindOf(tensor, adapter, config, base);
    const shape = `${tensor.dtype} [${tensor.shape.join(', ')}]`;
    contradictions.report(rule, adapter.path, `${quoted(tensor.name)} ${shape} ${message}`, {
      tensor: tensor.name,
      offset: tensor.start,
    });
  }
}

/** llama.cpp passes over norms and refuses all else (src/llama-adapter.cpp). */
export function checkGgufOthers(adapter: Adapter, contradictions: Contradictions): void {
  for (const { name, start } of adapter.others) {
    if (name.endsWith('_norm.weight')) continue;
    const message = `${quoted(name)} is neither .lora_a nor .lora_b`;
    contradictions.report('adapter/undeclared', adapter.path, message, { tensor: name, offset: start });
  }
}

interface Kind {
  readonly rule: 'adapter/saved' | 'adapter/embedding' | 'adapter/undeclared';
  readonly message: string;
}

function kindOf(
  tensor: AdapterTensor,
  adapter: Adapter,
  config: AdapterConfig,
  base: BaseModel | null,
): Kind {
  const name = tensor.name.startsWith(PEFT_PREFIX) ? tensor.name.slice(PEFT_PREFIX.length) : null;
  if (name === null) return { rule: 'adapter/undeclared', message: 'has no name that PEFT writes' };
  const module = name.slice(0, Math.max(0, name.lastIndexOf('.')));
  if (isSaved(module, config))
    return { rule: 'adapter/saved', message: 'replaces what modules_to_save names' };
  if (isBias(name, module, adapter, config))
    return { rule: 'adapter/saved', message: 'is one of the biases' };
  if (config.trainsTokens && /\.trainable_tokens_delta$/.test(name))
    return { rule: 'adapter/saved', message: 'holds rows for trainable_token_indices' };
  return isEmbedding(module)
    ? embeddingKind(tensor, module, config, base)
    : { rule: 'adapter/undeclared', message: 'is of full rank, and modules_to_save does not name it' };
}

/** PEFT takes every module whose name ends so, with all that is in it; not only at a dot. */
function isSaved(module: string, { saved }: AdapterConfig): boolean {
  if (saved.length === 0) return false;
  const segments = module.split('.');
  return segments.some((_, i) => {
    const ancestor = segments.slice(0, i + 1).join('.');
    return saved.some((entry) => entry !== '' && ancestor.endsWith(entry));
  });
}

function isBias(name: string, module: string, { modules }: Adapter, { bias }: AdapterConfig): boolean {
  if (!name.endsWith('.bias') || bias === 'none') return false;
  const plain = module.replace(/\.base_layer$/, '');
  return bias === 'all' || modules.some((one) => one.name === plain);
}

const isEmbedding = (module: string): boolean =>
  EMBEDDINGS.has(
    module
      .replace(/\.base_layer$/, '')
      .split('.')
      .at(-1)!,
  );

// PEFT saves embedding and head when the vocabulary was resized, and then no field of the configuration says so.
function embeddingKind(
  { shape }: AdapterTensor,
  module: string,
  { targets }: AdapterConfig,
  base: BaseModel | null,
): Kind {
  const plain = module.replace(/\.base_layer$/, '');
  const known = base?.shapeOf(plain);
  const targeted = Array.isArray(targets) && targets.some((target) => EMBEDDINGS.has(target));
  return known !== undefined && known !== null && !targeted && known[0] === shape[0]
    ? { rule: 'adapter/undeclared', message: "replaces the base's, whose vocabulary has the same size" }
    : { rule: 'adapter/embedding', message: 'replaces an embedding or head as a whole' };
}
