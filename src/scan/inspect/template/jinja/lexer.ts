// Jinja source → tokens, by the rules of Jinja2's own lexer: what is text, what is code and where code ends must be told as
// the renderer tells it, or code hides from us in what we take for text. Linear in the length of the source.

import { unescaped } from './string-literal.ts';
import { SyntaxFault } from './syntax-fault.ts';

type TokenKind = 'text' | 'begin-output' | 'begin-tag' | 'end' | 'name' | 'number' | 'string' | 'operator';

export interface Token {
  readonly kind: TokenKind;
  /** Of a string its value, unescaped. */
  readonly value: string;
  /** Position in the source, in UTF-16 units. */
  readonly at: number;
}

/** Throws SyntaxFault. */
export function tokensOf(source: string): Token[] {
  const tokens: Token[] = [];
  let at = 0;
  while (at < source.length) {
    const open = nextDelimiter(source, at);
    if (open > at) tokens.push({ kind: 'text', value: source.slice(at, open), at });
    if (open === source.length) break;
    at = code(source, open, tokens);
  }
  return tokens;
}

/** Position of the next `{{`, `{%` or `{#`, or the end. */
function nextDelimiter(source: string, from: number): number {
  for (let at = source.indexOf('{', from); at >= 0; at = source.indexOf('{', at + 1)) {
    const next = source[at + 1];
    if (next === '{' || next === '%' || next === '#') return at;
  }
  return source.length;
}

function code(source: string, open: number, tokens: Token[]): number {
  if (source[open + 1] === '#') {
    const end = source.indexOf('#}', open + 2);
    if (end < 0) throw new SyntaxFault('a comment does not end', open);
    return end + 2;
  }
  const isTag = source[open + 1] === '%';
  if (isTag && match(RAW, source, open) !== undefined) return raw(source, open, tokens);
  tokens.push({ kind: isTag ? 'begin-tag' : 'begin-output', value: '', at: open });
  let at = open + 2;
  if (source[at] === '-' || (isTag && source[at] === '+')) at++;
  return inside(source, at, isTag ? END_TAG : END_OUTPUT, tokens);
}

const RAW = /\{%[-+]?\s*raw\s*(?:-%\}|%\})/y;
const END_RAW = /\{%[-+]?\s*endraw\s*[-+]?%\}/y;
const END_TAG = /[-+]?%\}/y;
const END_OUTPUT = /-?\}\}/y;

/** What stands in a raw block is text, whatever it looks like. */
function raw(source: string, open: number, tokens: Token[]): number {
  const start = open + match(RAW, source, open)!.length;
  for (let at = source.indexOf('{%', start); at >= 0; at = source.indexOf('{%', at + 2)) {
    const end = match(END_RAW, source, at);
    if (end === undefined) continue;
    if (at > start) tokens.push({ kind: 'text', value: source.slice(start, at), at: start });
    return at + end.length;
  }
  throw new SyntaxFault('a raw block does not end', open);
}

const SPACE = /\s+/y;
const NAME = /[\p{ID_Start}_][\p{ID_Continue}]*/uy;
const NUMBER = /(?:0[bB][01_]+|0[oO][0-7_]+|0[xX][\da-fA-F_]+|\d[\d_]*(?:\.\d[\d_]*)?(?:[eE][+-]?\d+)?)/y;
const STRING = /'(?:[^'\\]|\\[\s\S])*'|"(?:[^"\\]|\\[\s\S])*"/y;
const OPERATOR = /\/\/|\*\*|[=!<>]=|[-+*/%~=<>.:|,;()[\]{}]/y;

function inside(source: string, from: number, end: RegExp, tokens: Token[]): number {
  let at = from;
  // While a bracket is open, `}}` and `%}` are operators, as Jinja2 has it: {{ {'a': {}} }}.
  let brackets = 0;
  while (at < source.length) {
    const space = match(SPACE, source, at);
    if (space !== undefined) at += space.length;
    const close = brackets === 0 ? match(end, source, at) : undefined;
    if (close !== undefined) {
      tokens.push({ kind: 'end', value: '', at });
      return at + close.length;
    }
    const token = tokenAt(source, at);
    if (token === undefined) throw new SyntaxFault('a character that has no meaning in code', at);
    const [kind, text] = token;
    if (kind === 'operator') brackets += '([{'.includes(text) ? 1 : ')]}'.includes(text) ? -1 : 0;
    if (brackets < 0) throw new SyntaxFault('a bracket is closed that was not opened', at);
    tokens.push({ kind, value: kind === 'string' ? unescaped(text.slice(1, -1), at) : text, at });
    at += text.length;
  }
  throw new SyntaxFault('a tag or an expression does not end', from);
}

function tokenAt(source: string, at: number): [TokenKind, string] | undefined {
  for (const [kind, pattern] of PATTERNS) {
    const text = match(pattern, source, at);
    if (text !== undefined) return [kind, text];
  }
  return undefined;
}

const PATTERNS: readonly [TokenKind, RegExp][] = [
  ['name', NAME],
  ['number', NUMBER],
  ['string', STRING],
  ['operator', OPERATOR],
];

/** The text that a sticky pattern matches at a place; a match of nothing is none. */
function match(pattern: RegExp, source: string, at: number): string | undefined {
  pattern.lastIndex = at;
  return pattern.exec(source)?.[0] || undefined;
}
