// Tables that sort and search. Rows enter the document in portions: 100,000 at once stop any browser.
import { counted, grouped } from '../../../../document/text/quantity.ts';
import { button, type Child, element } from './element.ts';

export interface Column<Row> {
  readonly title: string;
  readonly cell: (row: Row) => Child;
  /** What it is sorted by; null goes last. */
  readonly key: (row: Row) => number | string | null;
  readonly numeric?: boolean;
}

export interface TableOptions<Row> {
  readonly caption: string;
  readonly noun: string;
  readonly rows: readonly Row[];
  /** In the report; the page may have fewer. */
  readonly total: number;
  readonly columns: readonly Column<Row>[];
  /** What a search looks at; no search field without it. */
  readonly words?: (row: Row) => string;
}

const FIRST = 50;
const PORTION = 500;

export function table<Row>(options: TableOptions<Row>): HTMLElement {
  const { caption, noun, rows, total, columns, words } = options;
  let found = rows;
  let order: { readonly column: Column<Row>; readonly down: boolean } | null = null;
  let limit = FIRST;

  const heads = columns.map((column) => headOf(column, () => sortBy(column)));
  const body = element('tbody', {});
  const count = element('p', { class: 'told', 'aria-live': 'polite' });
  const more = button(`Show ${PORTION} more`, () => {
    limit += PORTION;
    show();
  });

  function sortBy(column: Column<Row>): void {
    // Figures are looked at from the largest down, words from A.
    const down = order?.column === column ? !order.down : column.numeric === true;
    order = { column, down };
    columns.forEach((other, index) => {
      heads[index]!.setAttribute('aria-sort', other !== column ? 'none' : down ? 'descending' : 'ascending');
    });
    show();
  }

  function show(): void {
    const shown = sorted(found, order).slice(0, limit);
    body.replaceChildren(...shown.map((row) => rowOf(columns, row)));
    more.hidden = shown.length === found.length;
    count.replaceChildren(summary(shown.length, found.length));
  }

  function summary(shown: number, matching: number): string {
    const left =
      total === rows.length ? '' : `; the report has ${grouped(total)}, all of them in --format json`;
    if (matching === rows.length && shown === matching) return `${counted(matching, noun)}${left}`;
    const hits = matching === rows.length ? '' : ` that match, of ${grouped(rows.length)}`;
    return `${grouped(shown)} of ${counted(matching, noun)}${hits} shown${left}`;
  }

  show();
  const grid = element(
    'table',
    {},
    element('caption', {}, caption),
    element('thead', {}, element('tr', {}, ...heads)),
    body,
  );
  const search = words === undefined || rows.length < 8 ? null : searchOf(caption, find);
  return element('div', { class: 'table' }, search, element('div', { class: 'scroll' }, grid), count, more);

  function find(wanted: string): void {
    const parts = wanted.toLowerCase().split(/\s+/);
    found = rows.filter((row) => {
      const text = words!(row).toLowerCase();
      return parts.every((part) => text.includes(part));
    });
    limit = FIRST;
    show();
  }
}

function headOf<Row>({ title, numeric }: Column<Row>, onClick: () => void): HTMLElement {
  const attributes = { scope: 'col', 'aria-sort': 'none', class: numeric ? 'number' : 'text' };
  return element('th', attributes, button(title, onClick));
}

const rowOf = <Row>(columns: readonly Column<Row>[], row: Row): HTMLElement =>
  element(
    'tr',
    {},
    ...columns.map(({ cell, numeric }) => element('td', { class: numeric ? 'number' : 'text' }, cell(row))),
  );

function searchOf(caption: string, onInput: (text: string) => void): HTMLElement {
  const field = element('input', {
    type: 'search',
    placeholder: 'search',
    'aria-label': `Search: ${caption}`,
  });
  field.addEventListener('input', () => onInput(field.value));
  return field;
}

function sorted<Row>(
  rows: readonly Row[],
  order: { readonly column: Column<Row>; readonly down: boolean } | null,
): readonly Row[] {
  if (order === null) return rows;
  const { column, down } = order;
  const keyed = rows.map((row) => ({ row, key: column.key(row) }));
  keyed.sort((a, b) => {
    if (a.key === null || b.key === null) return Number(a.key === null) - Number(b.key === null);
    const rising = a.key < b.key ? -1 : a.key > b.key ? 1 : 0;
    return down ? -rising : rising;
  });
  return keyed.map(({ row }) => row);
}
