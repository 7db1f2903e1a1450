// The changed tensors: where they are, and all of them in a table.
import { grouped } from '../../../../document/text/quantity.ts';
import type { PageData, TensorColumns } from '../../contract.ts';
import { button } from '../part/element.ts';
import { aligned, share } from '../part/figure.ts';
import { type Column, table } from '../part/table.ts';
import type { Mark } from './grid.ts';

export const typeAt = ({ type }: TensorColumns, at: number): string => type.values[type.codes[at]!]!;

export const marksOf = ({ name, module, layer, relative }: TensorColumns): Mark[] =>
  name.map((called, at) => ({
    at,
    name: called,
    kind: module.values[module.codes[at]!]!,
    layer: layer[at]!,
    value: relative[at]!,
  }));

/** What is shown first: the first tensor that a conclusion names, else the one that changed most. −1: there is none. */
export function foremost({ conclusions, tensors }: PageData): number {
  const named = conclusions.items.flatMap((conclusion) => conclusion.tensors.items.map(({ at }) => at));
  const first = named.find((at) => at >= 0);
  if (first !== undefined) return first;
  return tensors.relative.reduce<number>(
    (most, value, at) => (most < 0 || (value ?? -1) > (tensors.relative[most] ?? -1) ? at : most),
    -1,
  );
}

export function tensorTable(data: PageData, onSelect: (at: number) => void): HTMLElement {
  const { tensors, changed } = data;
  const file = (at: number): string => tensors.file.values[tensors.file.codes[at]!]!;
  const number = (title: string, values: readonly (number | null)[]): Column<number> => ({
    title,
    cell: (at) => aligned(values[at]!),
    key: (at) => values[at]!,
    numeric: true,
  });
  return table<number>({
    caption: 'tensors whose bytes changed',
    noun: 'tensor',
    rows: tensors.name.map((_, at) => at),
    total: changed,
    words: (at) => `${tensors.name[at]} ${typeAt(tensors, at)} ${file(at)}`,
    columns: [
      {
        title: 'tensor',
        cell: (at) => button(tensors.name[at]!, () => onSelect(at), { class: 'name link' }),
        key: (at) => tensors.name[at]!,
      },
      { title: 'type', cell: (at) => typeAt(tensors, at), key: (at) => typeAt(tensors, at) },
      number('‖Δ‖ / ‖good‖', tensors.relative),
      {
        title: 'elements changed',
        cell: (at) => changedShare(tensors, at),
        key: (at) => tensors.changed[at]!,
        numeric: true,
      },
      {
        title: 'cosine',
        cell: (at) => (tensors.cosine[at] === null ? '–' : tensors.cosine[at]!.toFixed(6).replace('-', '−')),
        key: (at) => tensors.cosine[at]!,
        numeric: true,
      },
      number('largest |Δ|', tensors.maxAbs),
      { ...number('NaN, ∞', tensors.notFinite), cell: (at) => grouped(tensors.notFinite[at] ?? 0) },
    ],
  });
}

function changedShare({ changed, count }: TensorColumns, at: number): string {
  const [part, whole] = [changed[at], count[at]];
  return part == null || whole == null ? 'not compared' : `${grouped(part)}  ${share(part, whole)}`;
}
