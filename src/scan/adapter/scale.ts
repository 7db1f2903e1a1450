// How strongly an adapter acts. s·B·A is what reaches the model: small factors under a large s act like large ones, and a reviewer
// of the factors does not see s.
import type { Adapter } from './adapter.ts';
import type { Selection } from './config/selection.ts';
import { type AdapterModule, scalarOf } from './module.ts';
import { isWholeKron, rankOf } from './update.ts';

/** What the update of a module is multiplied by; null: it cannot be told, undefined: nothing multiplies this kind. */
export function scaleOf(
  adapter: Adapter,
  module: AdapterModule,
  selections: Selections,
): number | null | undefined {
  if (!SCALED.has(module.family)) return undefined;
  const scale = ruleOf(adapter, module, selections);
  if (scale === null || module.parts.scalar === undefined) return scale;
  const scalar = scalarOf(module.parts.scalar);
  return scalar === null ? null : scale * scalar;
}

/** PEFT's configuration, or those of diffusers' components. */
export interface Selections {
  readonly whole: Selection | null;
  readonly components: ReadonlyMap<string, Selection>;
}

const SCALED: ReadonlySet<string> = new Set(['lora', 'adalora', 'loha', 'lokr']);

function ruleOf(adapter: Adapter, module: AdapterModule, { whole, components }: Selections): number | null {
  switch (adapter.spelling) {
    case 'peft':
      return peftScale(module, whole);
    case 'gguf':
      return ggufScale(adapter, module);
    case 'mlx':
      return mlxScale(adapter);
    default:
      return tensorScale(module, components);
  }
}

/** A kind whose rank stands in no field has no scale either. */
function peftScale({ name }: AdapterModule, selection: Selection | null): number | null {
  const known = selection?.scaleOf(name) ?? null;
  return known === null || known.rank === 0 ? null : known.scale;
}

function ggufScale({ ggufAlpha }: Adapter, module: AdapterModule): number | null {
  const rank = rankOf(module);
  // llama.cpp takes an alpha of 0, or none, for a scale of 1.
  return rank === null ? null : (ggufAlpha ?? 0) === 0 ? 1 : ggufAlpha! / rank;
}

/** mlx-lm multiplies by `scale` alone; versions of early 2024 had an alpha too, and multiplied by alpha over rank. */
function mlxScale({ mlx }: Adapter): number | null {
  if (mlx === null || mlx.scale === null) return null;
  return mlx.alpha === null || mlx.rank === null ? mlx.scale : (mlx.scale * mlx.alpha) / mlx.rank;
}

/** sd-scripts, LyCORIS, ComfyUI and diffusers: the module's own alpha over its rank; without one, what the header says, or 1. */
function tensorScale(module: AdapterModule, components: ReadonlyMap<string, Selection>): number | null {
  const { alpha } = module.parts;
  if (alpha === undefined) {
    const dot = module.name.indexOf('.');
    const own = components.get(module.name.slice(0, Math.max(0, dot)));
    return own === undefined ? 1 : (own.scaleOf(module.name.slice(dot + 1))?.scale ?? null);
  }
  // A Kronecker product of two whole matrices has no rank, and its alpha is passed over.
  if (isWholeKron(module)) return 1;
  const [value, rank] = [scalarOf(alpha), rankOf(module)];
  return value === null || rank === null || rank === 0 ? null : value / rank;
}
