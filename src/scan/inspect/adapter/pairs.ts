// Whether the factors of an adapter belong together: each A has its B, and both have the rank that the configuration says.
import { quoted } from '../../../document/violations.ts';
import type { Contradictions } from '../contradictions.ts';
import { type Adapter, type AdapterModule, rankOf } from './modules.ts';
import type { Selection } from './selection.ts';

export function checkPairs(
  adapter: Adapter,
  selection: Selection | null,
  contradictions: Contradictions,
): void {
  for (const module of adapter.modules) {
    const { a, b } = module;
    if (a === null || b === null) {
      const [there, missing] = a === null ? ['B', 'A'] : ['A', 'B'];
      const tensor = a ?? b ?? module.magnitude ?? module.bias!;
      const message =
        a === null && b === null ? 'has neither A nor B' : `has a factor ${there} and no ${missing}`;
      contradictions.report(
        'adapter/unpaired',
        adapter.path,
        `${quoted(module.name)} ${message}`,
        placeOf(tensor),
      );
      continue;
    }
    checkRank(adapter, module, selection, contradictions);
    if (adapter.config !== null) checkMagnitude(adapter, module, adapter.config.dora, contradictions);
  }
}

const placeOf = ({ name, start }: { name: string; start: number }) => ({ tensor: name, offset: start });

/** The rank that A has. llama.cpp keeps the A of an embedding as [vocabulary, r]. */
export const rankOfA = ({ a, embedding }: AdapterModule, { format }: Adapter): number | undefined =>
  a?.shape[format === 'gguf' && embedding ? 1 : 0];

function checkRank(
  adapter: Adapter,
  module: AdapterModule,
  selection: Selection | null,
  contradictions: Contradictions,
): void {
  const rank = rankOf(module);
  const inner = rankOfA(module, adapter);
  const report = (message: string, expected: string, actual: string): void =>
    contradictions.report('adapter/rank', adapter.path, `${quoted(module.name)}: ${message}`, {
      ...placeOf(module.b!),
      expected,
      actual,
    });
  if (rank === null || rank !== inner) {
    report('A and B cannot be multiplied', `B with ${inner} columns`, `[${module.b!.shape.join(', ')}]`);
    return;
  }
  const declared = selection?.scaleOf(module.name)?.rank;
  const fits =
    declared === undefined ||
    rank === declared ||
    (selection!.hasExperts(module.name) && rank % declared === 0);
  if (!fits) report(`has rank ${rank}, the configuration says ${declared}`, String(declared), String(rank));
}

function checkMagnitude(
  { path }: Adapter,
  { name, b, magnitude, embedding }: AdapterModule,
  dora: boolean,
  contradictions: Contradictions,
): void {
  if (magnitude === null) {
    // Embeddings had no DoRA in the first versions.
    if (dora && !embedding)
      contradictions.report(
        'adapter/unpaired',
        path,
        `${quoted(name)} has no magnitude, which use_dora needs`,
      );
  } else if (!dora) {
    const message = `${quoted(name)} has a magnitude, and the configuration does not say use_dora`;
    contradictions.report('adapter/undeclared', path, message, placeOf(magnitude));
  } else if (sizeOf(magnitude.shape) !== b!.shape[0]) {
    const message = `${quoted(name)}: the magnitude is not one number for each output`;
    const [expected, actual] = [String(b!.shape[0]), String(sizeOf(magnitude.shape))];
    contradictions.report('adapter/shape', path, message, { ...placeOf(magnitude), expected, actual });
  }
}

const sizeOf = (shape: readonly number[]): number => shape.reduce((all, size) => all * size, 1);
