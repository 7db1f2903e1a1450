// What the page says about concerns, kinds and the whole.
import type { Concern } from '../../../report/diff-report.ts';
import type { PageData } from '../../contract.ts';

/** The worst first. */
const CONCERNS: readonly Concern[] = ['tampering', 'damage', 'unknown', 'recipe'];

export const CONCERN: Readonly<Record<Concern, string>> = {
  tampering: 'Known honest processes do not leave this.',
  damage: 'No training keeps such values.',
  unknown: 'It fits no pattern that is known. That is not a clean bill.',
  recipe: 'Training, merging or converting does this.',
};

export type Tone = Concern | 'same' | 'error';

/** The heading: what the worst of it is. */
export function headline({ outcome, conclusions }: PageData): { readonly tone: Tone; readonly text: string } {
  if (outcome === 'error') return { tone: 'error', text: 'No verdict: not everything could be read' };
  if (outcome === 'same') return { tone: 'same', text: 'The same, byte for byte' };
  const found = new Set(conclusions.items.map(({ concern }) => concern));
  const tone = CONCERNS.find((concern) => found.has(concern)) ?? 'unknown';
  return { tone, text: HEADLINES[tone] };
}

const HEADLINES: Readonly<Record<Concern, string>> = {
  tampering: 'Changed in a way that looks like tampering',
  damage: 'Changed, and damaged',
  unknown: 'Changed, for no reason that is known',
  recipe: 'Changed; no anomaly found',
};
