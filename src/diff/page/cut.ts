// The pieces a page is cut to. A page that no browser opens shows nothing, so every list has an end, and says so.
import { inert } from '../../document/text/inert.ts';
import type { Capped, Coded } from './contract.ts';

/** Sentences: longer ones are attempts to scroll the rest away. */
const SENTENCE = 600;

export const sentence = (text: string): string => inert(text, SENTENCE);

export function capped<T, U>(items: readonly T[], limit: number, convert: (item: T) => U): Capped<U> {
  return { total: items.length, items: items.slice(0, limit).map(convert) };
}

/** Four digits are more than is drawn. What is no number (a norm of infinities) is shown as not known. */
export const short = (value: number | null, digits = 4): number | null =>
  value === null || !Number.isFinite(value) ? null : Number(value.toPrecision(digits));

/** The same for lengths of bars. */
export const lengths = (values: readonly number[]): number[] => values.map((value) => short(value) ?? 0);

export function coded(strings: readonly string[]): Coded {
  const codes = new Map<string, number>();
  return {
    codes: strings.map((text) => {
      const code = codes.get(text) ?? codes.size;
      codes.set(text, code);
      return code;
    }),
    values: [...codes.keys()],
  };
}
