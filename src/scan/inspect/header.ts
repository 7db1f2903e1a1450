// What a file's header says, read as a whole: keys, names and values of the metadata. Pure over the layout.

import type { Violation } from '../../document/violations.ts';
import { Violations } from '../../document/violations.ts';
import type { Pieces } from '../../runtime/turn.ts';
import type { Layout } from '../format/layout.ts';
import { inspectGgufKeys } from './gguf/keys.ts';
import { inspectMetadata } from './metadata/metadata.ts';
import { inspectNames } from './names/names.ts';

export function* inspectHeader(layout: Layout): Pieces<Violation[]> {
  const violations = new Violations();
  yield* inspectNames(layout, violations);
  yield;
  inspectMetadata(layout, violations);
  if (layout.format === 'gguf') inspectGgufKeys(layout, violations);
  return violations.list();
}
