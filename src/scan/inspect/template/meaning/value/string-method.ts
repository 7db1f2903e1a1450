// The methods and filters of strings and lists with which a name can be put together from pieces.
import type { Plain } from './plain.ts';

type Method = (input: Plain, args: readonly Plain[]) => Plain | undefined;

/** undefined: not one of them, or not for such a value. */
export function methodResult(name: string, input: Plain, args: readonly Plain[]): [Plain] | undefined {
  const value = METHODS.get(name)?.(input, args);
  return value === undefined ? undefined : [value];
}

const onText =
  (method: (text: string, args: readonly Plain[]) => Plain): Method =>
  (input, args) =>
    typeof input === 'string' ? method(input, args) : undefined;

const same: Method = (input) => input;
const lower = onText((text) => text.toLowerCase());
const upper = onText((text) => text.toUpperCase());
const capital = onText((text) => text.slice(0, 1).toUpperCase() + text.slice(1).toLowerCase());
const trim = onText((text, [characters]) =>
  typeof characters === 'string' ? stripped(text, characters) : text.trim(),
);

const METHODS = new Map<string, Method>([
  ['lower', lower],
  ['upper', upper],
  ['title', capital],
  ['capitalize', capital],
  ['trim', trim],
  ['strip', trim],
  ['lstrip', trim],
  ['rstrip', trim],
  ['swapcase', onText((text) => swapped(text))],
  ['safe', same],
  ['e', same],
  ['escape', same],
  ['string', (input) => (typeof input === 'object' ? undefined : String(input))],
  ['int', (input) => (typeof input === 'object' ? undefined : Number(input))],
  ['list', (input) => (typeof input === 'number' ? undefined : [...input])],
  ['first', (input) => (typeof input === 'number' ? undefined : input[0])],
  ['last', (input) => (typeof input === 'number' ? undefined : input.at(-1))],
  ['reverse', reversed],
  ['join', joined],
  ['replace', onText(replaced)],
  ['format', onText(formatted)],
  ['center', onText((text, args) => padded(text, args, 'both'))],
  ['ljust', onText((text, args) => padded(text, args, 'end'))],
  ['rjust', onText((text, args) => padded(text, args, 'start'))],
  ['zfill', onText((text, [width]) => padded(text, [width ?? 0, '0'], 'start'))],
  ['casefold', lower],
  [
    'removeprefix',
    onText((text, [head]) => (text.startsWith(String(head)) ? text.slice(String(head).length) : text)),
  ],
  [
    'removesuffix',
    onText((text, [end]) =>
      text.endsWith(String(end)) ? text.slice(0, text.length - String(end).length) : text,
    ),
  ],
  ['partition', onText((text, [by]) => parted(text, text.indexOf(String(by)), String(by)))],
  ['rpartition', onText((text, [by]) => parted(text, text.lastIndexOf(String(by)), String(by)))],
  [
    'split',
    onText((text, [by]) => (typeof by === 'string' && by !== '' ? text.split(by) : text.split(/\s+/))),
  ],
]);

/** Longer ones are no names: they are left as they are, and unknown. */
const WIDTH_MAX = 256;

function padded(text: string, [width, fill = ' ']: readonly Plain[], side: 'start' | 'end' | 'both'): Plain {
  const missing = Math.min(Number(width) || 0, WIDTH_MAX) - text.length;
  if (missing <= 0 || typeof fill !== 'string' || fill === '') return text;
  const before =
    side === 'start'
      ? missing
      : side === 'end'
        ? 0
        : Math.floor(missing / 2) + (missing & (text.length + missing) & 1);
  return fill.repeat(before) + text + fill.repeat(missing - before);
}

const parted = (text: string, at: number, by: string): Plain =>
  at < 0 ? [text, '', ''] : [text.slice(0, at), by, text.slice(at + by.length)];

function stripped(text: string, characters: string): string {
  let start = 0;
  let end = text.length;
  while (start < end && characters.includes(text[start]!)) start++;
  while (end > start && characters.includes(text[end - 1]!)) end--;
  return text.slice(start, end);
}

const swapped = (text: string): string =>
  text.replace(/\p{L}/gu, (letter) =>
    letter === letter.toLowerCase() ? letter.toUpperCase() : letter.toLowerCase(),
  );

function reversed(input: Plain): Plain | undefined {
  if (typeof input === 'number') return undefined;
  const items = [...input].reverse();
  return typeof input === 'string' ? items.join('') : items;
}

/** The filter has the list before the bar, the method has it in brackets: `x|join('')`, `''.join(x)`. */
function joined(input: Plain, [other]: readonly Plain[]): Plain | undefined {
  if (typeof input === 'object') return input.join(typeof other === 'string' ? other : '');
  if (typeof input === 'string') return typeof other === 'object' ? other.join(input) : input;
  return undefined;
}

function replaced(text: string, [from, to]: readonly Plain[]): Plain {
  if (typeof from !== 'string' || typeof to !== 'string' || from === '') return text;
  return text.split(from).join(to);
}

/** `'%c%c'|format(95, 95)` and `'{0}{1}'.format('__', 'class')`. */
function formatted(text: string, args: readonly Plain[]): Plain {
  let next = 0;
  const show = (value: Plain | undefined, type: string): string =>
    type === 'c' && typeof value === 'number' && value >= 0 && value <= 0x10ffff
      ? String.fromCodePoint(Math.trunc(value))
      : String(value ?? '');
  return text
    .replace(/%[-#0 +]*\d{0,4}(?:\.\d{0,4})?([a-zA-Z%])/g, (_, type: string) =>
      type === '%' ? '%' : show(args[next++], type),
    )
    .replace(/\{(\d{0,4})(?::\d{0,4}([a-z]?))?\}/g, (_, index: string, type = '') =>
      show(args[index === '' ? next++ : Number(index)], type),
    );
}
