// Layer by module: where the change sits. One tab stop; arrows move between cells, Enter shows the tensor.
import { axisX, axisY, cell, plot, text } from '@observablehq/plot';
import { counted } from '../../../../document/text/quantity.ts';
import { framed } from '../part/chart.ts';
import { element } from '../part/element.ts';
import { figure } from '../part/figure.ts';
import { type Steps, stepsFor } from '../part/steps.ts';
import { type Cell, type Grid, gridOf, type Mark, neighbour } from './grid.ts';

export function heatMap(
  title: string,
  note: string,
  marks: readonly Mark[],
  onSelect: (at: number) => void,
): HeatMap {
  const grid = gridOf(marks);
  const steps = stepsFor(grid.cells.map(({ foremost }) => foremost.value ?? 0));
  const drawing = drawn(grid);
  drawing.setAttribute('role', 'group');
  drawing.setAttribute('aria-label', `${title}; ${counted(grid.cells.length, 'cell')}, arrow keys move`);
  const told = element('p', { class: 'told', 'aria-live': 'polite' }, HINT);
  const rects = bringToLife(drawing, grid, steps, told, onSelect);
  const left = grid.left === 0 ? '' : ` ${counted(grid.left, 'cell')} with smaller changes do not fit.`;
  const figure = framed(title, note + left, drawing);
  return {
    drawing: element('div', { class: 'heat' }, figure, legendOf(steps), told),
    press(at) {
      const pressed = grid.cells.findIndex((cell) => cell.marks.some((mark) => mark.at === at));
      rects.forEach((rect, index) => {
        rect.setAttribute('aria-pressed', String(index === pressed));
      });
    },
  };
}

export interface HeatMap {
  readonly drawing: HTMLElement;
  /** Marks the cell of the tensor that is shown. */
  press(at: number): void;
}

const HINT = 'Point at a cell or move with the arrow keys; click or Enter shows more.';

const WIDTH = 1084;
/** A map of three layers is not stretched over the page. */
const WIDEST = 60;

function drawn({ cells, kinds, layers }: Grid): Element {
  const labels = labelsOf(kinds);
  const row = new Map(kinds.map((kind, index) => [kind, index]));
  const y = ({ kind }: Cell): number => row.get(kind)!;
  const marginLeft = 24 + 6.2 * Math.max(4, ...labels.map((label) => label.length));
  return plot({
    width: Math.min(WIDTH, marginLeft + layers.length * WIDEST),
    height: 32 + kinds.length * 24,
    marginLeft,
    marginRight: 2,
    marginTop: 24,
    marginBottom: 8,
    x: { domain: layers, padding: 0.08 },
    y: { domain: kinds.map((_, index) => index), padding: 0.12 },
    marks: [
      axisX({
        anchor: 'top',
        label: null,
        tickSize: 0,
        ticks: ticksOf(layers),
        tickFormat: (layer: number) => (layer < 0 ? 'none' : String(layer)),
      }),
      axisY({ label: null, tickSize: 0, tickFormat: (index: number) => labels[index] ?? '' }),
      cell(cells, { x: 'layer', y, fill: 'currentColor', rx: 2 }),
      text(
        cells.filter(({ foremost }) => foremost.value === null),
        { x: 'layer', y, text: () => '?', pointerEvents: 'none' },
      ),
    ],
  });
}

function bringToLife(
  drawing: Element,
  grid: Grid,
  steps: Steps,
  told: HTMLElement,
  onSelect: (at: number) => void,
): SVGRectElement[] {
  const rects = [...drawing.querySelectorAll<SVGRectElement>('g[aria-label="cell"] rect')];
  rects.forEach((rect, index) => {
    const one = grid.cells[index]!;
    const { value, at } = one.foremost;
    rect.setAttribute('class', value === null ? 'step-none' : `step-${steps.stepOf(value)}`);
    rect.setAttribute('role', 'button');
    rect.setAttribute('aria-label', described(one));
    rect.setAttribute('tabindex', index === 0 ? '0' : '-1');
    const tell = (): void => told.replaceChildren(described(one));
    const select = (): void => onSelect(at);
    rect.addEventListener('mouseenter', tell);
    rect.addEventListener('focus', tell);
    rect.addEventListener('click', select);
    rect.addEventListener('keydown', (event) => {
      const next = neighbour(grid, one, event.key);
      if (event.key === 'Enter' || event.key === ' ') select();
      else if (next < 0) return;
      else {
        rect.setAttribute('tabindex', '-1');
        rects[next]!.setAttribute('tabindex', '0');
        rects[next]!.focus();
      }
      event.preventDefault();
    });
  });
  return rects;
}

const legendOf = (steps: Steps): HTMLElement =>
  element(
    'p',
    { class: 'legend' },
    element('span', {}, '‖Δ‖ / ‖good‖ from'),
    ...steps.legend.map(({ step, label }) =>
      element('span', {}, element('i', { class: `swatch step-${step}` }), label),
    ),
    element('span', {}, element('i', { class: 'swatch' }), 'nothing changed'),
  );

function ticksOf(layers: readonly number[]): number[] {
  const every = Math.ceil(layers.length / 40);
  return layers.filter((layer) => layer < 0 || layer % every === 0);
}

function described({ kind, layer, marks, foremost }: Cell): string {
  const where = layer < 0 ? foremost.name : `layer ${layer}, ${kind}`;
  const what =
    foremost.value === null ? 'could not be compared' : `relative change ${figure(foremost.value)}`;
  return `${where}: ${what}${marks.length > 1 ? `, the largest of ${marks.length} tensors` : ''}`;
}

const LABEL = 48;

/** What all layers have in front of their number is said once too often; of what is long, the last words tell it apart. */
function labelsOf(kinds: readonly string[]): string[] {
  const fronts = new Set(kinds.filter((kind) => kind.includes('*.')).map((kind) => kind.split('*.', 1)[0]));
  return kinds.map((kind) => {
    const label = fronts.size === 1 && kind.includes('*.') ? kind.slice(kind.indexOf('*.') + 2) : kind;
    return label.length <= LABEL ? label : `…${label.slice(1 - LABEL)}`;
  });
}
