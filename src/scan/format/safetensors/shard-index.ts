// Reads model.safetensors.index.json: which shard holds which tensor ("weight_map", huggingface_hub serialization) and how
// many bytes all tensors take ("metadata.total_size"). File names are chosen by whoever made the file: only a plain name is
// taken, a path could lead anywhere.
import { BRACE, JsonReader, QUOTE } from '../../../document/json/reader.ts';
import { isNumberByte } from '../../../document/json/token.ts';
import type { Violation } from '../../../document/violations.ts';
import { Fault, quoted, Violations } from '../../../document/violations.ts';

/** Where the index says a tensor is. `offset`: position of the tensor's name in the index. */
interface MappedTensor {
  readonly shard: string;
  readonly offset: number;
}

export interface ShardIndex {
  /** File names, each once, in order of appearance. */
  readonly shards: readonly string[];
  readonly tensors: ReadonlyMap<string, MappedTensor>;
  /** null: the index does not say. */
  readonly totalSize: { readonly bytes: number; readonly offset: number } | null;
  readonly totalParameters: { readonly count: number; readonly offset: number } | null;
  readonly violations: readonly Violation[];
}

export function readShardIndex(bytes: Uint8Array): ShardIndex {
  const violations = new Violations();
  const reader = new IndexReader(violations);
  try {
    reader.read(new JsonReader(bytes, 0, violations), bytes);
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    violations.report(error.rule, error.message, error.place);
  }
  const { shards, tensors, totalSize, totalParameters } = reader;
  return { shards: [...shards.keys()], tensors, totalSize, totalParameters, violations: violations.list() };
}

/** A shard index by its name; a variant stands before the last dot (model.safetensors.index.fp16.json). */
export function isShardIndex(path: string): boolean {
  return /\.index(\.[^./]+)?\.json$/i.test(path);
}

/** More than this is not read: an index of a million tensors takes a hundred bytes for each. */
export const MAX_INDEX = 268_435_456;

const MAX_TENSORS = 1_000_000;

class IndexReader {
  /** Each name to itself: one string for all tensors of a shard. */
  readonly shards = new Map<string, string>();
  readonly tensors = new Map<string, MappedTensor>();
  totalSize: ShardIndex['totalSize'] = null;
  totalParameters: ShardIndex['totalParameters'] = null;
  readonly #violations: Violations;

  constructor(violations: Violations) {
    this.#violations = violations;
  }

  read(json: JsonReader, bytes: Uint8Array): void {
    if (!json.expect(BRACE, 'an object', 'metadata', 'index')) return;
    const seen = { weight_map: false, metadata: false };
    json.enterObject();
    while (json.nextKey()) {
      const key = json.is('weight_map') ? 'weight_map' : json.is('metadata') ? 'metadata' : null;
      if (key === null || seen[key]) {
        if (key !== null) json.reportDuplicate(key);
        json.skip();
        continue;
      }
      seen[key] = true;
      if (key === 'metadata') this.#readMetadata(json, bytes);
      else if (json.expect(BRACE, 'an object of strings', 'metadata', key)) this.#readWeightMap(json);
    }
    if (!seen.weight_map) this.#violations.report('shard/index', 'the index has no weight_map');
    if (!Number.isNaN(json.peek())) {
      this.#violations.report('shard/index', "something follows the index's JSON", { offset: json.at });
    }
  }

  #readWeightMap(json: JsonReader): void {
    json.enterObject();
    while (json.nextKey()) {
      const tensor = json.text();
      const offset = json.textAt;
      const known = this.tensors.has(tensor);
      if (known) json.reportDuplicate(tensor);
      else if (this.tensors.size === MAX_TENSORS) {
        throw new Fault('header/limit', `the weight_map has more than ${MAX_TENSORS} tensors`, { offset });
      }
      if (!json.expect(QUOTE, 'a file name', 'metadata', tensor)) continue;
      json.readString();
      const shard = json.text();
      if (isPlainName(shard)) {
        if (!this.shards.has(shard)) this.shards.set(shard, shard);
        if (!known) this.tensors.set(tensor, { shard: this.shards.get(shard)!, offset });
        continue;
      }
      this.#violations.report('shard/path', `tensor ${quoted(tensor)} is said to be in ${quoted(shard)}`, {
        offset: json.textAt,
        tensor,
        actual: quoted(shard),
      });
    }
  }

  // Some writers make total_size a float (13476835328.0), because a BOOL counted as an eighth of a byte there.
  #readMetadata(json: JsonReader, bytes: Uint8Array): void {
    if (json.peek() !== BRACE) {
      json.skip();
      return;
    }
    const found = new Set<string>();
    json.enterObject();
    while (json.nextKey()) {
      const key = json.is('total_size')
        ? 'total_size'
        : json.is('total_parameters')
          ? 'total_parameters'
          : null;
      const isSecond = key !== null && found.has(key);
      if (isSecond) json.reportDuplicate(key);
      const kind = json.peek();
      const offset = json.at;
      json.skip();
      if (key === null || isSecond) continue;
      found.add(key);
      if (!isNumberByte(kind)) continue;
      const value = Number(Buffer.from(bytes.subarray(offset, json.at)).toString('latin1'));
      if (key === 'total_size') this.totalSize = { bytes: value, offset };
      else this.totalParameters = { count: value, offset };
    }
  }
}

// No separator of any system, no drive, no parent folder, no control character.
const isPlainName = (name: string): boolean =>
  /^[^/\\:\p{Cc}]+$/u.test(name) && name !== '.' && name !== '..';
