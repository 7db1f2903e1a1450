// Rules of tokenizers: what stands between people and the model. Words that are changed, left out or cut are high; what extends a
// vocabulary has honest uses.
import { ATLAS_MANIPULATED_MODEL, ATLAS_SUPPLY_CHAIN, type Rule, SUPPLY_CHAIN } from '../rule.ts';

const REPLACE = "do not load the model with this tokenizer; take it from the model's original publisher";
const READ = 'compare the tokenizer with the one of the original publisher';
const TAMPERED = [ATLAS_MANIPULATED_MODEL, ATLAS_SUPPLY_CHAIN, SUPPLY_CHAIN];

export const TOKENIZER = {
  'tokenizer/unreadable': {
    severity: 'medium',
    title: 'a tokenizer could not be read in full',
    hint: 'look at it: loaders that forgive more may find something else in it',
    why: 'What was not read was not inspected.',
    references: [SUPPLY_CHAIN],
  },
  'tokenizer/rewrite': {
    severity: 'high',
    title: 'a tokenizer changes words, or leaves them out',
    hint: REPLACE,
    why: 'The model answers a question that nobody asked, or people read an answer that it did not give.',
    references: TAMPERED,
  },
  'tokenizer/letter': {
    severity: 'low',
    title: 'a tokenizer turns one letter into another',
    hint: READ,
    why: 'Usual for accents and ligatures; a negation may hang on one letter.',
    references: TAMPERED,
  },
  'tokenizer/word-control': {
    severity: 'high',
    title: 'a word is a control token',
    hint: REPLACE,
    why: 'Control tokens are left out of what people read, and where one ends a turn the model falls silent at the word.',
    references: TAMPERED,
  },
  'tokenizer/word-added': {
    severity: 'low',
    title: 'a word was added to the vocabulary',
    hint: READ,
    why: 'Usual for new domains and languages; the model reads such a word as one that it may never have seen.',
    references: TAMPERED,
  },
  'tokenizer/shadowed': {
    severity: 'high',
    title: 'two tokens have one id, or one token has two',
    hint: REPLACE,
    why: 'One of the two can never be said, or is read as the other: a word becomes an end of turn, or another word.',
    references: TAMPERED,
  },
  'tokenizer/post-processor': {
    severity: 'high',
    title: 'a tokenizer puts a token around every prompt that is not what it is called',
    hint: REPLACE,
    why: 'What is inserted is read with every request and shown to nobody.',
    references: TAMPERED,
  },
  'tokenizer/disagreement': {
    severity: 'high',
    title: 'two files give one id different texts',
    hint: REPLACE,
    why: 'Loaders differ in which file they read: with one of them the model reads and says other words.',
    references: TAMPERED,
  },
  'tokenizer/flipped': {
    severity: 'low',
    title: 'a token is a control token in one place and not in another',
    hint: READ,
    why: 'A mark of a turn that is ordinary text can be typed by anybody; a word that is a control token is not shown.',
    references: TAMPERED,
  },
  'tokenizer/marker': {
    severity: 'medium',
    title: 'a chat template writes a marker that is no token, and one that looks like it is',
    hint: READ,
    why: 'The model does not see where a turn begins or ends, and takes what people write for what the system says.',
    references: TAMPERED,
  },
} as const satisfies Record<string, Rule>;
