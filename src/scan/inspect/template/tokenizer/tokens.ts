// Tokens that are not what they seem: a word that is a control token, two texts with one id, an end of turn on a word.
import { quoted } from '../../../../document/violations.ts';
import { skeletonOf } from '../../names/confusables.ts';
import type { Added, Problem, Tokenizer } from './reading.ts';

/** Of one kind in one file. */
const PLACES = 3;

/** Words that some families use as control tokens: of GLM, and the languages of translators are no words of theirs. */
const CONTROLS = new Set([
  'sop',
  'eop',
  'gMASK',
  'sMASK',
  'dMASK',
  'MASK',
  'PAD',
  'UNK',
  'CLS',
  'SEP',
  'BOS',
  'EOS',
]);

/** A word as people write it, whatever a family marks its beginning with. */
export const isWord = (text: string): boolean => {
  const bare = text.replace(/^[\sĠ▁]+/, '');
  return /^[\p{L}\p{M}'’]{2,}$/u.test(bare) && !CONTROLS.has(bare);
};

export function tokenProblems({ vocabulary, added }: Tokenizer): Problem[] {
  return [...words(added), ...shadows(vocabulary, added)];
}

function words(added: readonly Added[]): Problem[] {
  const controls = added.filter(({ content, special }) => special && isWord(content));
  const plain = added.filter(({ content, special }) => !special && isWord(content));
  const found: Problem[] = [];
  if (controls.length > 0)
    found.push({
      rule: 'tokenizer/word-control',
      message: `${shown(controls)}: a word that is a control token is left out of what people read`,
    });
  if (plain.length > 0)
    found.push({
      rule: 'tokenizer/word-added',
      message: `${shown(plain)}: cut out of every text before it is read`,
    });
  return found;
}

function shadows(vocabulary: Tokenizer['vocabulary'], added: readonly Added[]): Problem[] {
  const found: Problem[] = [];
  const texts = new Map<number, string>();
  const report = (message: string): void => {
    if (found.length < PLACES) found.push({ rule: 'tokenizer/shadowed', message });
  };
  for (const [text, id] of vocabulary) {
    const other = texts.get(id);
    if (id >= 0 && other !== undefined)
      report(`${quoted(other)} and ${quoted(text)} have the id ${id} in the vocabulary`);
    texts.set(id, text);
  }
  const ids = new Map<number, string>();
  const contents = new Map<string, number>();
  for (const { id, content } of added) {
    const before = ids.get(id);
    if (before !== undefined && before !== content)
      report(`the added tokens ${quoted(before)} and ${quoted(content)} have the id ${id}`);
    if (contents.has(content) && contents.get(content) !== id)
      report(`the added token ${quoted(content)} has the ids ${contents.get(content)} and ${id}`);
    const under = texts.get(id);
    if (under !== undefined && under !== content && !isFiller(under))
      report(`the added token ${quoted(content)} takes the id ${id} of ${quoted(under)}`);
    ids.set(id, content);
    contents.set(content, id);
  }
  return found;
}

/** Places that families keep free for tokens to come. */
export const isFiller = (text: string): boolean =>
  /unused|reserved|extra|placeholder|dummy|^\[?PAD/i.test(text);

/** A marker of the template that is no token, beside a token that looks like it. */
export function lookalikeMarkers(template: string, texts: ReadonlySet<string>): Problem[] {
  const markers = new Set(template.match(/<[|｜]?[^<>\s]{1,40}[|｜]?>/g) ?? []);
  const like = new Map([...texts].filter((text) => /^<.*>$/s.test(text)).map((text) => [plain(text), text]));
  return [...markers]
    .filter((marker) => !texts.has(marker) && like.has(plain(marker)) && !/[{}%]/.test(marker))
    .slice(0, PLACES)
    .map((marker) => ({
      rule: 'tokenizer/marker',
      message: `the chat template writes ${quoted(marker)}; the vocabulary has only ${quoted(like.get(plain(marker))!)}`,
    }));
}

const plain = (text: string): string =>
  skeletonOf(text.normalize('NFKC'))
    .replace(/[\p{C}\p{Z}]/gu, '')
    .replaceAll('▁', '_');

const shown = (tokens: readonly Added[]): string => {
  const names = tokens.slice(0, PLACES).map(({ content, id }) => `${quoted(content)} (${id})`);
  const more = tokens.length > PLACES ? ` and ${tokens.length - PLACES} more` : '';
  return `${names.join(', ')}${more}`;
};
