// A whole JSON document as values, read as strictly as a header: for configurations that stand inside other things. Objects
// are Maps, because a key may be __proto__.

import { Fault, Violations } from '../violations.ts';
import { BRACE, BRACKET, JsonReader, QUOTE } from './reader.ts';

export type JsonValue = string | number | boolean | null | readonly JsonValue[] | JsonObject;
export type JsonObject = ReadonlyMap<string, JsonValue>;

/** What is wrong with the text instead of a value, if anything is. */
type JsonReading = { readonly value: JsonValue } | { readonly wrong: string };

export function readJson(text: string): JsonReading {
  const bytes = Buffer.from(text, 'utf8');
  const violations = new Violations();
  try {
    const json = new JsonReader(bytes, 0, violations);
    const value = readValue(json, bytes);
    if (!Number.isNaN(json.peek())) return { wrong: 'something follows the value' };
    const [first] = violations.list();
    return first === undefined ? { value } : { wrong: first.message };
  } catch (error) {
    if (error instanceof Fault) return { wrong: error.message };
    throw error;
  }
}

function readValue(json: JsonReader, bytes: Buffer): JsonValue {
  const first = json.peek();
  if (first === QUOTE) {
    json.readString();
    return json.text();
  }
  if (first === BRACKET) {
    const items: JsonValue[] = [];
    json.enterArray();
    while (json.nextItem()) items.push(readValue(json, bytes));
    return items;
  }
  if (first !== BRACE) {
    const start = json.at;
    json.skip();
    return JSON.parse(bytes.toString('latin1', start, json.at)) as number | boolean | null;
  }
  const object = new Map<string, JsonValue>();
  json.enterObject();
  while (json.nextKey()) {
    const key = json.text();
    if (object.has(key)) json.reportDuplicate(key);
    object.set(key, readValue(json, bytes));
  }
  return object;
}
