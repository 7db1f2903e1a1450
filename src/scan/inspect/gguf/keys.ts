// The well-known key-values of a GGUF header against what loaders do with them: types they cast without asking, numbers they
// divide by or index with. Unknown keys and values are nobody's fault: architectures come and go.

import { quoted, type Violations } from '../../../document/violations.ts';
import type { Layout, MetadataEntry } from '../../format/layout.ts';
import { checkDimensions } from './dimensions.ts';
import { checkHyperparameters } from './hyperparameters.ts';
import { expectedType, isOfType, typeOf } from './key-schema.ts';
import { checkTokenRoles } from './token-roles.ts';
import { inspectVocabulary } from './vocabulary.ts';

export function inspectGgufKeys(layout: Layout, violations: Violations): void {
  const entries = new Map<string, MetadataEntry>();
  for (const entry of layout.metadata) entries.set(entry.key, entry);
  // Of a model in several files shard/split says it, against the names of the files.
  const isSplit = Number(entries.get('split.count')?.value) > 1;
  for (const entry of layout.metadata) {
    if (!(isSplit && entry.key.startsWith('split.'))) checkEntry(entry, violations);
  }
  checkHyperparameters(layout, entries, violations);
  checkDimensions(layout, entries, violations);
  inspectVocabulary(entries, violations);
  checkTokenRoles(entries, violations);
}

const MAX_KEY = 512; // longer ones mean nothing to anyone
// @huggingface/gguf spreads the key-values over its own fields of these names; the last two are members of every object.
const RESERVED = new Set(['version', 'tensor_count', 'kv_count', '__proto__', 'constructor']);

function checkEntry(entry: MetadataEntry, violations: Violations): void {
  const { key, value, start: offset } = entry;
  if (RESERVED.has(key)) {
    violations.report('gguf/key-reserved', `the key ${quoted(key)} takes the place of a field of parsers`, {
      offset,
    });
  }
  const expected = key.length <= MAX_KEY ? expectedType(key) : null;
  if (expected !== null && !isOfType(entry, expected)) {
    violations.report('gguf/known-type', `${quoted(key)} is of another type than loaders take it for`, {
      offset,
      expected: expected.words,
      actual: typeOf(entry),
    });
  }
  const numbers = typeof value === 'object' ? value.items : [value];
  // An infinite score means "never"; in arrays only NaN is senseless.
  const odd = numbers.some(
    typeof value === 'object' ? Number.isNaN : (item) => typeof item === 'number' && !Number.isFinite(item),
  );
  if (odd)
    violations.report('gguf/not-finite', `${quoted(key)} holds a number that is not finite`, { offset });
}
