// Two adapters: what each does to each module.
import { counted } from '../../../../document/text/quantity.ts';
import type { PageAdapter, PageAdapterSide, PageModule, PageSpectrum } from '../../contract.ts';
import { button, element, facts, name, section } from '../part/element.ts';
import { aligned, figure } from '../part/figure.ts';
import { type Column, table } from '../part/table.ts';
import { spectrumChart } from './charts.ts';
import type { Mark } from './grid.ts';
import { heatMap } from './heatmap.ts';
import { populationOf } from './population-view.ts';
import { layerProfile } from './profile-view.ts';

export function adapterSection({ good, suspect, modules, population }: PageAdapter): HTMLElement {
  const shown = element('div', { class: 'detail', id: 'module' });
  const map = heatMap(
    'Change by module',
    '‖ΔW₂ − ΔW₁‖ / ‖ΔW₁‖ of the updates s·B·A.',
    marksOf(modules.items),
    show,
  );
  function show(at: number): void {
    map.press(at);
    shown.replaceChildren(...moduleDetail(modules.items[at]!));
  }
  if (modules.items.length > 0) show(foremost(modules.items));
  return section(
    'adapter',
    'The adapters',
    element('div', { class: 'sides' }, summary('Good', good), summary('Suspect', suspect)),
    population && populationOf(population),
    map.drawing,
    shown,
    layerProfile(good.layers, suspect.layers),
    moduleTable(modules.items, modules.total, (at) => {
      show(at);
      shown.scrollIntoView({ block: 'nearest' });
    }),
  );
}

const marksOf = (modules: readonly PageModule[]): Mark[] =>
  modules.map(({ name: called, kind, layer, pair }, at) => ({
    at,
    name: called,
    kind,
    layer,
    value: pair?.relative ?? null,
  }));

const foremost = (modules: readonly PageModule[]): number =>
  modules.reduce(
    (best, { pair }, at) => ((pair?.relative ?? -1) > (modules[best]?.pair?.relative ?? -1) ? at : best),
    0,
  );

const UNSCALED: Readonly<Record<string, string>> = {
  none: 'unscaled: no alpha was found',
  unknown: 'scale not known',
};

const summary = (title: string, { rank, scaling, modules, norm }: PageAdapterSide): HTMLElement =>
  element(
    'div',
    { class: 'side' },
    element('b', {}, title),
    ` rank ${rank === null ? 'not stated' : rank}, ${UNSCALED[scaling] ?? `scaled by ${scaling}`}, ${counted(modules, 'module')}, norm ${figure(norm)}`,
  );

function moduleDetail({ name: called, good, suspect, pair, reason }: PageModule): HTMLElement[] {
  const series = [
    ...(suspect === null ? [] : [{ name: '● suspect', values: suspect.values }]),
    ...(good === null ? [] : [{ name: '■ good', values: good.values }]),
    ...(pair === null ? [] : [{ name: '▲ difference', values: pair.values }]),
  ];
  const both = (title: string, of: (spectrum: PageSpectrum) => number | null) =>
    [
      title,
      `${good === null ? 'not there' : figure(of(good))} → ${suspect === null ? 'not there' : figure(of(suspect))}`,
    ] as const;
  return [
    element('h3', {}, name(called)),
    ...(reason === null ? [] : [element('p', { class: 'warning' }, `Not all could be computed: ${reason}`)]),
    element(
      'div',
      { class: 'charts' },
      spectrumChart('Spectrum', 'singular values of s·B·A, exact', series),
      facts([
        both('norm, good → suspect', ({ norm }) => norm),
        both('scale', ({ scale }) => scale),
        both('rank', ({ rank }) => rank),
        both('energy of the first', ({ energy }) => energy),
        both('spectral entropy', ({ entropy }) => entropy),
        both('effective rank', ({ effectiveRank }) => effectiveRank),
        both('participation', ({ participation }) => participation),
        both('kurtosis', ({ kurtosis }) => kurtosis),
        pair && ['cosine', figure(pair.cosine)],
        pair && ['overlap, left and right', `${figure(pair.left)}, ${figure(pair.right)}`],
        pair && ['novel energy', figure(pair.novel)],
      ]),
    ),
  ];
}

function moduleTable(
  modules: readonly PageModule[],
  total: number,
  onSelect: (at: number) => void,
): HTMLElement {
  const number = (title: string, of: (module: PageModule) => number | null): Column<number> => ({
    title,
    cell: (at) => aligned(of(modules[at]!)),
    key: (at) => of(modules[at]!),
    numeric: true,
  });
  return table<number>({
    caption: 'modules',
    noun: 'module',
    rows: modules.map((_, at) => at),
    total,
    words: (at) => modules[at]!.name,
    columns: [
      {
        title: 'module',
        cell: (at) => button(modules[at]!.name, () => onSelect(at), { class: 'name link' }),
        key: (at) => modules[at]!.name,
      },
      number('relative change', ({ pair }) => pair?.relative ?? null),
      number('cosine', ({ pair }) => pair?.cosine ?? null),
      number('‖good‖', ({ good }) => good?.norm ?? null),
      number('‖suspect‖', ({ suspect }) => suspect?.norm ?? null),
      number('σ₁', ({ suspect }) => suspect?.values[0] ?? null),
      number('effective rank', ({ suspect }) => suspect?.effectiveRank ?? null),
      number('kurtosis', ({ suspect }) => suspect?.kurtosis ?? null),
      number('novel energy', ({ pair }) => pair?.novel ?? null),
    ],
  });
}
