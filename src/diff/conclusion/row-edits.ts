// Rows: one token's embedding is one row, and poisoning one leaves all others as they are (Yang et al., arXiv 2103.15543).
import { quoted } from '../../document/violations.ts';
import { type Compared, compared, concluded, type Grounds, isRetyped, named } from '../grounds.ts';
import type { AxisChange, Conclusion } from '../report/diff-report.ts';
import { conversionRoom, outliers } from './converted.ts';

const FEW = 32;
const FEW_SHARE = 5e-4;
/** Of the elements of a replaced row most changed; a small edit in BF16 rounds to nothing in 85 % of them. */
const DENSE = 0.1;
/**
 * The row that moved most moved by so much of its norm. A first step of training touches the rows of the tokens that occurred, which
 * may be few, and moves them a little.
 */
const MOVED = 0.2;

export function rowFamily({ left }: Grounds): Conclusion[] {
  const changes = compared(left);
  return [...replaced(changes), ...appended(changes)];
}

function replaced(all: readonly Compared[]): Conclusion[] {
  const changes = all.filter(isReplaced);
  const [first] = changes;
  if (first === undefined) return [];
  const rows = changes.map(({ difference }) => difference.rows!);
  const counts = changes.map(rowsOf);
  const count = counts.reduce((sum, one) => sum + one, 0);
  const kept = rows.reduce((sum, { keptNorm }) => sum + (keptNorm ?? 0), 0);
  const norms = kept === count ? ' at unchanged norm' : '';
  const tokens = changes.length === 1 ? tokensOf(rows[0]!) : '';
  return [
    concluded(
      'rows-replaced',
      `${count} row${count === 1 ? '' : 's'} of ${named(changes)} ${count === 1 ? 'was' : 'were'} replaced${norms}${tokens}`,
      changes,
      [
        { name: 'rows changed', value: count, limit: `at most ${limitOf(rows[0]!)} of ${rows[0]!.count}` },
        { name: 'of these at unchanged norm', value: kept, limit: 'within 0.1 %' },
        {
          name: 'largest relative change of a row',
          value: Math.max(...rows.map(farthest)),
          limit: `at least ${MOVED}`,
        },
        { name: 'of these unused before', value: rows.reduce((sum, { unused }) => sum + (unused ?? 0), 0) },
      ],
      'adding special tokens in reserved rows looks alike; training changes hundreds of rows, or all',
    ),
  ];
}

const limitOf = ({ count }: AxisChange): number =>
  Math.min(Math.max(FEW, Math.floor(FEW_SHARE * count)), Math.floor(count / 2));

const rowsOf = (change: Compared): number =>
  isRetyped(change) ? outliers(change, conversionRoom(change) ?? 0) : change.difference.rows!.changed;

function isReplaced(change: Compared): boolean {
  const { rows, changed, count } = change.difference;
  if (rows === null || rows.changed === 0) return false;
  const few = rowsOf(change);
  if (few === 0 || few > limitOf(rows) || farthest(rows) < MOVED) return false;
  if (isRetyped(change)) return conversionRoom(change) !== null;
  // Rows that nobody trained may be given to new tokens.
  if (rows.unused === rows.changed) return false;
  return changed > rows.changed && changed >= DENSE * rows.changed * (count / rows.count);
}

/** The largest ‖D_i‖ over ‖good_i‖. */
const farthest = ({ largest }: AxisChange): number =>
  largest.reduce((most, { norm, goodNorm }) => Math.max(most, goodNorm === 0 ? 1 : norm / goodNorm), 0);

const NAMED = 5;

function tokensOf({ largest }: AxisChange): string {
  const tokens = largest.flatMap(({ token }) => (token === undefined ? [] : [quoted(token)]));
  if (tokens.length === 0) return '';
  return `: ${tokens.slice(0, NAMED).join(', ')}${tokens.length > NAMED ? ', …' : ''}`;
}

function appended(all: readonly Compared[]): Conclusion[] {
  const changes = all.filter(({ good, suspect, difference }) => {
    const isGrown = suspect.shape.length === 2 && suspect.shape[0]! > good.shape[0]!;
    const unused = difference.rows?.unused ?? null;
    return (
      (isGrown && difference.changed === 0) ||
      (unused !== null && unused > 0 && unused === difference.rows!.changed)
    );
  });
  if (changes.length === 0) return [];
  const count = Math.max(...changes.map(({ good, suspect }) => suspect.shape[0]! - good.shape[0]!));
  const what =
    count > 0 ? `${count} rows were appended to` : 'rows that were not used before were filled in in';
  return [
    concluded(
      'rows-appended',
      `${what} ${named(changes)}, the others are the same`,
      changes,
      [
        { name: 'rows appended', value: count },
        { name: 'old rows changed', value: 0 },
      ],
      'a new token does what it was trained to do: see what the tokenizer now splits differently',
    ),
  ];
}
