// An adapter among known-good ones of the same recipe. A norm or an entropy by itself says nothing: learning rate and steps move them more
// than poison does. What can be said is how odd an adapter is among others that had the same chance to be so. Pure.
import { quoted } from '../../document/violations.ts';
import type { PopulationRank } from './adapter-report.ts';
import { scoresOf } from './distance-score.ts';
import { difference, type Features, FLOORS, median, robustZ, STATISTICS } from './features.ts';

/** Below this no p-value is small enough to mean anything; only the rank is told. */
const LEAST = 20;

export interface Member {
  /** Of its folder or file; foreign. */
  readonly name: string;
  /** Or why it has none. */
  readonly features: Features | string;
}

/**
 * Ranks each suspect by itself among the known-good adapters; p-values are conformal (Bates et al. 2104.08279) and, of several
 * suspects, adjusted by Benjamini and Hochberg. A p-value holds for adapters that are exchangeable with the known-good ones: the
 * same data source and training, of which recipe and shapes are what can be seen from here.
 */
export function rankAdapters(good: readonly Member[], suspects: readonly Member[]): PopulationRank[] {
  const ranks = suspects.map((suspect) => rankOne(good, suspect));
  const adjusted = suspects.length < 2 ? [] : benjaminiHochberg(ranks.map(({ pValue }) => pValue));
  return ranks.map((rank, i) => ({ ...rank, adjusted: adjusted[i] ?? null }));
}

function rankOne(good: readonly Member[], suspect: Member): PopulationRank {
  const refused = refusal(good, suspect);
  const count = good.length;
  if (refused !== null)
    return { count, pValue: null, adjusted: null, reason: refused, rank: null, statistics: [] };
  const known = good.map(({ features }) => features as Features);
  const own = suspect.features as Features;
  const scores = scoresOf([...known, own]);
  const atLeast = scores.slice(0, -1).filter((score) => score >= scores.at(-1)!).length;
  const isEnough = count >= LEAST;
  return {
    count,
    pValue: isEnough ? (1 + atLeast) / (count + 1) : null,
    adjusted: null,
    reason: isEnough ? null : `${count} known-good adapters are too few for a p-value, which needs ${LEAST}`,
    rank: 1 + atLeast,
    statistics: statisticsOf(known, own),
  };
}

function refusal(good: readonly Member[], suspect: Member): string | null {
  if (good.length === 0) return 'there are no known-good adapters';
  const broken = [...good, suspect].find(({ features }) => typeof features === 'string');
  if (broken !== undefined) return `${quoted(broken.name)} cannot be compared: ${broken.features}`;
  for (const { name, features } of good) {
    const how = difference(features as Features, suspect.features as Features);
    if (how !== null) return `${quoted(name)} is not exchangeable with the suspect: ${how}`;
  }
  return null;
}

/** For a reader, not for the decision: where the suspect stands in each statistic. */
function statisticsOf(known: readonly Features[], own: Features): PopulationRank['statistics'] {
  const one = (name: string, take: (features: Features) => number, floor: number) => {
    const value = take(own);
    return { name, value, robustZ: robustZ(known.map(take), floor)(value) };
  };
  const overall = STATISTICS.map((name, i) =>
    one(`${name}, median`, ({ values }) => median(values.map((value) => value[i]!)), FLOORS[i]!),
  );
  const spread = one(
    'ln spread of norms',
    (features) => Math.log(features.spread + Number.MIN_VALUE),
    FLOORS[0],
  );
  const each = own.modules.flatMap((module, at) =>
    STATISTICS.map((name, i) => one(`${name} of ${module}`, ({ values }) => values[at]![i]!, FLOORS[i]!)),
  );
  const farthest = each.reduce((far, next) => (Math.abs(next.robustZ) > Math.abs(far.robustZ) ? next : far));
  return [...overall, spread, farthest];
}

/** Adjusted p-values; null stays null and does not count. */
export function benjaminiHochberg(pValues: readonly (number | null)[]): (number | null)[] {
  const order = pValues.flatMap((p, index) => (p === null ? [] : [{ p, index }])).sort((a, b) => b.p - a.p);
  const adjusted = pValues.map((): number | null => null);
  let least = 1;
  order.forEach(({ p, index }, i) => {
    least = Math.min(least, (p * order.length) / (order.length - i));
    adjusted[index] = least;
  });
  return adjusted;
}
