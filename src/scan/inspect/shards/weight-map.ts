// One index against its shards, both ways. What differs is what a loader by index and a loader by folder read differently.
import { quoted } from '../../../document/violations.ts';
import { folderOf } from '../../model/companion.ts';
import type { Contradictions } from '../contradictions.ts';
import { type Files, holders, type NamedIndex, type Shard, shardOf } from './shard.ts';

export function checkWeightMap(index: NamedIndex, files: Files, contradictions: Contradictions): void {
  for (const { rule, message, ...place } of index.violations)
    contradictions.report(rule, index.path, message, place);
  const offsets = new Map<string, number>();
  for (const { shard, offset } of index.tensors.values()) if (!offsets.has(shard)) offsets.set(shard, offset);
  const shards = new Map<string, Shard>();
  for (const name of index.shards) {
    const shard = findShard(index, name, offsets.get(name), files, contradictions);
    if (shard !== null) shards.set(name, shard);
  }
  const held = holders(shards.values(), contradictions);
  for (const { path, layout } of shards.values()) {
    for (const { name, start } of layout.tensors) {
      if (index.tensors.has(name)) continue;
      const message = `${quoted(index.path)} does not map tensor ${quoted(name)}`;
      contradictions.report('shard/tensor-unmapped', path, message, { tensor: name, offset: start });
    }
  }
  for (const [tensor, { shard, offset }] of index.tensors) {
    const named = shards.get(shard);
    if (named === undefined || named.names.has(tensor)) continue;
    const place = { tensor, offset };
    const other = held.get(tensor);
    const mapped = `tensor ${quoted(tensor)} is mapped to ${quoted(shard)}`;
    if (other === undefined)
      contradictions.report('shard/tensor-missing', index.path, `${mapped}, which lacks it`, place);
    else {
      const message = `${mapped}, but it is in ${quoted(other)}`;
      contradictions.report('shard/tensor-misplaced', index.path, message, place);
    }
  }
  if (shards.size === index.shards.length && index.violations.length === 0)
    checkTotals(index, [...shards.values()], contradictions);
}

/** Whether the index is one of safetensors by its name. */
export const ofSafetensors = (path: string): boolean => /\.safetensors\.index(\.[^./]+)?\.json$/i.test(path);

function findShard(
  { path }: NamedIndex,
  name: string,
  offset: number | undefined,
  { measured, unread }: Files,
  contradictions: Contradictions,
): Shard | null {
  const shard = folderOf(path) + name;
  const file = measured.get(shard);
  const place = offset === undefined ? {} : { offset };
  if (file === undefined && !unread.has(shard)) {
    contradictions.report(
      'shard/missing',
      path,
      `the index names ${quoted(name)}, which is not there`,
      place,
    );
  } else if (file !== undefined && file.format !== 'safetensors' && ofSafetensors(path)) {
    // transformers picks the reader by the name of the shard: of anything else it is the unpickler, which runs code.
    const message = `the index maps tensors to ${quoted(name)}, which is not a safetensors file`;
    contradictions.report('shard/format', path, message, place);
  }
  return shardOf(file);
}

// huggingface_hub adds up the bytes of storages, so tied tensors count once; transformers leaves all but one of them out of
// the files, others write each (mergekit, untied heads). Equal content in two matrices is what a tie looks like from here.
function checkTotals(
  { path, totalSize, totalParameters }: NamedIndex,
  shards: readonly Shard[],
  contradictions: Contradictions,
): void {
  if (totalSize === null && totalParameters === null) return;
  const all = { bytes: 0, count: 0 };
  const tied = { bytes: 0, count: 0 };
  const seen = new Set<string>();
  let packed = false;
  for (const { file, layout } of shards) {
    layout.tensors.forEach(({ dtype, shape, count, start, end }, i) => {
      all.bytes += end - start;
      all.count += count;
      packed ||= /^[UI]\d/.test(dtype);
      const sha256 = file.tensors[i]?.sha256;
      if (shape.length < 2 || sha256 === undefined) return;
      const content = `${dtype} ${shape} ${sha256}`;
      if (seen.has(content)) {
        tied.bytes += end - start;
        tied.count += count;
      }
      seen.add(content);
    });
  }
  if (totalSize !== null && totalSize.bytes !== all.bytes && totalSize.bytes !== all.bytes - tied.bytes)
    reportSize(path, totalSize, all.bytes, shards, contradictions);
  // Of quantised weights writers count what they were before.
  if (totalParameters === null || packed) return;
  const { count, offset } = totalParameters;
  if (count === all.count || count === all.count - tied.count) return;
  contradictions.report(
    'shard/total-size',
    path,
    'total_parameters is not what the tensors of all shards hold',
    {
      severity: 'low',
      offset,
      expected: String(all.count),
      actual: String(count),
    },
  );
}

/** Some writers add up the sizes of files, which is careless and nothing worse. */
function reportSize(
  path: string,
  { bytes, offset }: NonNullable<NamedIndex['totalSize']>,
  expected: number,
  shards: readonly Shard[],
  contradictions: Contradictions,
): void {
  const ofFiles = shards.reduce((sum, { file }) => sum + file.size, 0) === bytes;
  const message = ofFiles
    ? 'total_size is the size of the files, not of the tensors in them'
    : 'total_size is not what the tensors of all shards take';
  contradictions.report('shard/total-size', path, message, {
    ...(ofFiles ? { severity: 'low' as const } : {}),
    offset,
    expected: String(expected),
    actual: String(bytes),
  });
}
