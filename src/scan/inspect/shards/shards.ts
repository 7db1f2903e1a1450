// Whether the files of a model agree on what the model is: an index with its shards, numbered shards with each other. Each
// file may be well formed and the model still be another than the one that was reviewed: a loader takes tensors from where
// the index points, or from every shard in the folder, and the two need not be the same. Pure.

import { quoted } from '../../../document/violations.ts';
import type { Finding } from '../../../rules/finding.ts';
import type { Check } from '../../../runtime/turn.ts';
import { isShardIndex, readShardIndex } from '../../format/safetensors/shard-index.ts';
import type { MeasuredFile } from '../../measure/measured.ts';
import { folderOf } from '../../model/companion.ts';
import { Contradictions } from '../contradictions.ts';
import { checkNumbering } from './numbering.ts';
import { type Files, type NamedIndex, namedBy } from './shard.ts';
import { checkWeightMap, ofSafetensors } from './weight-map.ts';

/** `files` sorted by path. */
export function inspectShards(
  files: readonly MeasuredFile[],
  unread: ReadonlySet<string>,
  check: Check,
): Finding[] {
  const contradictions = new Contradictions();
  const all: Files = { measured: new Map(files.map((file) => [file.entry.path, file])), unread };
  const indexes = files.flatMap(indexOf);
  for (const index of indexes) {
    check();
    checkWeightMap(index, all, contradictions);
  }
  checkStrays(indexes, files, contradictions);
  checkNumbering(indexes, all, contradictions);
  return contradictions.list();
}

// pytorch_model.bin.index.json and its like map pickles, which nobody here reads and many snapshots leave out; what makes
// an index ours is its name or a safetensors file that it names.
function indexOf({ entry: { path }, document }: MeasuredFile): NamedIndex[] {
  if (document === null || !isShardIndex(path)) return [];
  const index = readShardIndex(document);
  const ours = ofSafetensors(path) || index.shards.some((shard) => /\.safetensors$/i.test(shard));
  return ours ? [{ ...index, path }] : [];
}

// vLLM, SGLang and MLX load every safetensors file of the folder, the index or not.
function checkStrays(
  indexes: readonly NamedIndex[],
  files: readonly MeasuredFile[],
  contradictions: Contradictions,
): void {
  const named = namedBy(indexes);
  // An index that is broken says nothing about what it would have named.
  const sound = indexes.filter(({ violations }) => violations.length === 0);
  const owners = new Map(sound.map(({ path }) => [folderOf(path), path]));
  for (const { entry, format } of files) {
    const index = owners.get(folderOf(entry.path));
    if (index === undefined || format !== 'safetensors' || named.has(entry.path)) continue;
    const name = entry.path.slice(folderOf(entry.path).length);
    if (isWhole(name, index)) {
      const message = `${quoted(name)} holds the model once more, beside the shards of ${quoted(index)}`;
      contradictions.report('shard/alternative', entry.path, message);
    } else {
      contradictions.report('shard/stray', entry.path, `${quoted(index)} does not name this file`);
    }
  }
}

// What honest publishers put beside shards: Mistral the whole model under its own tool's name, diffusers the model in another
// precision (diffusion_pytorch_model.fp16.safetensors). model.safetensors is not one of these: transformers takes it first
// and never opens the index, so who plants it there replaces the model.
function isWhole(name: string, index: string): boolean {
  if (name === 'consolidated.safetensors') return true;
  const base = index.slice(folderOf(index).length).replace(/\.safetensors\.index(\.[^./]+)?\.json$/i, '');
  return PRECISIONS.some((precision) => name === `${base}.${precision}.safetensors`);
}

const PRECISIONS = ['fp16', 'bf16', 'fp32'];
