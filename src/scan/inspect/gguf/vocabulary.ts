// The vocabulary of a GGUF header. Its arrays are read side by side and its tokens copied into buffers of other sizes, in
// code that trusts them. What tokens say is not judged: honest vocabularies hold controls, invisible and bidi characters.

import { quoted, type Violations } from '../../../document/violations.ts';
import type { MetadataArray, MetadataEntry, MetadataValue } from '../../format/layout.ts';

export function inspectVocabulary(entries: ReadonlyMap<string, MetadataEntry>, violations: Violations): void {
  const tokens = arrayOf(entries, 'tokenizer.ggml.tokens');
  if (tokens !== null) {
    for (const key of ['tokenizer.ggml.scores', 'tokenizer.ggml.token_type']) {
      checkLength(entries.get(key), tokens.items.length, violations);
    }
    const types = arrayOf(entries, 'tokenizer.ggml.token_type');
    const offset = entries.get('tokenizer.ggml.tokens')!.start;
    checkTokens(tokens.items, types?.items ?? [], offset, violations);
    checkIds(entries, tokens.items.length, violations);
  }
  const merges = arrayOf(entries, 'tokenizer.ggml.merges');
  const odd = merges?.items.find((merge) => typeof merge === 'string' && !isMerge(merge));
  if (odd === undefined) return;
  violations.report('gguf/merge', `the merge ${quoted(String(odd))} is not two tokens with a space between`, {
    offset: entries.get('tokenizer.ggml.merges')!.start,
  });
}

const NORMAL = 1;
const BYTE = 6;
const MAX_TOKEN = 65_536;
const BYTE_TOKEN = /^<0x[0-9A-F]{2}>$/;
/** What PLaMo's loader takes for a byte token whatever its type: the two characters go to stoi unchecked, "-1" too. */
const LIKE_BYTE = /^<0x..>$/su;
const HEX = /^<0x[0-9A-Fa-f]{2}>$/;

function arrayOf(entries: ReadonlyMap<string, MetadataEntry>, key: string): MetadataArray | null {
  const value = entries.get(key)?.value;
  return typeof value === 'object' ? value : null;
}

function checkLength(entry: MetadataEntry | undefined, due: number, violations: Violations): void {
  if (typeof entry?.value !== 'object' || entry.value.items.length === due) return;
  const actual = String(entry.value.items.length);
  violations.report('gguf/array-length', `${quoted(entry.key)} has ${actual} elements for ${due} tokens`, {
    offset: entry.start,
    expected: String(due),
    actual,
  });
}

function checkTokens(
  tokens: readonly MetadataValue[],
  types: readonly MetadataValue[],
  offset: number,
  violations: Violations,
): void {
  const bytes = new Set<string>();
  let empty = 0;
  tokens.forEach((token, id) => {
    if (typeof token !== 'string') return;
    const type = types[id];
    if (token === '' && (type === NORMAL || type === undefined)) empty++;
    // A UTF-16 unit takes at most three bytes: most tokens need no count.
    if (token.length * 3 > MAX_TOKEN && Buffer.byteLength(token) > MAX_TOKEN) {
      const message = `token ${id} has ${Buffer.byteLength(token)} bytes`;
      violations.report('gguf/token-size', message, { offset, expected: `at most ${MAX_TOKEN}` });
    }
    const isByte = type === BYTE;
    if (!isByte && !token.startsWith('<0x')) return;
    const valid = isByte ? BYTE_TOKEN.test(token) : !LIKE_BYTE.test(token) || HEX.test(token);
    if (!valid) {
      violations.report('gguf/byte-token', `token ${id}, ${quoted(token)}, stands for no byte`, {
        offset,
        expected: '<0x00> to <0xFF>',
      });
    } else if (isByte && bytes.has(token)) {
      violations.report('gguf/byte-token', `token ${id} is ${quoted(token)} for a second time`, { offset });
    }
    if (isByte) bytes.add(token);
  });
  if (empty > 0) violations.report('gguf/token-empty', `${empty} tokens are empty`, { offset });
}

const SPECIAL = /^tokenizer\.ggml\.\w+_token_id$/;
const NONE = 0xffff_ffff; // -1 as converters write it

function checkIds(entries: ReadonlyMap<string, MetadataEntry>, count: number, violations: Violations): void {
  for (const { key, value, start } of entries.values()) {
    if (!SPECIAL.test(key) || typeof value !== 'number' || value === NONE || value === -1) continue;
    if (value >= 0 && value < count) continue;
    violations.report('gguf/token-id', `${quoted(key)} is ${value}, the vocabulary has ${count} tokens`, {
      offset: start,
      expected: `0 to ${count - 1}`,
      actual: String(value),
    });
  }
}

/** llama.cpp looks for the space from the second character on: the first may be one itself. */
function isMerge(merge: string): boolean {
  const space = merge.indexOf(' ', 1);
  return space > 0 && space < merge.length - 1;
}
