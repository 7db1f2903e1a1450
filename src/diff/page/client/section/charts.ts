// The drawings of one tensor or module.
import { axisX, axisY, barY, dot, gridY, line, rectY, ruleY, text } from '@observablehq/plot';
import { grouped } from '../../../../document/text/quantity.ts';
import type { PageAxis, PageBits, PageLine } from '../../contract.ts';
import { chart, decade, tick } from '../part/chart.ts';
import { figure, share } from '../part/figure.ts';

const SIZE = { width: 500, height: 190, marginLeft: 52, marginRight: 12, marginTop: 16, marginBottom: 36 };

/** Bit positions from the highest down, as one writes a number. */
export function bitsChart({ counts, fields }: PageBits, changed: number): HTMLElement {
  const fieldOf = (bit: number): string => {
    if (fields === null) return 'bit';
    if (bit >= fields.exponent + fields.mantissa) return 'sign';
    return bit >= fields.mantissa ? 'exponent' : 'mantissa';
  };
  const bars = counts.map((count, bit) => ({
    bit,
    part: changed === 0 ? 0 : count / changed,
    field: fieldOf(bit),
  }));
  const touched = bars.filter(({ part }) => part > 0);
  const lowest = touched[0];
  const highest = touched.at(-1);
  const range =
    lowest === undefined || highest === undefined
      ? 'no bit differs'
      : `from bit ${lowest.bit} (${lowest.field}) to bit ${highest.bit} (${highest.field})`;
  const every = Math.ceil(bars.length / 16);
  return chart(
    'Bits',
    `Share of the changed elements that differ in each bit, ${range}`,
    `share of the changed elements that differ in it; ${range}`,
    {
      ...SIZE,
      x: { domain: bars.map(({ bit }) => bit).reverse(), padding: 0.15 },
      y: { domain: [0, Math.max(0.5, ...bars.map(({ part }) => part))] },
      marks: [
        gridY({ ticks: 4 }),
        axisY({
          ticks: 4,
          tickSize: 0,
          label: null,
          tickFormat: (part: number) => `${Math.round(100 * part)} %`,
        }),
        axisX({
          tickSize: 0,
          label: 'bit',
          labelArrow: 'none',
          ticks: bars.map(({ bit }) => bit).filter((bit) => bit % every === 0),
        }),
        ruleY([0.5], { strokeDasharray: '2 3', strokeOpacity: 0.6 }),
        barY(bars, { x: 'bit', y: 'part', fill: ({ field }) => `var(--${field})` }),
        // Each field is named where it begins: colour alone says nothing to many.
        text(
          bars.filter(
            ({ bit, field }) => (fields !== null && fieldOf(bit + 1) !== field) || bit === bars.length - 1,
          ),
          {
            x: 'bit',
            text: 'field',
            frameAnchor: 'top-left',
            textAnchor: 'start',
            dx: -8,
            dy: -14,
            fill: ({ field }) => `var(--${field})`,
          },
        ),
      ],
    },
  );
}

export interface Series {
  readonly name: string;
  readonly values: readonly number[];
}

/** Singular values on a logarithmic axis. */
export function spectrumChart(title: string, note: string, series: readonly Series[]): HTMLElement {
  const points = series.flatMap(({ name, values }) =>
    values.map((value, index) => ({ name, value, rank: index + 1 })).filter(({ value }) => value > 0),
  );
  const most = Math.max(1, ...points.map(({ rank }) => rank));
  const [low, high] = decades(points.map(({ value }) => value));
  const every = Math.ceil((high - low) / 6);
  const ticks = Array.from({ length: high - low + 1 }, (_, index) => low + index)
    .filter((exponent) => (exponent - low) % every === 0)
    .map((exponent) => 10 ** exponent);
  const described = series
    .map(({ name, values }) => `${name}: ${values.slice(0, 3).map(figure).join(', ')}`)
    .join('; ');
  return chart(title, `Singular values, the largest first. ${described}`, note, {
    ...SIZE,
    x: { domain: [0.5, most + 0.5] },
    y: { type: 'log', domain: [10 ** low, 10 ** high] },
    marks: [
      gridY({ ticks }),
      axisY({ ticks, tickSize: 0, label: null, tickFormat: decade }),
      axisX({
        tickSize: 0,
        label: 'singular value',
        labelArrow: 'none',
        ticks: Array.from({ length: most }, (_, index) => index + 1).filter(
          (rank) => rank % Math.ceil(most / 16) === 0,
        ),
        tickFormat: String,
      }),
      ...series.map(({ name }, index) => {
        const own = points.filter((point) => point.name === name);
        const colour = `var(--series-${index})`;
        return [
          line(own, { x: 'rank', y: 'value', stroke: colour, strokeWidth: 1.5 }),
          dot(own, { x: 'rank', y: 'value', fill: colour, r: 3, symbol: SYMBOLS[index]! }),
          series.length === 1
            ? null
            : text([name], {
                text: (text: string) => text,
                frameAnchor: 'top-right',
                dx: -4,
                dy: 2 + 13 * index,
                fill: colour,
              }),
        ];
      }),
    ],
  });
}

const SYMBOLS = ['circle', 'square', 'triangle'] as const;

/** The powers of ten around them; all of one value still has room. */
function decades(values: readonly number[]): [number, number] {
  if (values.length === 0) return [-1, 0];
  const low = Math.floor(Math.log10(Math.min(...values)));
  const high = Math.ceil(Math.log10(Math.max(...values)) + 1e-9);
  return [low, Math.max(high, low + 1)];
}

/** Where along an axis the change sits: bands of equal width, with the lines that changed most. */
export function stripChart(title: string, axis: PageAxis, noun: string): HTMLElement {
  const { count, changed, keptNorm, unused, participation, bands, largest } = axis;
  const width = count / Math.max(1, bands.length);
  const bars = bands.map((norm, index) => ({ from: index * width, to: (index + 1) * width, norm }));
  // In a change that all lines share, the largest ones are chance.
  const named = largest.slice(0, participation !== null && participation < count / 10 ? 3 : 0);
  const carried = participation === null ? '' : `; carried by about ${figure(participation)}`;
  const kept = keptNorm ? `; ${grouped(keptNorm)} kept their norm` : '';
  const before = unused ? `; ${grouped(unused)} were unused before` : '';
  const note = `${grouped(changed)} of ${grouped(count)} ${noun}s changed (${share(changed, count)})${carried}${kept}${before}`;
  return chart(
    title,
    `${note}. Largest: ${largest
      .slice(0, 3)
      .map(({ index }) => index)
      .join(', ')}`,
    note,
    {
      ...SIZE,
      x: { domain: [0, count] },
      y: { domain: [0, Math.max(...bands, 0) || 1] },
      marks: [
        gridY({ ticks: 4 }),
        axisY({ ticks: 4, tickSize: 0, label: null, tickFormat: tick }),
        axisX({ ticks: 6, tickSize: 0, label: noun, labelArrow: 'none', tickFormat: grouped }),
        rectY(bars, {
          x1: 'from',
          x2: 'to',
          y: 'norm',
          fill: 'var(--series-0)',
          inset: bands.length > 100 ? 0 : 0.5,
        }),
        text(named, {
          x: 'index',
          y: Math.max(...bands, 0) || 1,
          dy: -9,
          text: ({ index, token }: PageLine) => token ?? grouped(index),
        }),
        dot(named, { x: 'index', y: 0, dy: 4, symbol: 'triangle', r: 2.5, fill: 'currentColor' }),
      ],
    },
  );
}
