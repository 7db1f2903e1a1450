// What conclusions are drawn from, and how one is written down.
import type { Pair } from '../baseline/compare/pairing.ts';
import { quoted } from '../document/violations.ts';
import type { TensorProfile } from '../scan/profile/profile.ts';
import {
  CONCLUSIONS,
  type Conclusion,
  type ConclusionKind,
  type Difference,
  type DiffReport,
  type TensorChange,
} from './report/diff-report.ts';

export type Found = Pick<DiffReport, 'structure' | 'files' | 'metadata' | 'tensors' | 'identical'>;

export interface Grounds extends Found, Pick<DiffReport, 'merge'> {
  /** Changed tensors that no conclusion has explained yet. */
  readonly left: readonly TensorChange[];
  readonly goodOf: (change: TensorChange) => TensorProfile | undefined;
  readonly suspectOf: (change: TensorChange) => TensorProfile | undefined;
  readonly payloadOf: (change: TensorChange) => string | undefined;
}

/** The evidence beside the report: what was measured of each side, and payloads by the suspect's name. */
export function lookUps(
  pairs: readonly Pair[],
  payloads: ReadonlyMap<string, string>,
): Pick<Grounds, 'goodOf' | 'suspectOf' | 'payloadOf'> {
  const known = new Map(pairs.map((pair) => [keyOf(pair.suspect), pair]));
  return {
    goodOf: ({ suspect }) => known.get(keyOf(suspect))?.good,
    suspectOf: ({ suspect }) => known.get(keyOf(suspect))?.suspect,
    payloadOf: ({ suspect }) => payloads.get(suspect.name),
  };
}

const keyOf = ({ file, name }: Pick<TensorProfile, 'file' | 'name'>): string => `${file}\n${name}`;

/** What one family of conclusions has to say; the tensors that it names count as explained. */
export type Family = (evidence: Grounds) => Conclusion[];

export const concluded = (
  kind: ConclusionKind,
  message: string,
  changes: readonly TensorChange[],
  evidence: Conclusion['evidence'],
  caveat: string,
): Conclusion => ({
  kind,
  concern: CONCLUSIONS[kind],
  message,
  tensors: changes.map(({ suspect }) => suspect.name),
  evidence,
  caveat,
});

/** A tensor whose values could be held against each other. */
export type Compared = TensorChange & { readonly difference: Difference };

export const compared = (changes: readonly TensorChange[]): Compared[] =>
  changes.filter((change): change is Compared => change.difference !== null);

/** "model.norm.weight", or "12 tensors". */
export const named = (changes: readonly TensorChange[]): string =>
  changes.length === 1 ? quoted(changes[0]!.suspect.name) : `${changes.length} tensors`;

export const isRetyped = ({ good, suspect }: TensorChange): boolean => good.dtype !== suspect.dtype;

export const largest = (values: readonly number[]): number => values.reduce((a, b) => Math.max(a, b), 0);
export const least = (values: readonly number[]): number => values.reduce((a, b) => Math.min(a, b), Infinity);
