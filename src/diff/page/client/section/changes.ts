// What changed besides values: names, places and shapes of tensors, other files, metadata; and what could not be read.
import type { Capped, PageData, PageError, PagePlace } from '../../contract.ts';
import { element, name, section } from '../part/element.ts';
import { type Column, table } from '../part/table.ts';

export function changeSections({ structure, files, metadata }: PageData): (HTMLElement | null)[] {
  return [
    listed('structure', 'Structure', 'tensors added, removed, renamed, moved', 'change', structure, [
      { title: 'what', cell: ({ kind }) => element('b', {}, kind), key: ({ kind }) => kind },
      { title: 'good', cell: ({ good }) => placeOf(good), key: ({ good }) => good?.name ?? null },
      {
        title: 'suspect',
        cell: ({ suspect }) => placeOf(suspect),
        key: ({ suspect }) => suspect?.name ?? null,
      },
    ]),
    listed('files', 'Other files', 'files that are not weights', 'file', files, [
      { title: 'file', cell: ({ path }) => name(path), key: ({ path }) => path },
      ...sides<PageData['files']['items'][number]>(),
    ]),
    listed('metadata', 'Metadata', 'keys whose values differ', 'key', metadata, [
      { title: 'file', cell: ({ file }) => name(file), key: ({ file }) => file },
      { title: 'key', cell: ({ key }) => name(key), key: ({ key }) => key },
      ...sides<PageData['metadata']['items'][number]>(),
    ]),
  ];
}

export const errorSection = (errors: Capped<PageError>): HTMLElement | null =>
  listed('errors', 'Errors', 'what could not be looked at', 'error', errors, [
    { title: 'error', cell: ({ code }) => element('b', {}, code), key: ({ code }) => code },
    { title: 'file', cell: ({ file }) => name(file), key: ({ file }) => file },
    { title: 'reason', cell: ({ message }) => message, key: ({ message }) => message },
  ]);

function listed<Row>(
  id: string,
  title: string,
  caption: string,
  noun: string,
  { total, items }: Capped<Row>,
  columns: readonly Column<Row>[],
): HTMLElement | null {
  if (total === 0) return null;
  const words = (row: Row): string => columns.map(({ key }) => key(row) ?? '').join(' ');
  return section(id, title, table({ caption, noun, rows: items, total, columns, words }));
}

function placeOf(place: PagePlace | null): HTMLElement {
  if (place === null) return element('span', { class: 'absent' }, 'not there');
  return element('span', {}, name(place.name), element('small', {}, `${place.type} in `, name(place.file)));
}

const sides = <
  Row extends { readonly good: string | null; readonly suspect: string | null },
>(): Column<Row>[] => [
  { title: 'good', cell: ({ good }) => shownValue(good), key: ({ good }) => good },
  { title: 'suspect', cell: ({ suspect }) => shownValue(suspect), key: ({ suspect }) => suspect },
];

const shownValue = (value: string | null): HTMLElement =>
  value === null ? element('span', { class: 'absent' }, 'not there') : name(value);
