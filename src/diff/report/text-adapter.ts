// Two adapters for a terminal: how strong each is, where they differ most, and where the suspect stands among known-good ones.
import { inert } from '../../document/text/inert.ts';
import { counted, grouped, rounded } from '../../document/text/quantity.ts';
import type { AdapterDiff, AdapterSummary, ModuleDiff, PopulationRank } from '../adapter/adapter-report.ts';
import type { MergeCheck, MergedModule } from '../adapter/merge/merge-report.ts';

/** Modules that are as they should be are counted; the others are told. */
export function mergeLines({ modules, others, outcome }: MergeCheck): string[] {
  const merged = modules.filter((one) => one.outcome === 'merged').length;
  return [
    `${MERGED[outcome]}: ${grouped(merged)} of ${counted(modules.length, 'module')} merged, ${counted(others, 'other tensor')} changed`,
    ...modules.filter((one) => one.outcome !== 'merged').map(mergedLine),
  ];
}

const MERGED = {
  merged: 'the good model with the adapter merged, and nothing else',
  differs: 'not the good model with the adapter merged',
  'not compared': 'not known: not everything could be compared',
} as const;

function mergedLine({ module, outcome, rest, room, rows, strength, reason }: MergedModule): string {
  if (reason !== null) return `${inert(module)}: not compared, ${inert(reason)}`;
  const at = strength === null ? '' : ` at ${rounded(strength)} times its scale`;
  const where = `in ${counted(rows!, 'row')}`;
  return `${inert(module)}: ${outcome}${at}, ${rounded(rest!)} left where rounding leaves ${rounded(room!)}, ${where}`;
}

const MODULES = 5;
/** Above it a p-value is none to speak of. */
const LEVEL = 0.05;

export function adapterLines({ good, suspect, modules, population }: AdapterDiff): string[] {
  const changed = modules.filter(({ pair }) => pair !== null && pair.norm > 0);
  const relative = ({ pair }: ModuleDiff): number => pair?.relativeNorm ?? Number.POSITIVE_INFINITY;
  const most = changed.toSorted((a, b) => relative(b) - relative(a)).slice(0, MODULES);
  const unread = modules.filter(({ reason }) => reason !== null);
  return [
    summaryLine('good', good),
    summaryLine('suspect', suspect),
    ...most.map(moduleLine),
    ...(unread.length === 0
      ? []
      : [`${counted(unread.length, 'module')} not compared; of the first: ${inert(unread[0]!.reason!)}`]),
    ...(population === null ? [] : populationLines(population)),
  ];
}

const summaryLine = (which: string, { rank, scaling, modules, norm }: AdapterSummary): string =>
  `${which}: ${counted(modules, 'module')}, rank ${rank ?? 'varies'}, ${scaling === 'unknown' ? 'scale not known' : `scaled by ${scaling}`}, norm ${rounded(norm)}`;

function moduleLine({ module, pair }: ModuleDiff): string {
  const { relativeNorm, cosine, overlap, novelEnergy } = pair!;
  const figure = (value: number | null): string => (value === null ? 'none' : rounded(value));
  return (
    `${inert(module)}: relative change ${figure(relativeNorm)}, cosine ${figure(cosine)}, ` +
    `overlap ${rounded(overlap.left)} left, ${rounded(overlap.right)} right, novel energy ${figure(novelEnergy)}`
  );
}

function populationLines({ count, rank, pValue, reason }: PopulationRank): string[] {
  const among = `among ${counted(count, 'known-good adapter')}`;
  if (rank === null) return [`not ranked ${among}: ${inert(reason!)}`];
  const place = `rank ${grouped(rank)} of ${grouped(count + 1)} ${among}, 1 the oddest`;
  if (pValue === null) return [`${place}; no verdict: ${inert(reason!)}`];
  const verdict = pValue > LEVEL ? 'no anomaly found' : 'odd, which is no proof of anything';
  return [
    `${place}; p = ${rounded(pValue)}, at n = ${grouped(count)} never below ${rounded(1 / (count + 1))}: ${verdict}`,
  ];
}
