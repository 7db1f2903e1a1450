// What a file's header says, read as a whole: keys, names and values of the metadata. Pure over the layout.
import type { Layout, Violation } from '../format/layout.ts';
import { Violations } from '../format/violations.ts';
import type { Pieces } from '../turn.ts';
import { inspectGgufKeys } from './gguf-keys.ts';
import { inspectMetadata } from './metadata.ts';
import { inspectNames } from './names.ts';

export function* inspectHeader(layout: Layout): Pieces<Violation[]> {
  const violations = new Violations();
  yield* inspectNames(layout, violations);
  yield;
  inspectMetadata(layout, violations);
  if (layout.format === 'gguf') inspectGgufKeys(layout, violations);
  return violations.list();
}
