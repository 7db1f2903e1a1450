// What the lines of the text report are made of: a width, a way to break our own lists, and paint.
import { styleText } from 'node:util';
import type { Severity } from '../../rules/rules.ts';

/** Columns; kept where data allows. */
export const WIDTH = 100;

export type Paint = (tone: Tone, text: string) => string;
type Tone = Severity | 'title' | 'dim' | 'good' | 'bad';

/** Colour is the caller's choice, never the environment's: a report is the same wherever it is rendered. */
export function painter(colour: boolean): Paint {
  if (!colour) return (_tone, text) => text;
  return (tone, text) => styleText([...STYLES[tone]], text, { validateStream: false });
}

const STYLES = {
  critical: ['bold', 'red'],
  high: ['red'],
  medium: ['yellow'],
  low: ['cyan'],
  info: ['dim'],
  title: ['bold'],
  dim: ['dim'],
  good: ['bold', 'green'],
  bad: ['bold', 'red'],
} as const satisfies Record<Tone, readonly string[]>;

/**
 * Breaks a list of short parts into lines. Never give it foreign text that it could break inside: a message's middle part at
 * the start of a line could be `::stop-commands::x`.
 */
export function wrapped(parts: readonly string[], separator: string, indent: string): string[] {
  const lines: string[] = [];
  let line = '';
  for (const part of parts) {
    const longer = line === '' ? part : line + separator + part;
    if (line !== '' && indent.length + longer.length > WIDTH) {
      lines.push(indent + (line + separator).trimEnd());
      line = part;
    } else line = longer;
  }
  if (line !== '') lines.push(indent + line);
  return lines;
}
