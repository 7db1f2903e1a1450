// What kind of change this is: the families of conclusions, one after the other, each over what is left. Pure.
import { bitFamily } from './conclusion-bits.ts';
import { conversionFamily } from './conclusion-conversion.ts';
import { elementFamily } from './conclusion-elements.ts';
import { damage, rest } from './conclusion-rest.ts';
import { rowFamily } from './conclusion-rows.ts';
import { spectrumFamily } from './conclusion-spectrum.ts';
import { structure, structureFamily } from './conclusion-structure.ts';
import { trainingFamily } from './conclusion-training.ts';
import { valueFamily } from './conclusion-values.ts';
import type { Evidence, Family } from './evidence.ts';
import type { Concern, Conclusion, TensorChange } from './report.ts';

/** What explains most comes first: of a converted tensor every element changed, and rows say nothing any more. */
const FAMILIES: readonly Family[] = [
  structureFamily,
  conversionFamily,
  bitFamily,
  valueFamily,
  rowFamily,
  elementFamily,
  spectrumFamily,
  trainingFamily,
];

const WORST: readonly Concern[] = ['tampering', 'damage', 'unknown', 'recipe'];

/** The worst first. */
export function conclude(evidence: Omit<Evidence, 'left'>): Conclusion[] {
  let left: readonly TensorChange[] = evidence.tensors;
  const found = [...structure(evidence), ...damage(evidence)];
  for (const family of FAMILIES) {
    const made = family({ ...evidence, left });
    const explained = new Set(made.flatMap(({ tensors }) => tensors));
    left = left.filter(({ suspect }) => !explained.has(suspect.name));
    found.push(...made);
  }
  found.push(...rest({ ...evidence, left }, found));
  return found.sort((a, b) => WORST.indexOf(a.concern) - WORST.indexOf(b.concern));
}
