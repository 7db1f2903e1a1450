// Takes the fields of a foreign configuration by name and type. A value of another type is a problem and stands for the default.
import type { JsonObject, JsonValue } from '../../../document/json/value.ts';
import { quoted } from '../../../document/violations.ts';

export type Is<T extends JsonValue> = (value: JsonValue) => value is T;

export class Fields {
  readonly problems: string[] = [];
  readonly #object: JsonObject;

  constructor(object: JsonObject) {
    this.#object = object;
  }

  take<T extends JsonValue>(key: string, is: (value: JsonValue) => value is T, missing: T): T {
    const value = this.#object.get(key) ?? null;
    if (value === null) return missing;
    if (is(value)) return value;
    this.problems.push(`${quoted(key)} has a value that is not written there`);
    return missing;
  }
}

export const isAny = (value: JsonValue): value is JsonValue => value !== undefined;
export const isText: Is<string> = (value) => typeof value === 'string';
export const isFlag: Is<boolean> = (value) => typeof value === 'boolean';
export const isNumber = (value: JsonValue): value is number =>
  typeof value === 'number' && Number.isFinite(value);
export const isRank = (value: JsonValue): value is number =>
  Number.isSafeInteger(value) && (value as number) > 0;
const isIndex = (value: JsonValue): value is number => Number.isSafeInteger(value) && (value as number) >= 0;

const listOf =
  <T extends JsonValue>(is: Is<T>): Is<readonly T[]> =>
  (value): value is readonly T[] =>
    Array.isArray(value) && value.every(is);
const mapOf =
  <T extends JsonValue>(is: Is<T>): Is<ReadonlyMap<string, T>> =>
  (value): value is ReadonlyMap<string, T> =>
    value instanceof Map && [...value.values()].every(is);
const either =
  <S extends JsonValue, T extends JsonValue>(one: Is<S>, other: Is<T>): Is<S | T> =>
  (value): value is S | T =>
    one(value) || other(value);

export const isTexts = listOf(isText);
export const isNames = either(isText, isTexts);
export const isLayers = either(isIndex, listOf(isIndex));
export const isRanks = mapOf(isRank);
export const isNumbers = mapOf(isNumber);
