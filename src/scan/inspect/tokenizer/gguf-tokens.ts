// The vocabulary in the header of a GGUF file: what its tokens are said to be, and which of them ends a turn.
import { quoted } from '../../../document/violations.ts';
import type { Layout, MetadataValue } from '../../format/layout.ts';
import type { Texts } from './agreement.ts';
import type { Problem } from './reading.ts';
import { isWord } from './tokens.ts';

const CONTROL = 3;
const NORMAL = 1;
const PLACES = 3;
/** Ids at which a model stops speaking. */
const ENDS = /^tokenizer\.ggml\.(?:eos|eot|eom|bos)_token_id$/;
/** What every family writes for the ends of a text or a turn. */
const MARKS =
  /^(?:<\/?s>|<\|(?:im_start|im_end|endoftext|eot_id|begin_of_text|end_of_text|end)\|>|<(?:eos|bos|end_of_turn)>)$/;

/** Its types say little of control tokens: converters go by the look of a text. */
export function ggufTexts({ metadata }: Layout): Texts {
  const tokens = itemsOf(metadata, 'tokenizer.ggml.tokens');
  return new Map(tokens.map((token, id) => [id, { text: typeof token === 'string' ? token : '' }]));
}

export function ggufProblems(layout: Layout): Problem[] {
  const { metadata } = layout;
  const tokens = itemsOf(metadata, 'tokenizer.ggml.tokens');
  const types = itemsOf(metadata, 'tokenizer.ggml.token_type');
  const offset = metadata.find(({ key }) => key === 'tokenizer.ggml.tokens')?.start ?? 0;
  const found: Problem[] = [];
  const controls: string[] = [];
  const plain: string[] = [];
  tokens.forEach((token, id) => {
    if (typeof token !== 'string') return;
    if (types[id] === CONTROL && isWord(token)) controls.push(`${quoted(token)} (${id})`);
    if (types[id] === NORMAL && MARKS.test(token)) plain.push(`${quoted(token)} (${id})`);
  });
  if (controls.length > 0)
    found.push({
      rule: 'tokenizer/word-control',
      message: `${controls.slice(0, PLACES).join(', ')}: a word that is a control token is left out of what people read`,
      offset,
    });
  if (plain.length > 0 && types.includes(CONTROL))
    found.push({
      rule: 'tokenizer/flipped',
      message: `${plain.slice(0, PLACES).join(', ')}: a mark of a turn that is an ordinary token`,
      offset,
    });
  for (const { key, value, start } of metadata) {
    const text = ENDS.test(key) ? tokens[Number(value)] : undefined;
    if (typeof text === 'string' && isWord(text))
      found.push({
        rule: 'tokenizer/word-control',
        message: `${quoted(key)} is the word ${quoted(text)}: there the model stops, or begins`,
        offset: start,
      });
  }
  return found;
}

function itemsOf(metadata: Layout['metadata'], name: string): readonly MetadataValue[] {
  const value = metadata.find(({ key }) => key === name)?.value;
  return typeof value === 'object' ? value.items : [];
}
