// The methods and filters of strings and lists with which a name can be put together from pieces.
import type { Value } from './value.ts';

type Method = (input: Value, args: readonly Value[]) => Value | undefined;

/** undefined: not one of them, or not for such a value. */
export function methodResult(name: string, input: Value, args: readonly Value[]): [Value] | undefined {
  const value = METHODS.get(name)?.(input, args);
  return value === undefined ? undefined : [value];
}

const onText =
  (method: (text: string, args: readonly Value[]) => Value): Method =>
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
  [
    'split',
    onText((text, [by]) => (typeof by === 'string' && by !== '' ? text.split(by) : text.split(/\s+/))),
  ],
]);

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

function reversed(input: Value): Value | undefined {
  if (typeof input === 'number') return undefined;
  const items = [...input].reverse();
  return typeof input === 'string' ? items.join('') : items;
}

/** The filter has the list before the bar, the method has it in brackets: `x|join('')`, `''.join(x)`. */
function joined(input: Value, [other]: readonly Value[]): Value | undefined {
  if (typeof input === 'object') return input.join(typeof other === 'string' ? other : '');
  if (typeof input === 'string') return typeof other === 'object' ? other.join(input) : input;
  return undefined;
}

function replaced(text: string, [from, to]: readonly Value[]): Value {
  if (typeof from !== 'string' || typeof to !== 'string' || from === '') return text;
  return text.split(from).join(to);
}

/** `'%c%c'|format(95, 95)` and `'{0}{1}'.format('__', 'class')`. */
function formatted(text: string, args: readonly Value[]): Value {
  let next = 0;
  const show = (value: Value | undefined, type: string): string =>
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
