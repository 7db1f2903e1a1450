// How strongly an adapter acts. s·B·A is what reaches the model: small factors under a large s act like large ones, and a reviewer
// of the factors does not see s. So it is always told.
import { quoted } from '../../../document/violations.ts';
import type { TensorProfile } from '../../profile/profile.ts';
import type { Contradictions } from '../contradictions.ts';
import { type Adapter, type AdapterModule, rankOf } from './modules.ts';
import type { Selection } from './selection.ts';

/** In the adapters that are published s is 0.1 to 8; rsLoRA at rank 256 comes to 32. */
const MOST = 100;
const SHOWN = 6;

/** What B·A of a module is multiplied by; null: it cannot be told. */
export function scaleOf(adapter: Adapter, module: AdapterModule, selection: Selection | null): number | null {
  if (adapter.format === 'safetensors') return selection?.scaleOf(module.name)?.scale ?? null;
  const rank = rankOf(module);
  // llama.cpp takes an alpha of 0, or none, for a scale of 1.
  return rank === null ? null : (adapter.ggufAlpha ?? 0) === 0 ? 1 : adapter.ggufAlpha! / rank;
}

export function checkStrength(
  adapter: Adapter,
  selection: Selection | null,
  tensors: ReadonlyMap<string, TensorProfile>,
  contradictions: Contradictions,
): void {
  const counts = new Map<number, number>();
  for (const module of adapter.modules) {
    const scale = scaleOf(adapter, module, selection);
    if (scale === null) continue;
    counts.set(scale, (counts.get(scale) ?? 0) + 1);
    if (scale > 0 && scale <= MOST) continue;
    const tensor = module.b ?? module.a ?? undefined;
    contradictions.report(
      'adapter/scale-extreme',
      adapter.path,
      `${quoted(module.name)} is scaled by ${brief(scale)}`,
      {
        ...(tensor === undefined ? {} : { tensor: tensor.name }),
        expected: `above 0, at most ${MOST}`,
        actual: brief(scale),
      },
    );
  }
  if (counts.size > 0) contradictions.report('adapter/scale', adapter.path, told(counts, adapter));
  const silent = adapter.modules.filter((module) => isUntrained(module, tensors)).length;
  if (silent > 0) {
    const message = `${silent} of ${adapter.modules.length} modules have a factor of zeros and change nothing`;
    contradictions.report('adapter/untrained', adapter.path, message);
  }
}

function told(counts: ReadonlyMap<number, number>, { config, ggufAlpha, format }: Adapter): string {
  const rule =
    format === 'gguf'
      ? ggufAlpha === null
        ? 'no adapter.lora.alpha'
        : `alpha ${brief(ggufAlpha)} over the rank`
      : config!.rsLora
        ? 'rsLoRA, alpha over the root of the rank'
        : 'alpha over the rank';
  const scales = [...counts].sort(([a], [b]) => b - a);
  const shown = scales
    .slice(0, SHOWN)
    .map(([scale, count]) => `${brief(scale)} (${count} ${count === 1 ? 'module' : 'modules'})`);
  const more =
    scales.length > SHOWN ? `, and ${scales.length - SHOWN} more, down to ${brief(scales.at(-1)![0])}` : '';
  return `B·A is multiplied by ${shown.join(', ')}${more}: ${rule}`;
}

const brief = (scale: number): string => String(Number(scale.toPrecision(4)));

/** As it was when training began: one of the factors starts as zeros. */
function isUntrained({ a, b }: AdapterModule, tensors: ReadonlyMap<string, TensorProfile>): boolean {
  return [a, b].some((factor) => {
    const stats = factor === null ? undefined : tensors.get(factor.name)?.stats;
    return stats != null && stats.count > 0 && stats.zero === stats.count;
  });
}
