// What a tokenizer does to text before the model sees it, and to the model's text before anybody reads it. Honest ones change spaces,
// case, accents and the form of characters; who changes words, changes what is asked or answered.
import type { JsonObject, JsonValue } from '../../../../document/json/value.ts';
import { quoted } from '../../../../document/violations.ts';
import type { Problem, Tokenizer } from './reading.ts';

/** Parts of parts that are looked at. */
const PARTS_MAX = 1024;

export function rewritings({ parts, vocabulary, added }: Tokenizer): Problem[] {
  const found: Problem[] = [];
  for (const [place, part] of parts)
    for (const inner of partsOf(part)) {
      const type = inner.get('type');
      if (type === 'Replace') found.push(...replacement(place, inner));
      else if (type === 'Split') found.push(...split(inner));
      else if (type === 'Prepend') found.push(...prepended(place, inner));
      else if (type === 'TemplateProcessing') found.push(...inserted(inner, vocabulary, added));
    }
  return found;
}

function* partsOf(value: JsonValue): Generator<JsonObject, void, undefined> {
  const waiting: JsonValue[] = [value];
  for (let count = 0; waiting.length > 0 && count < PARTS_MAX; count++) {
    const one = waiting.pop()!;
    if (Array.isArray(one)) waiting.push(...(one as JsonValue[]).slice(0, PARTS_MAX));
    else if (one instanceof Map) {
      const part = one as JsonObject;
      yield part;
      for (const key of ['normalizers', 'pretokenizers', 'processors', 'decoders'])
        if (part.has(key)) waiting.push(part.get(key)!);
    }
  }
}

function replacement(place: string, part: JsonObject): Problem[] {
  const { text, isPattern } = patternOf(part.get('pattern'));
  const content = stringOf(part.get('content'));
  const words = wordsOf(isPattern ? literalsOf(text) : text);
  const put = wordsOf(content.replace(/<[^<>\s]{1,40}>/g, ''));
  if (words === '' && put === '') return [];
  const message = `the ${place} turns ${quoted(text)} into ${quoted(content)}`;
  // One letter into another is an accent or a ligature.
  const isLetter = [...words].length <= 1 && [...put].length <= 2;
  return [{ rule: isLetter ? 'tokenizer/letter' : 'tokenizer/rewrite', message }];
}

function split(part: JsonObject): Problem[] {
  if (part.get('behavior') !== 'Removed') return [];
  const { text, isPattern } = patternOf(part.get('pattern'));
  const invert = part.get('invert') === true;
  // CLIP keeps what its expression matches: letters and numbers are in it.
  if (invert && /\\p\{L|\\w|\\S|\[\^|\./.test(text)) return [];
  const words = wordsOf(isPattern ? literalsOf(text) : text);
  const isWide = !invert && isPattern && /\\p\{L|\\w|\\S|(?<!\\)\./.test(text);
  if (words === '' && !isWide && !invert) return [];
  const what = invert ? 'everything but' : '';
  return [{ rule: 'tokenizer/rewrite', message: `the pre_tokenizer removes ${what} ${quoted(text)}` }];
}

function prepended(place: string, part: JsonObject): Problem[] {
  const text = stringOf(part.get('prepend'));
  if (wordsOf(text) === '') return [];
  return [{ rule: 'tokenizer/rewrite', message: `the ${place} puts ${quoted(text)} before every text` }];
}

/** Tokens that are put around every prompt: they must be what they are called, and no words. */
function inserted(
  part: JsonObject,
  vocabulary: Tokenizer['vocabulary'],
  added: Tokenizer['added'],
): Problem[] {
  const tokens = part.get('special_tokens');
  if (!(tokens instanceof Map)) return [];
  const found: Problem[] = [];
  const texts = new Map(added.map(({ id, content }) => [id, content]));
  for (const [name, token] of [...(tokens as JsonObject)].slice(0, PARTS_MAX)) {
    if (!(token instanceof Map)) continue;
    const ids = listOf((token as JsonObject).get('ids'));
    const said = listOf((token as JsonObject).get('tokens'));
    ids.forEach((id, index) => {
      const text = stringOf(said[index]);
      const due = vocabulary.get(text) ?? added.find(({ content }) => content === text)?.id;
      if (due !== undefined && due !== id && texts.get(Number(id)) !== text)
        found.push({
          rule: 'tokenizer/post-processor',
          message: `${quoted(name)} inserts the id ${String(id)}, and ${quoted(text)} has the id ${due}`,
        });
    });
    const spoken = said
      .map(stringOf)
      .find((text) => /^[\sĠ▁]*[\p{L}\p{M}'’]{2,}$/u.test(text) && !texts.has(vocabulary.get(text) ?? -1));
    if (spoken !== undefined)
      found.push({
        rule: 'tokenizer/post-processor',
        message: `the word ${quoted(spoken)} is put around every prompt`,
      });
  }
  return found;
}

function patternOf(pattern: JsonValue | undefined): { text: string; isPattern: boolean } {
  if (!(pattern instanceof Map)) return { text: stringOf(pattern), isPattern: false };
  const expression = (pattern as JsonObject).get('Regex');
  if (typeof expression === 'string') return { text: expression, isPattern: true };
  return { text: stringOf((pattern as JsonObject).get('String')), isPattern: false };
}

/** What an expression spells out: without classes, properties, escapes and counts. */
const literalsOf = (expression: string): string =>
  expression
    .replace(/\\[pP]\{\^?\w{1,40}\}|\\[pP]\w|\\x\{?[\da-fA-F]{1,6}\}?|\\u[\da-fA-F]{4}|\\[a-zA-Z]/g, ' ')
    .replace(/\[(?:[^\]\\]|\\.)*\]|\(\?[a-zA-Z]{0,5}[:)=!]|\{\d{0,6},?\d{0,6}\}/g, ' ');

/** The letters of it, where there are any. */
const wordsOf = (text: string): string => (text.match(/\p{L}\p{M}*/gu) ?? []).join('');
const stringOf = (value: JsonValue | undefined): string => (typeof value === 'string' ? value : '');
const listOf = (value: JsonValue | undefined): readonly JsonValue[] =>
  Array.isArray(value) ? (value as JsonValue[]).slice(0, PARTS_MAX) : [];
