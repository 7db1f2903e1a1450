// The text report's section on chat templates: which loader takes which, and by which rule.
import type { Report } from '../../baseline/report.ts';
import { wrapped } from '../../document/text/frame.ts';
import { inert } from '../../document/text/inert.ts';

type Choice = NonNullable<Report['loaders']>[number];

/** Choices that are shown; a folder of many models has one or more for each. */
const SHOWN_MAX = 40;

export function loaderLines({ loaders = [] }: Pick<Report, 'loaders'>): string[] {
  if (loaders.length === 0) return [];
  const groups = new Map<string, Choice[]>();
  for (const choice of loaders.slice(0, SHOWN_MAX)) {
    const { used, request, rule, of } = choice;
    const key = JSON.stringify([of, used?.file, used?.template, request, rule]);
    groups.set(key, [...(groups.get(key) ?? []), choice]);
  }
  const rest = loaders.length - SHOWN_MAX;
  return [
    'chat templates in use',
    ...[...groups.values()].flatMap(groupLines),
    ...(rest > 0 ? [`  and ${rest} more`] : []),
  ];
}

function groupLines(group: readonly Choice[]): string[] {
  const [{ used, request, rule, of }] = group as readonly [Choice, ...Choice[]];
  const names = group.map(({ loader }) => loader).join(', ');
  const what =
    used === null ? `none of ${inert(of) || 'the folder'}` : `${inert(used.template)} of ${inert(used.file)}`;
  const when = request === 'any' ? '' : request === 'tools' ? ', with tools' : ', without tools';
  return [`  ${names}${when}: ${what}`, ...wrapped(rule.split(' '), ' ', '    ')];
}
