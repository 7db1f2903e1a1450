// What a template is given from outside, and what its parts are: the closed list of what says how a message is made (roles,
// types) and no word of it. Everything else that is in a message, a document, a tool or the date is somebody's text.

/**
 * From the most harmless: the template's own; a caller's variable; a role or type; the length of a text; the conversation or
 * a message; what stands in tools; an item of a text (a part of a message, or a character); a place in a text, which is there
 * or not as the text is long; the date; text.
 */
export const KINDS = [
  'own',
  'option',
  'label',
  'size',
  'conversation',
  'tree',
  'part',
  'slice',
  'date',
  'text',
] as const;
export type Kind = (typeof KINDS)[number];

const CONVERSATION = [
  'messages',
  'conversation',
  'conversations',
  'chat_history',
  'history',
  'documents',
  'message',
  'loop_messages',
];
const TREE = ['tools', 'functions', 'custom_tools', 'available_tools', 'xml_tools'];
/** What a caller gives as text, by what it is called; everything else that a caller gives is a switch. */
const TEXT =
  /^(?!(?:add|get|has|is|use|enable|include|continue|skip|with|no|default)_).*(?:prompt|message|query|question|input|text|content|instruction|user|passage|answer|document|article)/i;
/** Variables of the caller that come before anything that a template sets under their name. */
const GIVEN = [...CONVERSATION, ...TREE];

export const isGiven = (name: string): boolean => GIVEN.includes(name);

export function kindOfName(name: string): Kind {
  if (CONVERSATION.includes(name)) return 'conversation';
  if (TREE.includes(name)) return 'tree';
  return TEXT.test(name) ? 'text' : 'option';
}

const LABELS = ['role', 'type', 'id', 'tool_call_id', 'call_id'];
const STRUCTURE = ['tool_calls', 'tool_call', 'function', 'function_call', 'messages', 'tool_responses'];

/** What `object.key` is, for a key that is known. */
export function kindOfMember(object: Kind, key: string): Kind {
  if (object === 'conversation') {
    if (LABELS.includes(key)) return 'label';
    return STRUCTURE.includes(key) ? 'conversation' : 'text';
  }
  if (object === 'part' || object === 'text') return key === 'type' ? 'label' : 'text';
  if (object === 'tree') return key === 'type' ? 'label' : 'tree';
  return object;
}

/** What `object[key]` is, for a number, or for words that are not known. */
export function kindOfItem(object: Kind, isNumber: boolean, isEnd: boolean): Kind {
  if (object === 'conversation') return isNumber ? 'conversation' : 'text';
  return object === 'text' && isNumber ? (isEnd ? 'part' : 'slice') : object;
}

/** What a loop takes from it. */
export const kindOfRound = (kind: Kind): Kind => (kind === 'text' ? 'part' : kind === 'size' ? 'text' : kind);

/** Kinds whose content somebody chose: to ask for it is a decision. */
export const isSearchable = (kind: Kind): boolean =>
  KINDS.indexOf(kind) >= KINDS.indexOf('tree') || kind === 'size';

/** Kinds that are somebody's words: to leave them out is to change what was said. */
export const isWords = (kind: Kind): boolean => kind === 'text' || kind === 'part' || kind === 'slice';

/** Keys of tools and of their JSON schemas, which templates of all families ask for. */
export const SCHEMA_KEYS = new Set([
  'function',
  'type',
  'parameters',
  'properties',
  'required',
  'description',
  'name',
  'items',
  'enum',
  'default',
  'nullable',
  'anyOf',
  'oneOf',
  'allOf',
  'title',
  'format',
  'return',
  'returns',
  'response',
  'strict',
  'additionalProperties',
  'minimum',
  'maximum',
  'minLength',
  'maxLength',
  'minItems',
  'maxItems',
  'pattern',
  'examples',
  'const',
  'input_schema',
  'arguments',
  '$defs',
  '$ref',
  'object',
  'array',
  'string',
  'number',
  'integer',
  'boolean',
  'null',
  'value',
  'key',
  'id',
  'upper',
]);
