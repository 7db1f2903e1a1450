// Observable Plot under a policy that allows no inline style: the style element that every plot brings is taken away before the
// plot enters the document; style.css has its rules.
/*!
Drawn with Observable Plot 0.6.17 and D3 7.9.
Copyright 2020-2025 Observable, Inc. Copyright 2010-2026 Mike Bostock. Copyright 2008-2012 Charles Karney (d3-geo, MIT).
Copyright 2002 Cynthia Brewer, Mark Harrower, and The Pennsylvania State University (d3-scale-chromatic, Apache 2.0).
Permission to use, copy, modify, and/or distribute this software for any purpose with or without fee is hereby granted, provided
that the above copyright notice and this permission notice appear in all copies.
THE SOFTWARE IS PROVIDED "AS IS" AND THE AUTHOR DISCLAIMS ALL WARRANTIES WITH REGARD TO THIS SOFTWARE INCLUDING ALL IMPLIED
WARRANTIES OF MERCHANTABILITY AND FITNESS. IN NO EVENT SHALL THE AUTHOR BE LIABLE FOR ANY SPECIAL, DIRECT, INDIRECT, OR CONSEQUENTIAL
DAMAGES OR ANY DAMAGES WHATSOEVER RESULTING FROM LOSS OF USE, DATA OR PROFITS, WHETHER IN AN ACTION OF CONTRACT, NEGLIGENCE OR OTHER
TORTIOUS ACTION, ARISING OUT OF OR IN CONNECTION WITH THE USE OR PERFORMANCE OF THIS SOFTWARE.
*/
import { type PlotOptions, plot } from '@observablehq/plot';
import { element } from './element.ts';
import { minus, power } from './figure.ts';

/** A drawing with its caption; `described` is what a screen reader says instead of the drawing. */
export function chart(title: string, described: string, note: string, options: PlotOptions): HTMLElement {
  const drawing = plot({ ...options, ariaLabel: described });
  drawing.setAttribute('role', 'img');
  return framed(title, note, drawing);
}

export function framed(title: string, note: string, drawing: Element): HTMLElement {
  for (const style of drawing.querySelectorAll('style')) style.remove();
  // Plot names its groups 'rule' and 'tick'; a label without a role is read out or dropped as the reader likes.
  for (const group of drawing.querySelectorAll('g[aria-label]')) group.removeAttribute('aria-label');
  return element(
    'figure',
    { class: 'chart' },
    element('figcaption', {}, element('strong', {}, title), note === '' ? null : ` ${note}`),
    drawing as HTMLElement,
  );
}

/** Ticks of logarithmic axes: powers of ten only. */
export function decade(value: number): string {
  const exponent = Math.log10(value);
  return Math.abs(exponent - Math.round(exponent)) < 1e-9 ? power(Math.round(exponent)) : '';
}

/** Ticks of linear axes; large and small ones as powers. */
export function tick(value: number): string {
  const size = Math.abs(value);
  if (value === 0 || (size >= 1e-3 && size < 1e5)) return minus(String(Number(value.toPrecision(3))));
  const [digits, exponent] = value.toExponential(1).split('e');
  return `${minus(digits!.replace('.0', ''))}×${power(Number(exponent))}`;
}
