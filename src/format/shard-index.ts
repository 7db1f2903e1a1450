// Reads model.safetensors.index.json: which shard holds which tensor ("weight_map", huggingface_hub serialization). The
// values are file names chosen by whoever made the file: only a plain name is taken, a path could lead anywhere.
import { BRACE, JsonReader, QUOTE } from './json.ts';
import type { Violation } from './layout.ts';
import { Fault, quoted, Violations } from './violations.ts';

export interface ShardIndex {
  /** File names, each once, in order of appearance. */
  readonly shards: readonly string[];
  readonly violations: readonly Violation[];
}

export function readShardIndex(bytes: Uint8Array): ShardIndex {
  const violations = new Violations();
  const shards = new Set<string>();
  try {
    readIndex(new JsonReader(bytes, 0, violations), shards, violations);
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    violations.report(error.rule, error.message, error.place);
  }
  return { shards: [...shards], violations: violations.list() };
}

function readIndex(json: JsonReader, shards: Set<string>, violations: Violations): void {
  if (!json.expect(BRACE, 'an object', 'metadata', 'index')) return;
  let found = false;
  json.enterObject();
  while (json.nextKey()) {
    if (!json.is('weight_map') || found) {
      if (json.is('weight_map')) json.reportDuplicate('weight_map');
      json.skip();
      continue;
    }
    found = true;
    if (json.expect(BRACE, 'an object of strings', 'metadata', 'weight_map'))
      readWeightMap(json, shards, violations);
  }
  if (!found) violations.report('shard/index', 'the index has no weight_map');
}

function readWeightMap(json: JsonReader, shards: Set<string>, violations: Violations): void {
  const tensors = new Set<string>();
  json.enterObject();
  while (json.nextKey()) {
    const tensor = json.text();
    if (tensors.has(tensor)) json.reportDuplicate(tensor);
    tensors.add(tensor);
    if (!json.expect(QUOTE, 'a file name', 'metadata', tensor)) continue;
    json.readString();
    const shard = json.text();
    if (isPlainName(shard)) shards.add(shard);
    else {
      violations.report('shard/path', `tensor ${quoted(tensor)} is said to be in ${quoted(shard)}`, {
        offset: json.textAt,
        tensor,
        actual: shard,
      });
    }
  }
}

// No separator of any system, no drive, no parent folder, no control character.
const isPlainName = (name: string): boolean =>
  /^[^/\\:\p{Cc}]+$/u.test(name) && name !== '.' && name !== '..';
