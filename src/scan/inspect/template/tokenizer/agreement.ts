// One vocabulary, told by several files: tokenizer.json, tokenizer_config.json, vocab.json, added_tokens.json, and the header of a GGUF.
// Loaders differ in which they read.
import type { JsonObject, JsonValue } from '../../../../document/json/value.ts';
import { quoted } from '../../../../document/violations.ts';
import type { Added, Problem, Tokenizer } from './reading.ts';
import { isFiller } from './tokens.ts';

/** id → text, and whether it is a control token where that is said. */
export type Texts = ReadonlyMap<number, { readonly text: string; readonly special?: boolean }>;

export function textsOf({ vocabulary, added }: Tokenizer): Texts {
  const texts = new Map<number, { text: string; special?: boolean }>();
  for (const [text, id] of vocabulary) texts.set(id, { text });
  for (const { id, content, special } of added) texts.set(id, { text: content, special });
  return texts;
}

/** added_tokens_decoder of tokenizer_config.json. */
export function addedOf(value: JsonValue | undefined): Added[] {
  if (!(value instanceof Map)) return [];
  return [...(value as JsonObject)].flatMap(([id, token]): Added[] => {
    const content = token instanceof Map ? (token as JsonObject).get('content') : undefined;
    if (typeof content !== 'string' || !/^\d{1,9}$/.test(id)) return [];
    return [{ id: Number(id), content, special: (token as JsonObject).get('special') === true }];
  });
}

/**
 * What differs for one id. Few places are an edit; where most differ, it is another vocabulary.
 * @param name of the other file.
 */
export function departures(texts: Texts, others: Texts, name: string): Problem[] {
  const changed: string[] = [];
  const flipped: string[] = [];
  let both = 0;
  for (const [id, { text, special }] of others) {
    const mine = texts.get(id);
    if (mine === undefined) continue;
    both++;
    if (isFiller(mine.text) || isFiller(text)) continue;
    if (normal(mine.text) !== normal(text))
      changed.push(`${id} is ${quoted(mine.text)}, and ${quoted(text)} in ${quoted(name)}`);
    else if (special !== undefined && mine.special !== undefined && special !== mine.special)
      flipped.push(
        `${quoted(text)} is a control token in ${mine.special ? 'this file' : quoted(name)} alone`,
      );
  }
  const found: Problem[] = [];
  if (changed.length > 0)
    found.push({
      rule: 'tokenizer/disagreement',
      message: `${changed.length} of ${both} ids have another text: ${changed[0]}`,
    });
  if (flipped.length > 0)
    found.push({ rule: 'tokenizer/flipped', message: `${flipped[0]}${more(flipped.length)}` });
  return found;
}

const more = (count: number): string => (count > 1 ? `; and ${count - 1} more` : '');

/** Converters write the mark of a space as one. */
const normal = (text: string): string => text.replaceAll('▁', ' ');
