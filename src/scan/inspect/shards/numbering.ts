// Files that are numbered k of n: all n are there, and all say the same n. A set without its last shard is a model without
// its last layers, and some loaders fill them with noise and go on.
import { quoted } from '../../../document/violations.ts';
import type { Contradictions } from '../contradictions.ts';
import { checkSplit } from '../gguf/split.ts';
import { type Files, holders, type NamedIndex, type Numbered, namedBy, shardOf } from './shard.ts';

export function checkNumbering(
  indexes: readonly NamedIndex[],
  files: Files,
  contradictions: Contradictions,
): void {
  const named = namedBy(indexes);
  const numbered = new Set<string>();
  for (const [title, set] of setsOf([...files.measured.keys(), ...files.unread, ...named])) {
    for (const { path } of set) numbered.add(path);
    // A shard that somebody names alone is looked at alone.
    if (set.length === 1 && files.measured.get(set[0]!.path)?.entry.named) {
      const { path, number, count } = set[0]!;
      const message = `the file is ${number} of ${count}: the others were not looked at; name their folder or their index`;
      if (count > 1) contradictions.report('shard/alone', path, message);
      continue;
    }
    checkNumbers(
      title,
      set,
      files,
      contradictions,
      set.every(({ path }) => named.has(path)),
    );
    const shards = set.flatMap(({ path }) => shardOf(files.measured.get(path)) ?? []);
    if (!set.some(({ path }) => named.has(path))) holders(shards, contradictions);
    checkSplit(set, files, contradictions);
  }
  for (const path of files.measured.keys())
    if (!numbered.has(path)) checkSplit([path], files, contradictions);
}

// transformers and llama.cpp write five digits for both numbers, others more or fewer (model-00001-of-000163); a variant
// may follow. More digits than nine are no number of a shard.
const NUMBERED = /^(.*)-(\d{1,9})-of-(\d{1,9})((?:\.[^./]+)?\.(?:safetensors|gguf))$/i;

/** The numbered files by what their names have in common. */
function setsOf(paths: readonly string[]): Map<string, Numbered[]> {
  const sets = new Map<string, Numbered[]>();
  for (const path of [...new Set(paths)].sort()) {
    const match = NUMBERED.exec(path);
    if (match === null) continue;
    const [, base, number, count, end] = match;
    const title = `${base}-*-of-*${end}`;
    const member = { path, number: Number(number), count: Number(count) };
    const set = sets.get(title);
    if (set === undefined) sets.set(title, [member]);
    else set.push(member);
  }
  return sets;
}

/** gpt-oss is numbered 0 to n of n, others 0 to n - 1: complete sets of safetensors, which no loader goes by the number of. */
function fromZero(set: readonly Numbered[], numbers: readonly number[], count: number): boolean {
  const due = numbers.length === count || numbers.length === count + 1;
  return (
    due && set.every(({ path }) => /\.safetensors$/i.test(path)) && numbers.every((number, i) => number === i)
  );
}

// Never counts up to n, which anybody can make a billion.
function checkNumbers(
  title: string,
  set: readonly Numbered[],
  files: Files,
  contradictions: Contradictions,
  indexed: boolean,
): void {
  const file = set.find(({ path }) => files.measured.has(path))?.path;
  if (file === undefined) return; // an index names them all, and says that they are missing
  const report = (message: string, expected: string, actual: string): void =>
    contradictions.report('shard/number', file, `${quoted(title)}: ${message}`, {
      // Where an index names the files, the index decides.
      ...(indexed ? { severity: 'info' as const } : {}),
      expected,
      actual,
    });

  const counts = [...new Set(set.map(({ count }) => count))].sort((a, b) => a - b);
  const numbers = set.map(({ number }) => number).sort((a, b) => a - b);
  if (counts.length > 1) {
    report('the names differ in how many shards there are', 'one number', counts.slice(0, 10).join(', '));
    return;
  }
  const [count] = counts as [number];
  if (fromZero(set, numbers, count)) return;
  const odd = numbers.find((number, i) => number < 1 || number > count || number === numbers[i - 1]);
  if (odd !== undefined) {
    report(`number ${odd} is out of range or there twice`, `1 to ${count}, each once`, String(odd));
  } else if (numbers.length < count) {
    const gap = numbers.findIndex((number, i) => number !== i + 1);
    const missing = gap < 0 ? numbers.length + 1 : gap + 1;
    report(`shard ${missing} is missing`, `${count} shards`, String(numbers.length));
  }
}
