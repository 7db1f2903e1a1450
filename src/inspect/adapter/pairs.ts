// Whether the factors of an adapter belong together: each A has its B, and both have the rank that the configuration says.
import { quoted } from '../../format/violations.ts';
import type { Evidence } from '../evidence.ts';
import { type Adapter, type AdapterModule, rankOf } from './adapter.ts';
import type { Selection } from './selection.ts';

export function checkPairs(adapter: Adapter, selection: Selection | null, evidence: Evidence): void {
  for (const module of adapter.modules) {
    const { a, b } = module;
    if (a === null || b === null) {
      const [there, missing] = a === null ? ['B', 'A'] : ['A', 'B'];
      const tensor = a ?? b ?? module.magnitude ?? module.bias!;
      const message =
        a === null && b === null ? 'has neither A nor B' : `has a factor ${there} and no ${missing}`;
      evidence.report('adapter/unpaired', adapter.path, `${quoted(module.name)} ${message}`, placeOf(tensor));
      continue;
    }
    checkRank(adapter, module, selection, evidence);
    if (adapter.config !== null) checkMagnitude(adapter, module, adapter.config.dora, evidence);
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
  evidence: Evidence,
): void {
  const rank = rankOf(module);
  const inner = rankOfA(module, adapter);
  const report = (message: string, expected: string, actual: string): void =>
    evidence.report('adapter/rank', adapter.path, `${quoted(module.name)}: ${message}`, {
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
  evidence: Evidence,
): void {
  if (magnitude === null) {
    // Embeddings had no DoRA in the first versions.
    if (dora && !embedding)
      evidence.report('adapter/unpaired', path, `${quoted(name)} has no magnitude, which use_dora needs`);
  } else if (!dora) {
    const message = `${quoted(name)} has a magnitude, and the configuration does not say use_dora`;
    evidence.report('adapter/undeclared', path, message, placeOf(magnitude));
  } else if (sizeOf(magnitude.shape) !== b!.shape[0]) {
    const message = `${quoted(name)}: the magnitude is not one number for each output`;
    const [expected, actual] = [String(b!.shape[0]), String(sizeOf(magnitude.shape))];
    evidence.report('adapter/shape', path, message, { ...placeOf(magnitude), expected, actual });
  }
}

const sizeOf = (shape: readonly number[]): number => shape.reduce((all, size) => all * size, 1);
