// Two adapters for a terminal: how strong each is, where they differ most, and where the suspect stands among known-good ones.
import { inert } from '../../document/text/inert.ts';
import { counted, grouped, rounded } from '../../document/text/quantity.ts';
import type { AdapterDiff, AdapterSummary, ModuleDiff, PopulationRank } from '../adapter/adapter-report.ts';

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
