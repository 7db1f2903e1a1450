// What kind of change this is: the families of conclusions, one after the other, each over what is left. Pure.

import type { Check } from '../../runtime/turn.ts';
import type { Family, Grounds } from '../grounds.ts';
import type { Concern, Conclusion, TensorChange } from '../report/diff-report.ts';
import { bitFamily } from './bits.ts';
import { conversionFamily } from './converted.ts';
import { elementFamily } from './elements.ts';
import { spectrumFamily } from './low-rank-edit.ts';
import { mergeFamily } from './merged.ts';
import { damage, rest } from './rest.ts';
import { rowFamily } from './row-edits.ts';
import { structure, structureFamily } from './structure.ts';
import { trainingFamily } from './training.ts';
import { valueFamily } from './value-edits.ts';

/** What explains most comes first: of a converted tensor every element changed, and rows say nothing any more. */
const FAMILIES: readonly Family[] = [
  structureFamily,
  mergeFamily,
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
export function conclude(grounds: Omit<Grounds, 'left'>, check: Check): Conclusion[] {
  let left: readonly TensorChange[] = grounds.tensors;
  const found = [...structure(grounds), ...damage(grounds)];
  for (const family of FAMILIES) {
    check();
    const made = family({ ...grounds, left });
    const explained = new Set(made.flatMap(({ tensors }) => tensors));
    left = left.filter(({ suspect }) => !explained.has(suspect.name));
    found.push(...made);
  }
  found.push(...rest({ ...grounds, left }, found));
  return found.sort((a, b) => WORST.indexOf(a.concern) - WORST.indexOf(b.concern));
}
