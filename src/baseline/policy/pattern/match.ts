// Which line of a policy matches which tensors, and what no line matches.
import type { Profile, TensorProfile } from '../../../scan/profile/profile.ts';
import type { Policy, TensorLine } from '../policy.ts';
import { indexIn, type Pattern, type Segment } from './pattern.ts';
import { PatternTrie } from './trie.ts';

export interface Match {
  readonly line: TensorLine;
  readonly tensors: readonly TensorProfile[];
  /** Different names among them. */
  readonly names: number;
  /** Names that the line spans, once named ranges have their end; null: any number. */
  readonly span: number | null;
  /** The first few names that the line asks for and that are not there. */
  readonly missing: readonly string[];
}

interface Matching {
  /** One per line, in the order of the policy. */
  readonly matches: readonly Match[];
  readonly unmatched: readonly TensorProfile[];
}

export function matchTensors({ tensors: lines, unmatched: rest }: Policy, { tensors }: Profile): Matching {
  const trie = new PatternTrie(lines.map(({ pattern }) => pattern));
  const byLine: TensorProfile[][] = lines.map(() => []);
  const unmatched: TensorProfile[] = [];
  const ends = new Map<string, number>();
  for (const tensor of tensors) {
    const found = trie.match(tensor.name);
    if (found.length === 0) unmatched.push(tensor);
    for (const index of found) {
      byLine[index]!.push(tensor);
      learnEnds(lines[index]!.pattern, tensor.name, ends);
    }
  }
  return {
    matches: lines.map((line, index) => matchOf(line, byLine[index]!, ends)),
    // A policy that says nothing of tensors leaves them all to others; one that lists none of them forbids them all.
    unmatched: lines.length === 0 && rest === 'allow' ? [] : unmatched,
  };
}

const namedRange = (segment: Segment): string | null =>
  segment.kind === 'range' && typeof segment.range.last === 'string' ? segment.range.last : null;

/** The largest index under each name: `{0..last}` asks for all layers up to the last one that any line has seen. */
function learnEnds({ segments }: Pattern, name: string, ends: Map<string, number>): void {
  if (!segments.some((segment) => namedRange(segment) !== null)) return;
  const parts = name.split('.');
  segments.forEach((segment, position) => {
    const range = namedRange(segment);
    if (range === null || segment.kind !== 'range') return;
    const index = indexIn(segment.range, parts[position]!) ?? 0;
    ends.set(range, Math.max(ends.get(range) ?? 0, index));
  });
}

/** Names told as missing. */
const TOLD = 3;

function matchOf(
  line: TensorLine,
  tensors: readonly TensorProfile[],
  ends: ReadonlyMap<string, number>,
): Match {
  const names = new Set(tensors.map(({ name }) => name));
  const span = spanOf(line.pattern, ends);
  const missing: string[] = [];
  if (span === null) {
    if (names.size === 0) missing.push(line.pattern.text);
  } else if (names.size < span) {
    for (const name of spelled(line.pattern.segments, ends)) {
      if (missing.length === TOLD) break;
      if (!names.has(name)) missing.push(name);
    }
  }
  return { line, tensors, names: names.size, span, missing };
}

function spanOf({ span, segments }: Pattern, ends: ReadonlyMap<string, number>): number | null {
  if (span === null) return null;
  return segments.reduce((all, segment) => {
    const range = namedRange(segment);
    return range === null ? all : all * sizeOf(segment, ends.get(range));
  }, span);
}

// A range whose name no tensor has shown spans its first index: a model without a single layer lacks them all.
const sizeOf = (segment: Segment, end: number | undefined): number =>
  segment.kind === 'range' ? Math.max(1, (end ?? segment.range.first) - segment.range.first + 1) : 1;

/** Every name of a pattern, one by one: the caller stops after as many as it needs. */
function* spelled(
  segments: readonly Segment[],
  ends: ReadonlyMap<string, number>,
  start = '',
): Generator<string, void, undefined> {
  const [first, ...rest] = segments;
  if (first === undefined) {
    yield start.slice(1);
    return;
  }
  for (const part of parts(first, ends)) yield* spelled(rest, ends, `${start}.${part}`);
}

function* parts(segment: Segment, ends: ReadonlyMap<string, number>): Generator<string, void, undefined> {
  if (segment.kind === 'words') yield* segment.words;
  if (segment.kind !== 'range') return;
  const { prefix, suffix, first, last } = segment.range;
  const end = typeof last === 'number' ? last : (ends.get(last ?? '') ?? first);
  for (let index = first; index <= Math.max(first, end); index++) yield `${prefix}${index}${suffix}`;
}
