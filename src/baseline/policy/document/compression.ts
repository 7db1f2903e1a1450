// Tensors → as few patterns as say the same: 32 layers of four projections become one line.
import type { TensorProfile } from '../../../scan/profile/profile.ts';

/** A pattern in pieces, and what its tensors have in common. */
export interface Line {
  readonly segments: readonly string[];
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly count: number;
}

/** Names with these characters cannot be written as a pattern; they are left for `unmatched`. */
export const isExpressible = (name: string): boolean => name !== '' && !/[{},*]/.test(name);

/** In the order in which the model has the first tensor of each. */
export function compress(tensors: readonly TensorProfile[]): Line[] {
  const groups = new Map<string, TensorProfile[]>();
  for (const tensor of tensors) {
    if (!isExpressible(tensor.name)) continue;
    const skeleton = tensor.name.split('.').map((segment) => (isIndex(segment) ? null : segment));
    const key = JSON.stringify([skeleton, tensor.dtype, tensor.shape]);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [tensor]);
    else group.push(tensor);
  }
  return merged([...groups.values()].flatMap(ranged));
}

const isIndex = (segment: string): boolean => /^(0|[1-9]\d{0,8})$/.test(segment);

/** Tensors that differ in their indexes alone → ranges. Every line spans exactly tensors that are there. */
function ranged(group: readonly TensorProfile[]): Line[] {
  const { dtype, shape } = group[0]!;
  const names = [...new Set(group.map(({ name }) => name))].map((name) => name.split('.'));
  const line = (segments: readonly string[], count: number): Line => ({ segments, dtype, shape, count });
  const varying = names[0]!.map((_, at) => new Set(names.map((name) => name[at]!)));
  const size = varying.reduce((product, values) => product * values.size, 1);
  if (size === names.length && varying.every((values) => values.size === 1 || isRun(values)))
    return [
      line(
        varying.map((values) => rangeText([...values])),
        names.length,
      ),
    ];
  // Not a full grid: ranges of the last index that varies, apart for each combination of the others.
  const last = varying.findLastIndex((values) => values.size > 1);
  const rows = new Map<string, string[][]>();
  for (const name of names) {
    const key = JSON.stringify(name.map((segment, at) => (at === last ? null : segment)));
    rows.set(key, [...(rows.get(key) ?? []), name]);
  }
  return [...rows.values()].flatMap((row) =>
    runsOf(row.map((name) => Number(name[last]))).map((run) =>
      line(row[0]!.with(last, rangeText(run.map(String))), run.length),
    ),
  );
}

const isRun = (values: ReadonlySet<string>): boolean => runsOf([...values].map(Number)).length === 1;

function runsOf(indexes: readonly number[]): number[][] {
  const runs: number[][] = [];
  for (const index of [...indexes].sort((a, b) => a - b)) {
    const run = runs.at(-1);
    if (run !== undefined && run.at(-1)! + 1 === index) run.push(index);
    else runs.push([index]);
  }
  return runs;
}

function rangeText(values: readonly string[]): string {
  if (values.length === 1) return values[0]!;
  const numbers = values.map(Number).sort((a, b) => a - b);
  return `{${numbers[0]}..${numbers.at(-1)}}`;
}

/** Longest text of alternatives; a line should fit the eye. */
const WIDTH = 80;

/** Lines that differ in one word alone → alternatives. */
function merged(lines: readonly Line[]): Line[] {
  let left = [...lines];
  const depth = Math.max(0, ...lines.map(({ segments }) => segments.length));
  for (let at = depth - 1; at >= 0; at--) {
    const groups = new Map<string, Line[]>();
    for (const line of left) {
      const fits =
        line.segments.length > at && !line.segments[at]!.includes('{') && !isIndex(line.segments[at]!);
      const rest = line.segments.map((segment, i) => (fits && i === at ? null : segment));
      const key = JSON.stringify([fits, rest, line.dtype, line.shape]);
      groups.set(key, [...(groups.get(key) ?? []), line]);
    }
    left = [...groups.values()].flatMap((group) => alternatives(group, at));
  }
  return left;
}

function alternatives(group: readonly Line[], at: number): Line[] {
  const words = group.map(({ segments }) => segments[at]!);
  if (group.length === 1) return [...group];
  const text = alternation(words);
  if (text.length > WIDTH) return [...group];
  const count = group.reduce((sum, line) => sum + line.count, 0);
  return [{ ...group[0]!, segments: group[0]!.segments.with(at, text), count }];
}

/** `q_proj`, `o_proj` → `{q,o}_proj`: what is common stands outside, whole words of it. */
function alternation(words: readonly string[]): string {
  const parts = words.map((word) => word.split('_'));
  const shortest = Math.min(...parts.map(({ length }) => length));
  const common = (
    partAt: (part: readonly string[], i: number) => string | undefined,
    room: number,
  ): number => {
    let n = 0;
    while (n < room && parts.every((part) => partAt(part, n) === partAt(parts[0]!, n))) n++;
    return n;
  };
  const start = common((part, i) => part[i], shortest - 1);
  const end = common((part, i) => part.at(-1 - i), shortest - 1 - start);
  const head = parts[0]!.slice(0, start).map((word) => `${word}_`);
  const tail = parts[0]!.slice(parts[0]!.length - end).map((word) => `_${word}`);
  const middles = parts.map((part) => part.slice(start, part.length - end).join('_'));
  return `${head.join('')}{${middles.join(',')}}${tail.join('')}`;
}
