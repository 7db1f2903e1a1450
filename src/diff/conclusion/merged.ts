// What an adapter that was given explains of a change, and what it does not.

import { quoted } from '../../document/violations.ts';
import type { MergedModule } from '../adapter/merge/merge-report.ts';
import { concluded, type Grounds, largest, least, named } from '../grounds.ts';
import type { Conclusion, TensorChange } from '../report/diff-report.ts';

/** Said before other families look at the same tensors: what is merged is of low rank, too. */
export function mergeFamily({ left, merge }: Grounds): Conclusion[] {
  if (merge === undefined) return [];
  const of = (outcome: MergedModule['outcome']): readonly MergedModule[] =>
    merge.modules.filter((one) => one.outcome === outcome);
  const changes = (modules: readonly MergedModule[]): TensorChange[] => {
    const names = new Set(modules.map(({ tensor }) => tensor));
    return left.filter(({ suspect }) => names.has(suspect.name));
  };
  return [
    ...merged(changes(of('merged')), of('merged')),
    ...differing(changes(of('differs')), of('differs'), of('unchanged')),
  ];
}

function merged(changes: readonly TensorChange[], modules: readonly MergedModule[]): Conclusion[] {
  if (changes.length === 0) return [];
  const strengths = modules.flatMap(({ strength }) => strength ?? []);
  const [low, high] = [least(strengths), largest(strengths)];
  const to = high > low ? ` to ${brief(high)}` : '';
  const at = strengths.length === 0 ? '' : ` at ${brief(low)}${to} times its scale`;
  return [
    concluded(
      'adapter-merge',
      `${named(changes)} ${changes.length === 1 ? 'was' : 'were'} changed by the adapter${at}, and by nothing else`,
      changes,
      [{ name: 'modules merged', value: modules.length }, restOf(modules)],
      'an edit that is smaller than the rounding cannot be told from it; what the adapter does is its own matter',
    ),
  ];
}

function differing(
  changes: readonly TensorChange[],
  modules: readonly MergedModule[],
  unchanged: readonly MergedModule[],
): Conclusion[] {
  const [first] = modules.length > 0 ? modules : unchanged;
  if (first === undefined) return [];
  const what =
    modules.length === 0
      ? `the adapter is not in ${quoted(first.module)}${more(unchanged)}`
      : `${quoted(first.module)}${more(modules)} changed by more, or by something else, than the adapter`;
  return [
    concluded(
      'merge-differs',
      what,
      changes,
      [
        { name: 'modules that hold something else', value: modules.length },
        { name: 'modules without it', value: unchanged.length },
        {
          name: 'rows with more than rounding',
          value: modules.reduce((sum, { rows }) => sum + (rows ?? 0), 0),
        },
        restOf(modules),
      ],
      'a second adapter, training after the merge, or another version of this one would look the same',
    ),
  ];
}

const restOf = (modules: readonly MergedModule[]): Conclusion['evidence'][number] => ({
  name: 'largest rest, of what rounding leaves',
  value: largest(modules.map(({ rest, room }) => (room! > 0 ? rest! / room! : 0))),
  limit: 'at most 1',
});

const more = ({ length }: readonly MergedModule[]): string => (length === 1 ? '' : ` and ${length - 1} more`);
const brief = (value: number): number => Number(value.toPrecision(3));
