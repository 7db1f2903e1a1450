// Predicates over parsed JSON, for documents that somebody waits for: zod takes 50 ms to load, signing and verifying take two.
// They say no more than yes or no; what is wrong with a document says its schema, which a test holds them against.

export type Check = (value: unknown) => boolean;
export type Guard<T> = (value: unknown) => value is T;

export const anything: Check = () => true;

export const text: Check = (value) => typeof value === 'string';

export const matching =
  (pattern: RegExp): Check =>
  (value) =>
    typeof value === 'string' && pattern.test(value);

export const oneOf = (...values: readonly unknown[]): Check => {
  const set = new Set(values);
  return (value) => set.has(value);
};

export const nullable =
  (check: Check): Check =>
  (value) =>
    value === null || check(value);

/** Of a field that may be absent. */
export const optional =
  (check: Check): Check =>
  (value) =>
    value === undefined || check(value);

export const list =
  (check: Check, least = 0, most = Number.POSITIVE_INFINITY): Check =>
  (value) => {
    if (!Array.isArray(value) || value.length < least || value.length > most) return false;
    for (let i = 0; i < value.length; i++) if (!check(value[i])) return false;
    return true;
  };

/** These fields and no others. */
export function object<T>(fields: Record<keyof T, Check>): Guard<T> {
  const keys = Object.keys(fields);
  const checks = Object.values<Check>(fields);
  return (value): value is T => {
    if (!isObject(value)) return false;
    let present = 0;
    for (let i = 0; i < keys.length; i++) {
      const field = value[keys[i]!];
      if (!checks[i]!(field)) return false;
      if (field !== undefined) present++;
    }
    return Object.keys(value).length === present;
  };
}

/** These fields, and any others. */
export function openObject<T>(fields: Record<keyof T, Check>): Guard<T> {
  const checks = Object.entries<Check>(fields);
  return (value): value is T => isObject(value) && checks.every(([key, check]) => check(value[key]));
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
