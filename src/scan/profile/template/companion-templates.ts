// Documents that hold chat templates: tokenizer_config.json and its like (a string, or a list of named ones), and files that
// are one template. JSON is read strictly: of two `chat_template` keys, parsers take either.
import { isUtf8 } from 'node:buffer';
import { BRACE, BRACKET, JsonReader, QUOTE } from '../../../document/json/reader.ts';
import { Fault, Violations } from '../../../document/violations.ts';
import type { RuleId } from '../../../rules/rules.ts';
import type { Template } from './template.ts';

export interface Problem {
  readonly rule: RuleId;
  readonly message: string;
  readonly offset?: number;
}

interface Found {
  readonly templates: Template[];
  readonly problems: Problem[];
  /** It has an added_tokens_decoder. */
  listsTokens?: boolean;
  /** It has a chat_template_type. */
  hasModule?: boolean;
}

export function readTemplateDocument(path: string, bytes: Uint8Array): Found {
  const found: Found = { templates: [], problems: [] };
  const base = path.split('/').at(-1)!;
  if (!/\.json$/i.test(base)) {
    const stem = base.replace(/\.[^.]*$/, '');
    if (!isUtf8(bytes)) unreadable(found, 'the template is not UTF-8');
    add(found, stem === 'chat_template' ? 'default' : stem, Buffer.from(bytes).toString('utf8'));
    return found;
  }
  try {
    readConfig(new JsonReader(bytes, 0, new Violations()), found);
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    // What stood before the fault has been read; parsers that forgive more may find another template behind it.
    unreadable(found, error.message, error.place.offset);
  }
  return found;
}

function readConfig(json: JsonReader, found: Found): void {
  let seen = false;
  json.enterObject();
  while (json.nextKey()) {
    if (json.is('added_tokens_decoder')) found.listsTokens = true;
    if (json.is('chat_template_type')) found.hasModule = true;
    if (!json.is('chat_template')) {
      json.skip();
      continue;
    }
    if (seen) shadowed(found, 'chat_template occurs twice in one object', json.textAt);
    seen = true;
    readValue(json, found);
  }
}

function readValue(json: JsonReader, found: Found): void {
  const kind = json.peek();
  if (kind === QUOTE) add(found, 'default', string(json));
  else if (kind === BRACKET) {
    json.enterArray();
    while (json.nextItem()) readNamed(json, found);
  } else if (kind === BRACE) {
    // {"default": "…", "tool_use": "…"}, as some converters write it
    json.enterObject();
    while (json.nextKey()) {
      const name = json.text();
      if (json.peek() === QUOTE) add(found, name, string(json));
      else json.skip();
    }
  } else {
    const offset = json.at;
    const isNull = kind === 0x6e;
    json.skip();
    if (!isNull) unreadable(found, 'chat_template is neither a string nor a list', offset);
  }
}

function readNamed(json: JsonReader, found: Found): void {
  const offset = json.at;
  if (json.peek() !== BRACE) {
    json.skip();
    unreadable(found, 'an item of chat_template is not an object', offset);
    return;
  }
  const fields = new Map<string, string>();
  json.enterObject();
  while (json.nextKey()) {
    const key = json.text();
    if (fields.has(key)) shadowed(found, 'an item of chat_template has a key twice', offset);
    if (json.peek() === QUOTE) fields.set(key, string(json));
    else json.skip();
  }
  const name = fields.get('name') ?? '';
  const text = fields.get('template');
  if (text === undefined) unreadable(found, 'an item of chat_template has no template', offset);
  else {
    if (found.templates.some((other) => other.name === name)) {
      shadowed(found, 'two templates have one name', offset);
    }
    add(found, name, text);
  }
}

function string(json: JsonReader): string {
  json.readString();
  return json.text();
}

function add(found: Found, name: string, text: string): void {
  found.templates.push({ name, source: 'file', text });
}

function unreadable(found: Found, message: string, offset?: number): void {
  found.problems.push({ rule: 'template/unreadable', message, ...(offset === undefined ? {} : { offset }) });
}

function shadowed(found: Found, message: string, offset: number): void {
  found.problems.push({ rule: 'template/shadowed', message, offset });
}
