// The scale of an adapter's updates is always told: the weights alone do not show it.
import { quoted } from '../../../document/violations.ts';
import type { Adapter } from '../../adapter/adapter.ts';
import { type AdapterModule, type AdapterTensor, placeOf, scalarOf } from '../../adapter/module.ts';
import { type Selections, scaleOf } from '../../adapter/scale.ts';
import type { Contradictions } from '../contradictions.ts';
import type { BaseModel } from './base.ts';

/** In the adapters that are published s is 0.1 to 8; rsLoRA at rank 256 comes to 32, and mlx-lm's default is 20. */
const MOST = 100;
/** Norms of a weight's rows, biases and factors of activations, which DoRA, LoRA and IA3 write out: of real ones, below 100. */
const MOST_VALUE = 1000;
/** DoRA's magnitudes are the norms of the base's rows, as training left them. */
const MOST_RATIO = 4;
const SHOWN = 6;

export function checkStrength(
  adapter: Adapter,
  selections: Selections,
  base: BaseModel | null,
  contradictions: Contradictions,
): void {
  const counts = new Map<number, number>();
  const { path } = adapter;
  for (const module of adapter.modules) {
    checkValues(path, module, base, contradictions);
    const scale = scaleOf(adapter, module, selections);
    if (scale === undefined) continue;
    if (scale === null) {
      checkUnknown(path, module, contradictions);
      continue;
    }
    counts.set(scale, (counts.get(scale) ?? 0) + 1);
    if (scale > 0 && scale <= MOST) continue;
    contradictions.report(
      'adapter/scale-extreme',
      path,
      `${quoted(module.name)} is scaled by ${brief(scale)}`,
      {
        ...placeOf(module),
        expected: `above 0, at most ${MOST}`,
        actual: brief(scale),
      },
    );
  }
  if (counts.size > 0) contradictions.report('adapter/scale', path, told(counts, adapter));
  tellVectors(adapter, contradictions);
  const silent = adapter.modules.filter(isUntrained).length;
  if (silent > 0) {
    const message = `${silent} of ${adapter.modules.length} modules have a factor of zeros and change nothing`;
    contradictions.report('adapter/untrained', path, message);
  }
}

/** An alpha that is no number: a loader that goes on makes NaN or anything of it. */
function checkUnknown(path: string, module: AdapterModule, contradictions: Contradictions): void {
  const { alpha, scalar } = module.parts;
  const tensor = [alpha, scalar].find((one) => one !== undefined && scalarOf(one) === null);
  if (tensor === undefined) return;
  contradictions.report('adapter/scale-extreme', path, `${quoted(tensor.name)} is not one finite number`, {
    tensor: tensor.name,
    offset: tensor.start,
  });
}

/** What acts by its own size: magnitudes, biases, vectors. */
function checkValues(
  path: string,
  module: AdapterModule,
  base: BaseModel | null,
  contradictions: Contradictions,
): void {
  const { magnitude, bias, vector, diffBias, rescale, d, b } = module.parts;
  const report = (tensor: AdapterTensor, message: string, expected: string, actual: number): void =>
    contradictions.report('adapter/scale-extreme', path, `${quoted(tensor.name)} ${message}`, {
      tensor: tensor.name,
      offset: tensor.start,
      expected,
      actual: brief(actual),
    });
  const own = module.family === 'vera' ? [d, b] : [];
  for (const tensor of [magnitude, bias, vector, diffBias, rescale, ...own]) {
    const most = tensor?.stats?.absMax;
    if (tensor !== undefined && typeof most === 'number' && most > MOST_VALUE)
      report(tensor, `has values up to ${brief(most)}`, `at most ${MOST_VALUE}`, most);
  }
  const [norm, known] = [magnitude?.stats?.l2, base?.normOf(module.name)];
  if (magnitude === undefined || norm == null || known == null || known === 0) return;
  const ratio = norm / known;
  if (ratio <= MOST_RATIO && ratio >= 1 / MOST_RATIO) return;
  report(magnitude, `has ${brief(ratio)} times the norm of the base's weight`, 'about 1', ratio);
}

function told(counts: ReadonlyMap<number, number>, adapter: Adapter): string {
  const scales = [...counts].sort(([a], [b]) => b - a);
  const shown = scales
    .slice(0, SHOWN)
    .map(([scale, count]) => `${brief(scale)} (${count} ${count === 1 ? 'module' : 'modules'})`);
  const more =
    scales.length > SHOWN ? `, and ${scales.length - SHOWN} more, down to ${brief(scales.at(-1)![0])}` : '';
  const product = adapter.modules.some(({ family }) => family === 'lora' || family === 'adalora')
    ? 'B·A'
    : 'the update';
  return `${product} is multiplied by ${shown.join(', ')}${more}: ${ruleOf(adapter)}`;
}

function ruleOf({ spelling, config, ggufAlpha, mlx, components, modules }: Adapter): string {
  if (spelling === 'gguf')
    return ggufAlpha === null ? 'no adapter.lora.alpha' : `alpha ${brief(ggufAlpha)} over the rank`;
  if (spelling === 'mlx')
    return mlx?.alpha === null ? 'scale of adapter_config.json' : 'scale and alpha over the rank';
  if (spelling === 'peft')
    return config!.rsLora ? 'rsLoRA, alpha over the root of the rank' : 'alpha over the rank';
  if (modules.some(({ parts }) => parts.alpha !== undefined)) return 'the alpha of each module over its rank';
  return components.size > 0 ? 'lora_adapter_metadata of the header' : 'no alpha in the file';
}

/** Kinds that no scale multiplies are told by the values that act. */
function tellVectors({ path, modules }: Adapter, contradictions: Contradictions): void {
  const vectors = modules.flatMap(({ family, parts }) =>
    family === 'ia3' ? [parts.vector!] : family === 'vera' ? [parts.b, parts.d] : [],
  );
  const stats = vectors.flatMap((tensor) => tensor?.stats ?? []);
  const [least, most] = [stats.map(({ min }) => min), stats.map(({ max }) => max)].map((all) =>
    all.filter((value) => typeof value === 'number'),
  ) as [number[], number[]];
  if (least.length > 0) {
    const span = `${brief(least.reduce((a, b) => Math.min(a, b)))} to ${brief(most.reduce((a, b) => Math.max(a, b)))}`;
    contradictions.report('adapter/scale', path, `vectors of ${span} multiply what passes through them`);
  }
  const rotations = modules.filter(({ family }) => family === 'oft' || family === 'boft').length;
  if (rotations > 0)
    contradictions.report(
      'adapter/scale',
      path,
      `${rotations} modules rotate the weights: nothing scales them`,
    );
}

const brief = (scale: number): string => String(Number(scale.toPrecision(4)));

/** As it was when training began: one of the factors starts as zeros. */
function isUntrained({ parts: { a, b, w1a, w1b, w2a, w2b, w1, w2 } }: AdapterModule): boolean {
  return [a, b, w1a, w1b, w2a, w2b, w1, w2].some((factor) => {
    const stats = factor?.stats;
    return stats != null && stats.count > 0 && stats.zero === stats.count;
  });
}
