// Options of library functions: a misspelt one must not be passed over in silence, least of all one that closes a gate.
import { fileURLToPath } from 'node:url';
import { SteelyardError } from '../rules/error.ts';
import { didYouMean } from './text/suggestion.ts';

/** What a value must be, as a message says it: null if it is that. */
type Check = (value: unknown) => string | null;

/** Every option of `T`, so that a new one cannot be forgotten. */
export type Checks<T> = { readonly [Name in keyof Required<T>]: Check };

export const oneOf =
  (...values: readonly string[]): Check =>
  (value) =>
    values.includes(value as string)
      ? null
      : `one of ${values.join(', ')}${typeof value === 'string' ? didYouMean(value, values) : ''}`;

export const ofType =
  (type: 'boolean' | 'function' | 'object' | 'string', words: string): Check =>
  (value) =>
    typeof value === type && value !== null ? null : words;

export const flag = ofType('boolean', 'true or false');
export const word = ofType('string', 'a text');
export const document = ofType('object', 'a document that was read or made by this library');
export const callback = ofType('function', 'a function');
export const positive: Check = (value) =>
  typeof value === 'number' && value > 0 ? null : 'a number above 0';
export const threads: Check = (value) =>
  Number.isInteger(value) && (value as number) >= 1 ? null : 'a whole number, at least 1';
export const signal: Check = (value) => (value instanceof AbortSignal ? null : 'an AbortSignal');
export const texts: Check = (value) =>
  Array.isArray(value) && value.every((one) => typeof one === 'string') ? null : 'a list of strings';

/** @throws SteelyardError USAGE: an option that is not known, or a value that it cannot have. `undefined` is no value. */
export function assertOptions<T extends object>(options: T, checks: Checks<T>): void {
  if (typeof options !== 'object' || options === null)
    throw new SteelyardError('USAGE', 'the options must be an object');
  for (const [name, value] of Object.entries(options)) {
    const check = Object.hasOwn(checks, name) ? checks[name as keyof T] : undefined;
    if (check === undefined)
      throw new SteelyardError('USAGE', `unknown option ${name}${didYouMean(name, Object.keys(checks))}`);
    const must = value === undefined ? null : check(value);
    if (must !== null) throw new SteelyardError('USAGE', `the option ${name} must be ${must}`);
  }
}

/** A file or a folder, as a path or as a `file:` URL. */
export type Path = string | URL;

/** @throws SteelyardError USAGE */
function pathOf(path: unknown): string {
  if (typeof path === 'string') return path;
  try {
    if (path instanceof URL) return fileURLToPath(path);
  } catch (cause) {
    throw new SteelyardError('USAGE', `${String(path)} is not the URL of a file: use file:`, { cause });
  }
  throw new SteelyardError('USAGE', 'a path must be a string or a file: URL');
}

/** @throws SteelyardError USAGE */
export const pathsOf = (paths: unknown): string[] => (Array.isArray(paths) ? paths : [paths]).map(pathOf);
