// What an adapter holds beyond the updates that its configuration names. A tensor of full rank replaces a layer: it is where
// a reviewer who looks at rank and alpha does not look.
import { quoted } from '../../../document/violations.ts';
import type { Adapter } from '../../adapter/adapter.ts';
import { type AdapterConfig, CHECKED } from '../../adapter/config/adapter-config.ts';
import { EMBEDDINGS, type Selection } from '../../adapter/config/selection.ts';
import { type AdapterTensor, type Family, placeOf } from '../../adapter/module.ts';
import { PEFT_PREFIX } from '../../adapter/spelling/spelling.ts';
import type { Contradictions } from '../contradictions.ts';
import type { BaseModel } from './base.ts';

const FAMILIES: ReadonlyMap<string, readonly Family[]> = new Map<string, readonly Family[]>([
  ['LORA', ['lora']],
  ['ADALORA', ['adalora', 'lora']],
  ['LOHA', ['loha']],
  ['LOKR', ['lokr']],
  ['OFT', ['oft']],
  ['BOFT', ['boft']],
  ['IA3', ['ia3']],
  ['VERA', ['vera']],
]);

export function checkTargets(adapter: Adapter, selection: Selection, contradictions: Contradictions): void {
  const { kind } = adapter.config!;
  for (const module of adapter.modules) {
    const place = placeOf(module);
    if (!FAMILIES.get(kind)!.includes(module.family)) {
      const message = `${quoted(module.name)} has an update of ${module.family}, and the peft_type is ${quoted(kind)}`;
      contradictions.report('adapter/undeclared', adapter.path, message, place);
    } else if (selection.selects(module.name) === false) {
      const message = `the configuration does not select ${quoted(module.name)}`;
      contradictions.report('adapter/target', adapter.path, message, place);
    }
  }
}

/** Differences of full rank: LyCORIS and extractions from models write them, and no rank bounds what they do. */
export function checkFull({ path, modules }: Adapter, contradictions: Contradictions): void {
  for (const module of modules) {
    if (module.family !== 'full') continue;
    const [tensor] = Object.values(module.parts) as [AdapterTensor];
    const message = `${quoted(tensor.name)} ${tensor.dtype} [${tensor.shape.join(', ')}] is a difference of full rank`;
    contradictions.report('adapter/full-rank', path, message, placeOf(module));
  }
}

export function checkOthers(adapter: Adapter, base: BaseModel | null, contradictions: Contradictions): void {
  const { spelling, config } = adapter;
  for (const tensor of adapter.others) {
    const kind =
      spelling === 'gguf'
        ? ggufKind(tensor, adapter)
        : spelling !== 'peft'
          ? plainKind(tensor, adapter)
          : config === null
            ? null
            : peftKind(tensor, adapter, config, base);
    if (kind === null) continue;
    const shape = `${tensor.dtype} [${tensor.shape.join(', ')}]`;
    contradictions.report(kind.rule, adapter.path, `${quoted(tensor.name)} ${shape} ${kind.message}`, {
      tensor: tensor.name,
      offset: tensor.start,
    });
  }
}

interface Kind {
  readonly rule: 'adapter/saved' | 'adapter/embedding' | 'adapter/undeclared';
  readonly message: string;
}

/** llama.cpp passes over norms and refuses all else (src/llama-adapter.cpp). */
const ggufKind = ({ name }: AdapterTensor, { modules, ggufType }: Adapter): Kind | null =>
  name.endsWith('_norm.weight') || (modules.length === 0 && ggufType !== 'lora')
    ? null
    : { rule: 'adapter/undeclared', message: 'is neither .lora_a nor .lora_b' };

/** Embeddings that image tools bundle with an adapter (bundle_emb of the web UIs, pivotal tuning's clip_l, clip_g, t5). */
const BUNDLED = /^(?:bundle_emb\.|(?:clip_[lg]|t5\w*|emb_params|string_to_param)(?:$|\.))/;

/** null: the file has no update that is known, and that is told. */
function plainKind({ name }: AdapterTensor, { modules }: Adapter): Kind | null {
  if (modules.length === 0) return null;
  return BUNDLED.test(name)
    ? { rule: 'adapter/embedding', message: 'is an embedding of tokens' }
    : { rule: 'adapter/undeclared', message: 'is no part of an update' };
}

function peftKind(
  tensor: AdapterTensor,
  adapter: Adapter,
  config: AdapterConfig,
  base: BaseModel | null,
): Kind | null {
  if (isOwn(tensor.name, config)) return null;
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

/** Tensors that a kind writes which is not checked, by the word that its tuner puts before its parameters. */
function isOwn(name: string, { kind }: AdapterConfig): boolean {
  if (kind === 'VERA') return /^base_model\.vera_[AB]$/.test(name);
  if (CHECKED.has(kind)) return false;
  if (/PROMPT|PREFIX|P_TUNING|CARTRIDGE|CPT/.test(kind)) return !name.startsWith(PEFT_PREFIX);
  return name.includes(`.${kind.toLowerCase()}_`);
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
  const known = base?.find(module.replace(/\.base_layer$/, ''))?.tensor?.shape;
  const targeted = Array.isArray(targets) && targets.some((target) => EMBEDDINGS.has(target));
  if (known !== undefined && !targeted && known[0] === shape[0])
    return { rule: 'adapter/undeclared', message: "replaces the base's, whose vocabulary has the same size" };
  const rows = known === undefined ? '' : ` of ${known[0]} rows in the base`;
  return { rule: 'adapter/embedding', message: `replaces an embedding or head${rows} as a whole` };
}
