// One tensor, closely.
import { grouped } from '../../../../document/text/quantity.ts';
import type { PageAxis, PageData, PageDetail, PageElement } from '../../contract.ts';
import { element, facts, name } from '../part/element.ts';
import { aligned, figure, ofWhole } from '../part/figure.ts';
import { table } from '../part/table.ts';
import { bitsChart, spectrumChart, stripChart } from './charts.ts';
import { typeAt } from './tensor-table.ts';

export function detailOf({ tensors, details }: PageData, at: number): HTMLElement[] {
  const detail = details[at];
  const { count, changed, relative, cosine, maxAbs, notFinite, reason, file } = tensors;
  const title = element('h3', { tabindex: '-1' }, name(tensors.name[at]!));
  const list = facts([
    ['type', typeAt(tensors, at)],
    ['file', name(file.values[file.codes[at]!]!)],
    detail?.was == null ? null : ['called in the good model', name(detail.was)],
    count[at] == null ? null : ['elements changed', ofWhole(changed[at]!, count[at])],
    ['‖Δ‖ / ‖good‖', figure(relative[at]!)],
    detail === undefined
      ? null
      : ['norm, good → suspect', `${figure(detail.goodNorm)} → ${figure(detail.suspectNorm)}`],
    ['cosine', cosine[at] === null ? '–' : String(cosine[at])],
    ['largest |Δ|', figure(maxAbs[at]!)],
    notFinite[at] ? ['NaN or infinite', grouped(notFinite[at])] : null,
  ]);
  if (reason[at] !== undefined)
    return [title, element('p', { class: 'warning' }, `Not compared: ${reason[at]}`), list];
  if (detail === undefined) return [title, list, element('p', {}, FURTHER)];
  return [
    title,
    list,
    element('div', { class: 'charts' }, ...chartsOf(detail, changed[at]!)),
    ...(detail.elements === null ? [] : [elementTable(detail.elements)]),
    ...(detail.rows === null ? [] : [lineTable(detail.rows, 'row')]),
  ];
}

const FURTHER =
  'Bits, rows and spectrum are on this page only for the tensors that conclusions name and those that changed most. All of them are in --format json.';

function chartsOf({ bits, spectrum, rows, columns }: PageDetail, changed: number): HTMLElement[] {
  const charts: HTMLElement[] = [];
  if (spectrum !== null) {
    const { method, values, error, stableRank } = spectrum;
    const how = method === 'exact' ? 'exact' : `estimated, each at most ${figure(error)} too small`;
    const note = `singular values of Δ; stable rank ${figure(stableRank)}; ${how}`;
    charts.push(spectrumChart('Spectrum', note, [{ name: 'Δ', values }]));
  }
  if (rows !== null) charts.push(stripChart('Rows', rows, 'row'));
  if (bits !== null) charts.push(bitsChart(bits, changed));
  if (columns !== null) charts.push(stripChart('Columns', columns, 'column'));
  return charts;
}

function lineTable({ largest, changed }: PageAxis, noun: string): HTMLElement {
  const hasTokens = largest.some(({ token }) => token !== null);
  return table({
    caption: `${noun}s that changed most`,
    noun,
    rows: largest,
    total: changed,
    columns: [
      { title: noun, cell: ({ index }) => grouped(index), key: ({ index }) => index, numeric: true },
      ...(hasTokens
        ? [
            {
              title: 'token',
              cell: ({ token }: PageAxis['largest'][number]) => (token === null ? '' : name(token)),
              key: ({ token }: PageAxis['largest'][number]) => token,
            },
          ]
        : []),
      { title: '‖Δ‖', cell: ({ norm }) => aligned(norm), key: ({ norm }) => norm, numeric: true },
      {
        title: '‖good‖',
        cell: ({ goodNorm }) => aligned(goodNorm),
        key: ({ goodNorm }) => goodNorm,
        numeric: true,
      },
      {
        title: '‖suspect‖',
        cell: ({ suspectNorm }) => aligned(suspectNorm),
        key: ({ suspectNorm }) => suspectNorm,
        numeric: true,
      },
    ],
  });
}

const elementTable = (elements: readonly PageElement[]): HTMLElement =>
  table({
    caption: 'every changed element',
    noun: 'element',
    rows: elements,
    total: elements.length,
    columns: [
      { title: 'index', cell: ({ index }) => index, key: () => null, numeric: true },
      { title: 'good', cell: ({ good }) => figure(good), key: ({ good }) => good, numeric: true },
      {
        title: 'suspect',
        cell: ({ suspect }) => figure(suspect),
        key: ({ suspect }) => suspect,
        numeric: true,
      },
      { title: 'code, good', cell: ({ goodBits }) => name(goodBits), key: ({ goodBits }) => goodBits },
      {
        title: 'code, suspect',
        cell: ({ suspectBits }) => name(suspectBits),
        key: ({ suspectBits }) => suspectBits,
      },
      { title: 'bits that differ', cell: differing, key: () => null },
    ],
  });

/** '0, 7–9', from the two hexadecimal codes. */
function differing({ goodBits, suspectBits }: PageElement): string {
  if (!/^[\da-f]+$/i.test(goodBits) || !/^[\da-f]+$/i.test(suspectBits)) return '–';
  const bits = (BigInt(`0x${goodBits}`) ^ BigInt(`0x${suspectBits}`)).toString(2);
  const places = [...bits].map((bit, index) => (bit === '1' ? bits.length - 1 - index : -1));
  return places.filter((place) => place >= 0).join(', ');
}
