// The top of the page: the verdict in words, what was held against what, and each conclusion with its evidence.
import { bytes, counted, grouped } from '../../../../document/text/quantity.ts';
import type { Capped, PageConclusion, PageData, PageSide } from '../../contract.ts';
import { button, type Child, element, facts, name, section } from '../part/element.ts';
import { figure, share } from '../part/figure.ts';
import { CONCERN, headline } from '../part/words.ts';

export function header(data: PageData): HTMLElement {
  const { tone, text } = headline(data);
  return element(
    'header',
    { class: `verdict ${tone}` },
    element(
      'p',
      { class: 'kicker' },
      'Steelyard diff',
      data.complete ? null : element('b', {}, 'not complete'),
    ),
    element('h1', {}, text),
    element('ul', { class: 'sentences' }, ...sentences(data)),
    element('div', { class: 'sides' }, side('Good', data.good), side('Suspect', data.suspect)),
    facts(figures(data)),
  );
}

const TOLD = 5;

function sentences({ conclusions, outcome, complete }: PageData): HTMLElement[] {
  const list = conclusions.items.slice(0, TOLD).map(({ concern, message }) => item(chip(concern), message));
  if (conclusions.total > TOLD)
    list.push(item(`and ${counted(conclusions.total - TOLD, 'conclusion')} below`));
  if (outcome === 'same')
    list.push(item('No anomaly found: that says nothing about whether the good one is good.'));
  if (!complete)
    list.push(item('Not all could be read: what is not listed as changed may be. See the errors.'));
  return list;
}

const item = (...children: Child[]): HTMLElement => element('li', {}, ...children);

export const chip = (concern: string): HTMLElement => element('span', { class: `chip ${concern}` }, concern);

function side(title: string, { files, size }: PageSide): HTMLElement {
  const list: HTMLElement[] = files.items.map(({ path, format, size, sha256 }) =>
    item(name(path), ` ${format ?? 'other'}, ${bytes(size)}`, element('code', { class: 'digest' }, sha256)),
  );
  if (files.total > files.items.length)
    list.push(item(`and ${counted(files.total - files.items.length, 'file')} more`));
  const first = files.items.find(({ format }) => format !== null) ?? files.items[0];
  return element(
    'details',
    { class: 'side' },
    element(
      'summary',
      {},
      element('b', {}, title),
      name(first?.path ?? 'no file'),
      element('span', {}, `${counted(files.total, 'file')}, ${bytes(size)}`),
    ),
    element('ul', {}, ...list),
  );
}

function figures({ changed, identical, structure, files, metadata, tensors, suspect, errors }: PageData) {
  const elements = tensors.changed.reduce<number>((sum, count) => sum + (count ?? 0), 0);
  const places = (kind: string): number => structure.items.filter((change) => change.kind === kind).length;
  const moved = structure.total - places('added') - places('removed');
  return [
    ['tensors changed', grouped(changed)],
    ['identical', grouped(identical)],
    ['added', grouped(places('added'))],
    ['removed', grouped(places('removed'))],
    ['renamed, moved, re-shaped', grouped(moved)],
    ['elements changed', share(elements, suspect.count)],
    ['other files', grouped(files.total)],
    ['metadata', grouped(metadata.total)],
    ['errors', grouped(errors.total)],
  ] as const;
}

export function conclusionsSection(
  conclusions: Capped<PageConclusion>,
  onSelect: (at: number) => void,
): HTMLElement | null {
  if (conclusions.total === 0) return null;
  const list = conclusions.items.map((conclusion) => card(conclusion, onSelect));
  const left = conclusions.total - conclusions.items.length;
  return section(
    'conclusions',
    'What it looks like',
    element('div', { class: 'cards' }, ...list),
    left === 0 ? null : element('p', {}, `and ${counted(left, 'conclusion')} more in --format json`),
  );
}

function card(conclusion: PageConclusion, onSelect: (at: number) => void): HTMLElement {
  const { kind, concern, message, caveat, evidence, tensors } = conclusion;
  return element(
    'article',
    { class: `card ${concern}` },
    element('h3', {}, chip(concern), kind.replaceAll('-', ' ')),
    element('p', { class: 'message' }, message),
    evidence.length === 0 ? null : evidenceTable(evidence),
    element('p', { class: 'caveat' }, element('b', {}, 'What else looks like this: '), caveat),
    element('p', { class: 'meaning' }, CONCERN[concern]),
    tensors.total === 0 ? null : tensorList(tensors, onSelect),
  );
}

function evidenceTable(evidence: PageConclusion['evidence']): HTMLElement {
  const rows = evidence.map((one) =>
    element(
      'tr',
      {},
      element('th', { scope: 'row' }, one.name),
      element('td', { class: 'number' }, figure(one.value)),
      element('td', { class: 'text' }, one.limit ?? ''),
    ),
  );
  const heads = [
    element('th', { scope: 'col' }, 'evidence'),
    element('th', { scope: 'col', class: 'number' }, 'figure'),
    element('th', { scope: 'col' }, 'limit'),
  ];
  return element(
    'table',
    { class: 'evidence' },
    element('thead', {}, element('tr', {}, ...heads)),
    element('tbody', {}, ...rows),
  );
}

const LISTED = 4;

function tensorList(
  { total, items }: PageConclusion['tensors'],
  onSelect: (at: number) => void,
): HTMLElement {
  const list = items
    .slice(0, LISTED)
    .map(({ name: called, at }) =>
      item(at < 0 ? name(called) : button(called, () => onSelect(at), { class: 'name link' })),
    );
  if (total > list.length) list.push(item(`and ${counted(total - list.length, 'tensor')} more`));
  return element('ul', { class: 'tensors' }, ...list);
}
