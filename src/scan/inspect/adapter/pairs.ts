// Whether the tensors of an update belong together: each factor has its partners, they can be multiplied, and they have the rank
// that the configuration says.
import { quoted } from '../../../document/violations.ts';
import type { Adapter } from '../../adapter/adapter.ts';
import { type AdapterModule, placeOf, sizeOf } from '../../adapter/module.ts';
import { missingParts } from '../../adapter/parts.ts';
import type { Selections } from '../../adapter/scale.ts';
import { lowRankOf, rankOf, updateShape } from '../../adapter/update.ts';
import type { Contradictions } from '../contradictions.ts';

export function checkPairs(adapter: Adapter, selections: Selections, contradictions: Contradictions): void {
  for (const module of adapter.modules) {
    const missing = missingParts(module);
    if (missing !== null) {
      const message = `${quoted(module.name)} has ${missing}`;
      contradictions.report('adapter/unpaired', adapter.path, message, placeOf(module));
    } else if (checkRank(adapter, module, selections, contradictions))
      checkMagnitude(adapter, module, contradictions);
  }
  checkStated(adapter, contradictions);
}

/** False: the parts do not make an update at all. */
function checkRank(
  adapter: Adapter,
  module: AdapterModule,
  selections: Selections,
  contradictions: Contradictions,
): boolean {
  const report = (message: string, expected: string, actual: string): void =>
    contradictions.report('adapter/rank', adapter.path, `${quoted(module.name)}: ${message}`, {
      ...placeOf(module),
      expected,
      actual,
    });
  const shape = updateShape(module, adapter.spelling === 'gguf');
  if (typeof shape === 'string') {
    report(shape, 'parts that fit each other', shapesOf(module));
    return false;
  }
  const rank = rankOf(module);
  const declared = declaredRank(adapter, module, selections);
  const fits =
    rank === null ||
    declared === null ||
    rank === declared ||
    (selections.whole?.hasExperts(module.name) === true && rank % declared === 0);
  if (!fits) report(`has rank ${rank}, the configuration says ${declared}`, String(declared), String(rank));
  return true;
}

const shapesOf = ({ parts }: AdapterModule): string =>
  Object.values(parts)
    .map(({ shape }) => `[${shape.join(', ')}]`)
    .join(', ');

function declaredRank(adapter: Adapter, module: AdapterModule, selections: Selections): number | null {
  const { spelling, config, mlx } = adapter;
  if (spelling === 'mlx') return mlx?.rank ?? null;
  if (spelling === 'peft') {
    if (config?.kind === 'ADALORA') return config.kept.get(module.name) ?? null;
    const scale = selections.whole?.scaleOf(module.name) ?? null;
    return scale === null || scale.rank === 0 ? null : scale.rank;
  }
  const dot = module.name.indexOf('.');
  const own = selections.components.get(module.name.slice(0, Math.max(0, dot)));
  return own?.scaleOf(module.name.slice(dot + 1))?.rank ?? null;
}

function checkMagnitude(adapter: Adapter, module: AdapterModule, contradictions: Contradictions): void {
  const { path, config, mlx, spelling } = adapter;
  const { magnitude, bias } = module.parts;
  const isLora = module.family === 'lora' || module.family === 'adalora';
  const name = quoted(module.name);
  if (bias !== undefined && spelling === 'peft' && config !== null && !config.loraBias) {
    const message = `${name} has a bias, and the configuration does not say lora_bias`;
    contradictions.report('adapter/undeclared', path, message, { tensor: bias.name, offset: bias.start });
  }
  if (!isLora) return;
  const isDora =
    spelling === 'peft' ? (config?.dora ?? null) : spelling === 'mlx' ? mlx?.kind === 'dora' : null;
  if (magnitude === undefined) {
    // Embeddings had no DoRA in the first versions.
    if (isDora === true && !module.embedding)
      contradictions.report('adapter/unpaired', path, `${name} has no magnitude, which DoRA needs`);
    return;
  }
  const place = { tensor: magnitude.name, offset: magnitude.start };
  if (isDora === false) {
    const message = `${name} has a magnitude, and the configuration does not say use_dora`;
    contradictions.report('adapter/undeclared', path, message, place);
    return;
  }
  const { out, inner } = lowRankOf(module, spelling === 'gguf')!;
  const size = sizeOf(magnitude.shape);
  // LyCORIS takes the norms along the inputs or along the outputs.
  if (size === out || (spelling !== 'peft' && size === inner)) return;
  const message = `${name}: the magnitude is not one number for each output`;
  contradictions.report('adapter/shape', path, message, {
    ...place,
    expected: String(out),
    actual: String(size),
  });
}

/** What sd-scripts wrote into the header, where a reviewer looks, against the tensors, which loaders go by. */
function checkStated({ path, stated, modules, spelling }: Adapter, contradictions: Contradictions): void {
  const ranks = new Set(modules.flatMap((module) => rankOf(module) ?? []));
  const isHeader = spelling !== 'peft' && spelling !== 'gguf' && ranks.size > 0;
  if (!isHeader || stated.rank === null || stated.rank === 0 || ranks.has(stated.rank)) return;
  // LyCORIS' word for factors that are not taken apart.
  if (modules.some(({ family }) => family === 'lokr')) return;
  const found = [...ranks].sort((a, b) => a - b).slice(0, 8);
  contradictions.report(
    'adapter/rank',
    path,
    `ss_network_dim is ${stated.rank}, and no module has that rank`,
    {
      expected: String(stated.rank),
      actual: found.join(', '),
    },
  );
}
