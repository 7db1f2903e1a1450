// Many adapters among many, for a terminal: the oddest first, and what such a p-value can say at all. And the same as JSON.
import { chunked, json, list } from '../../document/json/chunks.ts';
import { type Paint, painter } from '../../document/text/frame.ts';
import { inert } from '../../document/text/inert.ts';
import { counted, grouped, rounded } from '../../document/text/quantity.ts';
import type { PopulationReport, SuspectRank } from '../adapter/many/many.ts';

const SHOWN = 20;
const MESSAGE = 600;

export function renderPopulationText(report: PopulationReport, { colour }: { colour: boolean }): string {
  const paint = painter(colour);
  const { suspects, errors, good } = report;
  const sorted = suspects.toSorted((a, b) => weight(a) - weight(b));
  const more = sorted.length - SHOWN;
  const lines = [
    headline(report, paint),
    '',
    `${counted(suspects.length, 'suspect')} among ${counted(good, 'known-good adapter')}`,
    ...sorted.slice(0, SHOWN).map((one) => `  ${suspectLine(one, good)}`),
    ...(more > 0 ? [`  … and ${grouped(more)} more`] : []),
    ...limits(report),
    ...(errors.length === 0 ? [] : ['', paint('title', 'Errors')]),
    ...errors.map(({ code, file, message }) => `  ${code}  ${inert(file)}: ${inert(message, MESSAGE)}`),
  ];
  return `${lines.join('\n')}\n`;
}

function headline({ outcome, suspects }: PopulationReport, paint: Paint): string {
  const odd = suspects.filter(({ verdict }) => verdict === 'odd').length;
  if (outcome === 'odd')
    return paint(
      'bad',
      `ODD: ${counted(odd, 'suspect')} of ${grouped(suspects.length)}, which is no proof of anything`,
    );
  return outcome === 'even'
    ? paint('title', 'NO ANOMALY FOUND among the suspects')
    : paint('bad', 'NO ANSWER: not every suspect could be judged');
}

/** What could not be judged comes after what is odd; copies of known-good ones come last. */
function weight({ verdict, adjusted, pValue }: SuspectRank): number {
  if (verdict === 'not judged') return 1;
  return verdict === 'known' ? 4 : verdict === 'odd' ? adjusted! : 2 + pValue!;
}

function suspectLine({ name, verdict, rank, pValue, adjusted, reason }: SuspectRank, good: number): string {
  const what = `${verdict.padEnd(10)}  ${inert(name)}`;
  const place = rank === null ? '' : `: rank ${grouped(rank)} of ${grouped(good + 1)}, 1 the oddest`;
  if (pValue === null) return `${what}${place}: ${inert(reason ?? '', MESSAGE)}`;
  return `${what}${place}; p = ${rounded(pValue)}, ${rounded(adjusted!)} adjusted`;
}

function limits({ leastAdjusted, level, good }: PopulationReport): string[] {
  if (leastAdjusted === null || leastAdjusted <= level) return [];
  const needed = Math.ceil(leastAdjusted / level);
  return [
    '',
    `With ${grouped(good)} known-good adapters p is never below ${rounded(1 / (good + 1))}, and for so many suspects at once`,
    `at least ${grouped(needed)} must be that odd before one is called odd at ${level}. Ask for fewer, or look at the ranks.`,
  ];
}

export function populationJsonChunks(report: PopulationReport): Generator<string, void, undefined> {
  const { suspects, errors, ...rest } = report;
  function* lines(): Generator<string> {
    yield '{\n';
    for (const [name, value] of Object.entries(rest)) yield `  "${name}": ${json(value)},\n`;
    yield* list('suspects', suspects);
    yield ',\n';
    yield* list('errors', errors);
    yield '\n}\n';
  }
  return chunked(lines());
}
