// The splits of a GGUF model say in their metadata which they are (llama.cpp, tools/gguf-split): split.no from 0, split.count,
// and split.tensors.count of all splits together. llama.cpp finds the others by name and stops where the numbers disagree.

import { quoted } from '../../../document/violations.ts';
import type { Layout, MetadataEntry } from '../../format/layout.ts';
import type { MeasuredFile } from '../../measure/measured.ts';
import type { Contradictions } from '../contradictions.ts';
import type { Files, Numbered } from '../shards/shard.ts';

const KEYS = [
  ['split.no', 'u16'],
  ['split.count', 'u16'],
  ['split.tensors.count', 'i32'],
] as const;

interface Split {
  readonly file: MeasuredFile;
  readonly layout: Layout;
  readonly member: Numbered | null;
}

/** `set`: files that are numbered by name, or the path of one that is not. */
export function checkSplit(
  set: readonly (Numbered | string)[],
  files: Files,
  contradictions: Contradictions,
): void {
  const splits = set.flatMap((one): Split[] => {
    const file = files.measured.get(typeof one === 'string' ? one : one.path);
    if (file?.format !== 'gguf' || file.layout === null) return [];
    return [{ file, layout: file.layout, member: typeof one === 'string' ? null : one }];
  });
  // A merged file keeps split.count, as 0.
  const isSplit = ({ layout, member }: Split): boolean =>
    (member !== null && member.count > 1) || Number(entryOf(layout, 'split.count')?.value ?? 0) > 1;
  if (!splits.some(isSplit)) return;
  const sound = splits.filter((split) => checkKeys(split, contradictions));
  checkArchitecture(splits, contradictions);
  // The sum can only be taken where every split is there and every tensor of it was laid out.
  const whole = splits.every(({ file }) => file.violations.every(({ tensor }) => tensor === undefined));
  if (sound.length === splits[0]!.member?.count && whole) checkTensorCount(sound, contradictions);
}

const entryOf = ({ metadata }: Layout, key: string): MetadataEntry | undefined =>
  metadata.find((entry) => entry.key === key);

/** Whether the three keys are there and say what the file's name says. */
function checkKeys({ file, layout, member }: Split, contradictions: Contradictions): boolean {
  const { path } = file.entry;
  let sound = true;
  const report = (message: string, entry?: MetadataEntry, expected?: string): void => {
    sound = false;
    const at = entry === undefined ? {} : { offset: entry.start, actual: `${entry.type} ${entry.value}` };
    contradictions.report('shard/split', path, message, {
      ...at,
      ...(expected === undefined ? {} : { expected }),
    });
  };
  for (const [key, type] of KEYS) {
    const entry = entryOf(layout, key);
    if (entry === undefined) report(`the file is numbered as a split but has no ${key}`);
    else if (entry.type !== type) report(`${key} is not of type ${type}`, entry, type);
  }
  if (!sound) return false;
  const number = entryOf(layout, 'split.no')!;
  const count = entryOf(layout, 'split.count')!;
  if (member === null) {
    report(`the file says that it is one of ${count.value} splits, but its name is not numbered`, count);
    return false;
  }
  if (count.value !== member.count) report('split.count is not what the name says', count, `${member.count}`);
  if (number.value !== member.number - 1)
    report('split.no is not what the name says', number, `${member.number - 1}`);
  return sound;
}

// The first split has all of the metadata, the others may have none of it.
function checkArchitecture(splits: readonly Split[], contradictions: Contradictions): void {
  const stated = splits.flatMap(({ file, layout }) => {
    const entry = entryOf(layout, 'general.architecture');
    return entry === undefined ? [] : [{ path: file.entry.path, entry }];
  });
  for (const { path, entry } of stated.slice(1)) {
    const [expected, actual] = [String(stated[0]!.entry.value), String(entry.value)];
    if (actual === expected) continue;
    const message = `the split is of architecture ${quoted(actual)}, the first one of ${quoted(expected)}`;
    contradictions.report('shard/architecture', path, message, { offset: entry.start });
  }
}

function checkTensorCount(splits: readonly Split[], contradictions: Contradictions): void {
  const sum = splits.reduce((total, { layout }) => total + layout.tensors.length, 0);
  for (const { file, layout } of splits) {
    const entry = entryOf(layout, 'split.tensors.count')!;
    if (entry.value === sum) continue;
    contradictions.report(
      'shard/tensor-count',
      file.entry.path,
      'split.tensors.count is not the sum of all splits',
      {
        offset: entry.start,
        expected: String(sum),
        actual: String(entry.value),
      },
    );
  }
}
