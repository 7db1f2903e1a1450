// Rules of what the well-known GGUF key-values say.
import { GGUF_KEYS, type Rule, SUPPLY_CHAIN } from '../rule.ts';

const CONVERT = 'do not load the file with a C++ loader; convert the model again from its source';

export const GGUF_KEY_VALUES = {
  'gguf/key-reserved': {
    severity: 'medium',
    title: 'a metadata key has the name of a field that parsers keep for themselves',
    hint: 'no converter writes this key: ask the publisher how the file was made',
    why: 'In @huggingface/gguf such a key overwrites the parsed version or tensor count, so what a website shows of the file is whatever the file wants shown.',
  },
  'gguf/known-type': {
    severity: 'high',
    title: 'a well-known key has a value of a type that loaders do not expect',
    hint: CONVERT,
    why: 'Loaders in C++ cast the array to the type they expect: narrower elements make them read past the end of the data, other types make them abort.',
    references: [GGUF_KEYS],
  },
  'gguf/array-length': {
    severity: 'high',
    title: 'an array of the metadata has a length that loaders do not check and rely on',
    hint: CONVERT,
    why: 'Scores and types are read by the number of tokens, image_mean by three: a shorter array is read past its end.',
    references: [GGUF_KEYS],
  },
  'gguf/hyperparameter': {
    severity: 'medium',
    title: 'hyperparameters of the model contradict each other',
    hint: CONVERT,
    why: 'Loaders divide by head counts and size buffers by them: a zero or a bad ratio crashes the process that loads the file.',
    references: [GGUF_KEYS],
  },
  'gguf/block-count': {
    severity: 'high',
    title: 'the number of layers is none that a loader can hold',
    hint: CONVERT,
    why: 'Loaders keep one entry per layer in arrays of fixed size: a larger count writes past their end.',
    references: ['llama.cpp LLAMA_MAX_LAYERS'],
  },
  'gguf/layer-index': {
    severity: 'medium',
    title: 'a tensor is of a layer that the model does not have',
    hint: 'look at the tensor: no loader uses it, so ask what it is for',
    why: 'A tensor that is never used is a place to carry data, and its index may be used unchecked.',
  },
  'gguf/not-finite': {
    severity: 'medium',
    title: 'a number of the metadata is NaN or infinite',
    hint: CONVERT,
    why: 'A NaN among the hyperparameters passes every comparison of a range check and makes every output NaN.',
  },
  'gguf/architecture': {
    severity: 'high',
    title: 'general.architecture is not a plain word',
    hint: 'do not hand the file to scripts that build file names or commands from its metadata',
    why: 'Tools put the architecture into keys, paths and command lines: quotes, separators or spaces in it become commands.',
    references: [GGUF_KEYS],
  },
  'gguf/file-type': {
    severity: 'info',
    title: 'general.file_type does not name the type of any tensor',
    hint: "the label states a different quantisation than the file has; compare it with the publisher's announcement",
    why: 'Two files with one label may be quantised differently, one of them with care taken to behave differently.',
  },
  'gguf/token-id': {
    severity: 'medium',
    title: 'a special token has an id outside the vocabulary',
    hint: CONVERT,
    why: 'Loaders index the vocabulary with it, some without a check; a model without its end token never stops.',
  },
  'gguf/token-role': {
    severity: 'medium',
    title: 'tokens of the vocabulary have roles that no honest one gives them',
    hint: 'compare the vocabulary with the one of the original model',
    why: 'An end of turn that is an ordinary word cuts answers off there; a word that is a control token is never shown; of two tokens with one text each tokenizer takes its own.',
    references: [SUPPLY_CHAIN],
  },
  'gguf/token-size': {
    severity: 'high',
    title: 'a token of the vocabulary is larger than 64 KiB',
    hint: CONVERT,
    why: 'Its length is narrowed to a 32-bit integer on the way to a buffer: past 2 GiB it turns negative and the copy overflows.',
    references: ['CVE-2025-49847', 'GHSA-8wwf-w4qm-gpqr'],
  },
  'gguf/token-empty': {
    severity: 'low',
    title: 'the vocabulary has empty tokens that are marked as normal ones',
    hint: 'some converters leave them; loaders replace them by a name of their own',
    why: 'A tokenizer that matches an empty token makes no progress.',
  },
  'gguf/byte-token': {
    severity: 'high',
    title: 'a byte token of the vocabulary stands for no byte, or for one that has a token',
    hint: CONVERT,
    why: 'Loaders parse the two hexadecimal digits and use them as an index: "<0x-1>" writes in front of the table.',
    references: ['https://github.com/ggml-org/llama.cpp/pull/25969', SUPPLY_CHAIN],
  },
  'gguf/merge': {
    severity: 'low',
    title: 'a merge of the tokenizer is not two tokens with a space between',
    hint: 'compare the vocabulary with the one of the original model',
    why: 'Loaders split at the space they expect and take what they get: the text is cut into other tokens than in training.',
  },
} as const satisfies Record<string, Rule>;
