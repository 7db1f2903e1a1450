// What tokens are there for, as far as no honest vocabulary says it otherwise: an end of turn that is an ordinary word, a word that is
// hidden from the text by its type, one text twice, and settings that no program knows.
import { quoted, type Violations } from '../../../document/violations.ts';
import type { MetadataEntry, MetadataValue } from '../../format/layout.ts';

type Entries = ReadonlyMap<string, MetadataEntry>;

export function checkTokenRoles(entries: Entries, violations: Violations): void {
  const tokens = itemsOf(entries, 'tokenizer.ggml.tokens');
  const types = itemsOf(entries, 'tokenizer.ggml.token_type');
  checkSettings(entries, violations);
  if (tokens.length === 0) return;
  const offset = entries.get('tokenizer.ggml.tokens')!.start;
  const report = (message: string): void => violations.report('gguf/token-role', message, { offset });
  checkTwins(tokens, types, report);
  if (types.length !== tokens.length) return;
  checkEnds(entries, tokens, types, report);
  checkControls(tokens, types, report);
}

type Tell = (message: string) => void;

const itemsOf = (entries: Entries, key: string): readonly MetadataValue[] => {
  const value = entries.get(key)?.value;
  return typeof value === 'object' ? value.items : [];
};

const NORMAL = 1;
const UNKNOWN = 2;
const CONTROL = 3;
const UNUSED = 5;
const BYTE = 6;

/** Letters only: what people type. A piece of SentencePiece or BPE may begin with a mark for a blank. */
const isWord = (token: MetadataValue | undefined): boolean =>
  typeof token === 'string' && /^[▁Ġ ]?\p{L}{2,}$/u.test(token);

const ENDS = /^tokenizer\.ggml\.(eos|eot|eom)_token_id$/;

/** A token that ends the answer and that models write as a word cuts answers off where an attacker likes. */
function checkEnds(
  entries: Entries,
  tokens: readonly MetadataValue[],
  types: readonly MetadataValue[],
  tell: Tell,
): void {
  for (const { key, value } of entries.values()) {
    if (!ENDS.test(key) || typeof value !== 'number') continue;
    const token = tokens[value];
    if (types[value] === NORMAL && isWord(token))
      tell(`${quoted(key)} is ${value}, the ordinary word ${quoted(String(token))}`);
  }
}

/** Where the model has markers, its control tokens are markers; a plain word among them is never shown. */
function checkControls(tokens: readonly MetadataValue[], types: readonly MetadataValue[], tell: Tell): void {
  const words: string[] = [];
  let controls = 0;
  types.forEach((type, id) => {
    if (type !== CONTROL) return;
    controls++;
    if (isWord(tokens[id])) words.push(String(tokens[id]));
  });
  // Vocabularies of encoders call all of their tokens what they like.
  if (words.length === 0 || words.length * 2 > controls + 1) return;
  tell(
    `${words.length} control tokens are ordinary words, such as ${words.slice(0, 3).map(quoted).join(', ')}`,
  );
}

/** Which of two tokens with one text a tokenizer takes depends on its tables. */
function checkTwins(tokens: readonly MetadataValue[], types: readonly MetadataValue[], tell: Tell): void {
  const seen = new Map<string, number>();
  const twins: string[] = [];
  tokens.forEach((token, id) => {
    if (typeof token !== 'string' || token === '' || types[id] === BYTE) return;
    const first = seen.get(token);
    if (first === undefined) seen.set(token, id);
    else if (types[id] !== UNUSED && types[id] !== UNKNOWN && types[first] !== UNUSED) twins.push(token);
  });
  if (twins.length > 0)
    tell(
      `${twins.length} tokens have the text of another, such as ${twins.slice(0, 3).map(quoted).join(', ')}`,
    );
}

/** llama.cpp: none, linear, yarn, longrope; older names of the same. */
const SCALING = new Set(['none', 'linear', 'yarn', 'longrope', 'su', 'dynamic', 'llama3', 'mrope']);

function checkSettings(entries: Entries, violations: Violations): void {
  for (const { key, value, start } of entries.values()) {
    const report = (message: string): void =>
      violations.report('gguf/hyperparameter', `${quoted(key)} ${message}`, { offset: start });
    if (/\.rope\.(freq_base(_swa)?|scaling\.factor|scale_linear)$/.test(key) && typeof value === 'number') {
      // 0 stands for "not scaled" with older converters.
      if (value < 0 || (value === 0 && /freq_base/.test(key))) report(`is ${value}`);
    } else if (/\.rope\.scaling\.type$/.test(key) && typeof value === 'string' && !SCALING.has(value))
      report(`is ${quoted(value)}, which no loader knows`);
    else if (
      /\.attention\.layer_norm(_rms)?_epsilon$/.test(key) &&
      Number.isFinite(value) &&
      !(Number(value) >= 0 && Number(value) < 1)
    )
      report(`is ${value}`);
    else if (
      /^tokenizer\.ggml\.(pre|model)$/.test(key) &&
      typeof value === 'string' &&
      !/^[\w.+-]{0,64}$/.test(value)
    )
      report(`is ${quoted(value)}, which is not a plain word`);
  }
}
