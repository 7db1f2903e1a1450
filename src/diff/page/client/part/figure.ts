// Numbers as the page writes them.
import { grouped } from '../../../../document/text/quantity.ts';

const SUPERSCRIPT = '⁰¹²³⁴⁵⁶⁷⁸⁹';

/** 0.00214 → '2.14×10⁻³', 128256 → '128,256'; '–' where there is none. */
export const figure = (value: number | null): string => written(value, (text) => String(Number(text)));

/** The same with its zeros, for columns. */
export const aligned = (value: number | null): string => written(value, (text) => text);

function written(value: number | null, trim: (text: string) => string): string {
  if (value === null) return '–';
  if (Number.isInteger(value) && Math.abs(value) < 1e9) return minus(grouped(value));
  const size = Math.abs(value);
  if (size >= 1000 && size < 1e9) return minus(grouped(Math.round(value)));
  if (size >= 0.01 && size < 1000) return minus(trim(value.toPrecision(4)));
  const [digits, exponent] = value.toExponential(2).split('e');
  return `${minus(digits!)}×${power(Number(exponent))}`;
}

/** −3 → '10⁻³'. */
export const power = (exponent: number): string =>
  `10${exponent < 0 ? '⁻' : ''}${[...String(Math.abs(exponent))].map((digit) => SUPERSCRIPT[Number(digit)]).join('')}`;

export const minus = (text: string): string => text.replace('-', '−');

/** A share for people: never '0 %' of something that is there, never '100 %' of less than all. */
export function share(part: number, whole: number): string {
  if (whole === 0) return '–';
  const percent = (100 * part) / whole;
  if (percent > 0 && percent < 0.01) return 'below 0.01 %';
  if (percent < 100 && percent > 99.99) return 'above 99.99 %';
  return `${Number(percent.toPrecision(3))} %`;
}

export const ofWhole = (part: number, whole: number): string =>
  `${grouped(part)} of ${grouped(whole)} (${share(part, whole)})`;
