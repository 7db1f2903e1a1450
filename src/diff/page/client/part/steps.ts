// Relative change in steps of colour. Colours are classes and their values are in the style sheet, so that dark, light and paper
// each have their own; the steps are of decades or halves of them, so that a legend can name every one.
import { power } from './figure.ts';

/** As many as the style sheet has colours, step-0 to step-8. */
export const STEPS = 9;

export interface Steps {
  stepOf(value: number): number;
  /** Of each step that occurs between the smallest and the largest, the least value, in words. */
  readonly legend: readonly { readonly step: number; readonly label: string }[];
}

export function stepsFor(values: readonly number[]): Steps {
  const exponents = values.filter((value) => value > 0).map((value) => Math.log10(value));
  const top = Math.max(-1, ...exponents); // 10 % or more is the darkest in any report with smaller changes
  const bottom = exponents.reduce((least, exponent) => Math.min(least, exponent), top);
  const width = top - bottom <= STEPS / 2 - 0.5 ? 0.5 : 1;
  const last = Math.floor(top / width);
  const first = last - STEPS + 1;
  const stepOf = (value: number): number =>
    value > 0 ? Math.min(STEPS - 1, Math.max(0, Math.floor(Math.log10(value) / width) - first)) : 0;
  const legend = Array.from({ length: STEPS }, (_, step) => ({
    step,
    label: step === 0 ? `below ${edge(first + 1, width)}` : edge(first + step, width),
  }));
  return { stepOf, legend: legend.slice(Math.min(stepOf(10 ** bottom), STEPS - 1)) };
}

function edge(index: number, width: number): string {
  const exponent = index * width;
  const whole = Math.floor(exponent);
  return exponent === whole ? power(whole) : `3×${power(whole)}`;
}
