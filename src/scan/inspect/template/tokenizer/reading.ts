// tokenizer.json → its vocabulary, the tokens that were added to it, and the parts that change text. Read strictly and token by token: a
// vocabulary has 260,000 entries, and of two equal keys parsers take either.
import { BRACE, BRACKET, JsonReader, QUOTE } from '../../../../document/json/reader.ts';
import { type JsonValue, readJson } from '../../../../document/json/value.ts';
import { Fault, quoted, Violations } from '../../../../document/violations.ts';
import type { RuleId } from '../../../../rules/rules.ts';
import { type Check, unhurried } from '../../../../runtime/turn.ts';

export interface Added {
  readonly id: number;
  readonly content: string;
  readonly special: boolean;
}

export interface Tokenizer {
  /** Text → id, of the model alone. */
  readonly vocabulary: Map<string, number>;
  readonly added: Added[];
  /** normalizer, pre_tokenizer, post_processor, decoder. */
  readonly parts: Map<string, JsonValue>;
  readonly problems: Problem[];
}

export interface Problem {
  readonly rule: RuleId;
  readonly message: string;
  readonly offset?: number;
}

const PARTS = ['normalizer', 'pre_tokenizer', 'post_processor', 'decoder'];
/** Bytes of a part; the largest honest one, a compiled table of characters, has 320 kB. */
const PART_MAX = 1 << 20;
const ADDED_MAX = 100_000;
/** Entries between two looks at the time. */
const ROUND = 4096;

export function readTokenizer(bytes: Uint8Array, check: Check = unhurried): Tokenizer {
  const found: Tokenizer = { vocabulary: new Map(), added: [], parts: new Map(), problems: [] };
  readWhole(bytes, found, (json) => {
    if (json.is('added_tokens')) readAdded(json, found, check);
    else if (json.is('model')) readModel(json, found, check);
    else if (PARTS.includes(json.text())) readPart(json, bytes, found);
    else json.skip();
  });
  return found;
}

/** vocab.json and added_tokens.json: text → id, and nothing else. */
export function readVocabulary(bytes: Uint8Array, check: Check = unhurried): Tokenizer {
  const found: Tokenizer = { vocabulary: new Map(), added: [], parts: new Map(), problems: [] };
  try {
    const violations = new Violations();
    readPairs(new JsonReader(bytes, 0, violations), found, check);
  } catch (error) {
    unreadable(found, error);
  }
  return found;
}

/** Of a document of settings the fields that were asked for. */
export function readSettings(bytes: Uint8Array, names: readonly string[]): Map<string, JsonValue> {
  const found = new Map<string, JsonValue>();
  const holder: Tokenizer = { vocabulary: new Map(), added: [], parts: found, problems: [] };
  readWhole(bytes, holder, (json) => {
    if (names.includes(json.text())) readPart(json, bytes, holder);
    else json.skip();
  });
  return found;
}

function readWhole(bytes: Uint8Array, found: Tokenizer, field: (json: JsonReader) => void): void {
  const violations = new Violations();
  try {
    const json = new JsonReader(bytes, 0, violations);
    const seen = new Set<string>();
    json.enterObject();
    while (json.nextKey()) {
      const key = json.text();
      if (seen.has(key)) json.reportDuplicate(key);
      seen.add(key);
      field(json);
    }
  } catch (error) {
    unreadable(found, error);
  }
  for (const { message, offset } of violations.list())
    found.problems.push({
      rule: 'tokenizer/unreadable',
      message,
      ...(offset === undefined ? {} : { offset }),
    });
}

function unreadable(found: Tokenizer, error: unknown): void {
  if (!(error instanceof Fault)) throw error;
  const { message } = error;
  found.problems.push({ rule: 'tokenizer/unreadable', message, offset: error.place.offset ?? 0 });
}

function readAdded(json: JsonReader, found: Tokenizer, check: Check): void {
  if (json.peek() !== BRACKET) {
    json.skip();
    return;
  }
  json.enterArray();
  while (json.nextItem()) {
    if (found.added.length % ROUND === 0) check();
    if (json.peek() !== BRACE || found.added.length >= ADDED_MAX) {
      json.skip();
      continue;
    }
    let [id, content, special] = [-1, '', false];
    json.enterObject();
    while (json.nextKey()) {
      if (json.is('id')) id = integer(json);
      else if (json.is('content') && json.peek() === QUOTE) content = string(json);
      else if (json.is('special')) {
        special = json.peek() === 0x74; // true
        json.skip();
      } else json.skip();
    }
    found.added.push({ id, content, special });
  }
}

function readModel(json: JsonReader, found: Tokenizer, check: Check): void {
  if (json.peek() !== BRACE) {
    json.skip();
    return;
  }
  json.enterObject();
  while (json.nextKey()) {
    if (!json.is('vocab')) json.skip();
    else if (json.peek() === BRACE) readPairs(json, found, check);
    else if (json.peek() === BRACKET) readPieces(json, found, check);
    else json.skip();
  }
}

function readPairs(json: JsonReader, found: Tokenizer, check: Check): void {
  json.enterObject();
  while (json.nextKey()) {
    const at = json.textAt;
    const text = json.text();
    enter(found, text, integer(json), at, check);
  }
}

/** Unigram: [["▁the", -3.1], …], the place is the id. */
function readPieces(json: JsonReader, found: Tokenizer, check: Check): void {
  let id = 0;
  json.enterArray();
  while (json.nextItem()) {
    if (json.peek() !== BRACKET) {
      json.skip();
      continue;
    }
    json.enterArray();
    const at = json.at;
    let text: string | undefined;
    while (json.nextItem())
      if (text === undefined && json.peek() === QUOTE) text = string(json);
      else json.skip();
    if (text !== undefined) enter(found, text, id, at, check);
    id++;
  }
}

function enter(
  { vocabulary, problems }: Tokenizer,
  text: string,
  id: number,
  offset: number,
  check: Check,
): void {
  if (vocabulary.size % ROUND === 0) check();
  if (vocabulary.has(text) && problems.length < 8)
    problems.push({
      rule: 'tokenizer/shadowed',
      message: `the vocabulary has ${quoted(text)} twice: parsers take either`,
      offset,
    });
  vocabulary.set(text, id);
}

function readPart(json: JsonReader, bytes: Uint8Array, found: Tokenizer): void {
  const name = json.text();
  json.peek();
  const start = json.at;
  json.skip();
  if (json.at - start > PART_MAX) {
    const message = `${quoted(name)} has ${json.at - start} bytes: not looked at`;
    found.problems.push({ rule: 'tokenizer/unreadable', message, offset: start });
    return;
  }
  const reading = readJson(Buffer.from(bytes.subarray(start, json.at)).toString('utf8'));
  if ('value' in reading) found.parts.set(name, reading.value);
}

function integer(json: JsonReader): number {
  const first = json.peek();
  if (first < 0x30 || first > 0x39) {
    json.skip();
    return -1;
  }
  return json.readInteger();
}

function string(json: JsonReader): string {
  json.readString();
  return json.text();
}
