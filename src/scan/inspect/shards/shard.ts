// What the checks of shards share: the files of a model by path, and what is known of one shard.

import { quoted } from '../../../document/violations.ts';
import type { Layout } from '../../format/layout.ts';
import type { ShardIndex } from '../../format/safetensors/shard-index.ts';
import type { MeasuredFile } from '../../measure/measured.ts';
import { folderOf } from '../../model/companion.ts';
import type { Contradictions } from '../contradictions.ts';

/** A file whose header was read. */
export interface Shard {
  readonly path: string;
  readonly file: MeasuredFile;
  readonly layout: Layout;
  /** Also of tensors that the layout leaves out, for which the file has a violation: they are not missing. */
  readonly names: ReadonlySet<string>;
}

/** The files of a model by path. */
export interface Files {
  readonly measured: ReadonlyMap<string, MeasuredFile>;
  /** Files that are there but could not be looked at: an error says so already, and they are not missing. */
  readonly unread: ReadonlySet<string>;
}

/** A shard index that was read. */
export interface NamedIndex extends ShardIndex {
  readonly path: string;
}

/** A file that is numbered by its name. */
export interface Numbered {
  readonly path: string;
  readonly number: number;
  readonly count: number;
}

/** null: there is no layout to check, for which there is a finding or an error somewhere. */
export function shardOf(file: MeasuredFile | undefined): Shard | null {
  if (file === undefined || file.layout === null) return null;
  const { entry, layout, violations } = file;
  const names = new Set(layout.tensors.map(({ name }) => name));
  for (const { tensor } of violations) if (tensor !== undefined) names.add(tensor);
  return { path: entry.path, file, layout, names };
}

/** Which shard holds each tensor: the first, if there are several, which is a finding. */
export function holders(shards: Iterable<Shard>, contradictions: Contradictions): Map<string, string> {
  const held = new Map<string, string>();
  for (const { path, layout } of shards) {
    for (const { name, start } of layout.tensors) {
      const other = held.get(name);
      if (other === undefined) held.set(name, path);
      else {
        const message = `tensor ${quoted(name)} is in ${quoted(other)} too`;
        contradictions.report('shard/tensor-duplicate', path, message, { tensor: name, offset: start });
      }
    }
  }
  return held;
}

/** Paths of all files that indexes name. */
export const namedBy = (indexes: readonly NamedIndex[]): Set<string> =>
  new Set(indexes.flatMap(({ path, shards }) => shards.map((shard) => folderOf(path) + shard)));
