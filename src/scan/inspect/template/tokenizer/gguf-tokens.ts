// The vocabulary in the header of a GGUF file, as far as other files can be held against it.
import { quoted } from '../../../../document/violations.ts';
import type { Layout, MetadataValue } from '../../../format/layout.ts';
import type { Texts } from './agreement.ts';
import type { Problem } from './reading.ts';

const CONTROL = 3;
const NORMAL = 1;
const PLACES = 3;
/** What every family writes for the ends of a text or a turn. */
const MARKS =
  /^(?:<\/?s>|<\|(?:im_start|im_end|endoftext|eot_id|begin_of_text|end_of_text|end)\|>|<(?:eos|bos|end_of_turn)>)$/;

/** Its types say little of control tokens: converters go by the look of a text. */
export function ggufTexts({ metadata }: Layout): Texts {
  const tokens = itemsOf(metadata, 'tokenizer.ggml.tokens');
  return new Map(tokens.map((token, id) => [id, { text: typeof token === 'string' ? token : '' }]));
}

/** Marks of a turn that are ordinary tokens; what else a token may be said to be wrongly, its own header's inspection tells. */
export function ggufProblems({ metadata }: Layout): Problem[] {
  const tokens = itemsOf(metadata, 'tokenizer.ggml.tokens');
  const types = itemsOf(metadata, 'tokenizer.ggml.token_type');
  const plain = tokens.flatMap((token, id) =>
    typeof token === 'string' && types[id] === NORMAL && MARKS.test(token)
      ? [`${quoted(token)} (${id})`]
      : [],
  );
  if (plain.length === 0 || !types.includes(CONTROL)) return [];
  const message = `${plain.slice(0, PLACES).join(', ')}: a mark of a turn that is an ordinary token`;
  const offset = metadata.find(({ key }) => key === 'tokenizer.ggml.tokens')?.start ?? 0;
  return [{ rule: 'tokenizer/flipped', message, offset }];
}

function itemsOf(metadata: Layout['metadata'], name: string): readonly MetadataValue[] {
  const value = metadata.find(({ key }) => key === name)?.value;
  return typeof value === 'object' ? value.items : [];
}
