// The table of rules: what a finding can say. Structural rules are critical: a file that breaks them was not written by a
// well-behaved program, and two loaders may read two different models from it.

export const SEVERITIES = ['info', 'low', 'medium', 'high', 'critical'] as const;
export type Severity = (typeof SEVERITIES)[number];

export interface Rule {
  readonly severity: Severity;
  /** One line: what is wrong. */
  readonly title: string;
  /** What to do about it. */
  readonly hint: string;
}

const MALFORMED = 'do not load the file; get it again from its source and compare digests';

const TABLE = {
  'header/truncated': {
    severity: 'critical',
    title: 'the header runs past the end of the file',
    hint: MALFORMED,
  },
  'header/limit': {
    severity: 'critical',
    title: 'the header is larger or deeper than any loader accepts or any writer makes',
    hint: MALFORMED,
  },
  'header/count': {
    severity: 'critical',
    title: 'a count in the header is more than the rest of the file could hold',
    hint: MALFORMED,
  },
  'header/start': {
    severity: 'critical',
    title: "the header does not begin with '{'",
    hint: MALFORMED,
  },
  'header/padding': {
    severity: 'critical',
    title: "the header's JSON is followed by something else than spaces",
    hint: MALFORMED,
  },
  'header/json': {
    severity: 'critical',
    title: 'the header is not JSON',
    hint: MALFORMED,
  },
  'header/utf8': {
    severity: 'critical',
    title: 'the header, a key or a name is not UTF-8',
    hint: MALFORMED,
  },
  'header/surrogate': {
    severity: 'critical',
    title: 'a string of the header has half a surrogate pair, which parsers read differently',
    hint: MALFORMED,
  },
  'header/duplicate-key': {
    severity: 'critical',
    title: 'a key occurs twice in one object: loaders differ in which value they take',
    hint: MALFORMED,
  },
  'header/type': {
    severity: 'critical',
    title: 'a value of the header is of the wrong JSON type',
    hint: MALFORMED,
  },
  'header/integer': {
    severity: 'critical',
    title: 'a number of the header is not written as a plain non-negative integer',
    hint: MALFORMED,
  },
  'header/integer-unsafe': {
    severity: 'critical',
    title: 'an integer of the header is above 2^53 - 1: loaders round or wrap it',
    hint: MALFORMED,
  },
  'gguf/magic': {
    severity: 'critical',
    title: 'the file does not begin with the magic GGUF',
    hint: MALFORMED,
  },
  'gguf/version': {
    severity: 'critical',
    title: 'the GGUF version is not one that loaders read',
    hint: 'convert the model again with current tools',
  },
  'gguf/big-endian': {
    severity: 'critical',
    title: 'the GGUF file is written for big-endian machines',
    hint: 'convert the model for little-endian machines',
  },
  'gguf/value-type': {
    severity: 'critical',
    title: 'a metadata value has a type that does not exist',
    hint: MALFORMED,
  },
  'gguf/key-length': {
    severity: 'critical',
    title: 'a metadata key is empty or longer than 65535 bytes',
    hint: MALFORMED,
  },
  'gguf/key-charset': {
    severity: 'high',
    title: 'a metadata key holds characters other than printable ASCII',
    hint: 'look at the key: a look-alike of a known key misleads reviewers; the format wants lower_snake_case',
  },
  'gguf/nul': {
    severity: 'critical',
    title: 'a key or tensor name holds a NUL byte: C loaders cut it there, others do not',
    hint: MALFORMED,
  },
  'gguf/value-nul': {
    severity: 'high',
    title: 'a metadata string holds a NUL byte: C loaders cut it there, others do not',
    hint: 'compare what stands before and after the NUL; loaders see different values',
  },
  'gguf/value-utf8': {
    severity: 'medium',
    title: 'a metadata string is not UTF-8',
    hint: 'look at the value; some converters write raw bytes into vocabularies',
  },
  'gguf/bool': {
    severity: 'critical',
    title: 'a bool of the metadata is neither 0 nor 1',
    hint: MALFORMED,
  },
  'gguf/nested-array': {
    severity: 'high',
    title: 'the metadata has an array of arrays, which llama.cpp refuses and others flatten',
    hint: 'write the value as one flat array',
  },
  'gguf/alignment': {
    severity: 'critical',
    title: 'general.alignment is not a u32 power of two: the data section has no defined place',
    hint: MALFORMED,
  },
  'gguf/alignment-large': {
    severity: 'high',
    title: 'the alignment leaves large gaps between tensors',
    hint: 'convert the model again with the default alignment of 32',
  },
  'gguf/name-length': {
    severity: 'critical',
    title: 'a tensor name has 64 bytes or more: loaders cut or refuse it',
    hint: MALFORMED,
  },
  'tensor/duplicate-name': {
    severity: 'critical',
    title: 'two tensors have one name',
    hint: MALFORMED,
  },
  'tensor/field-missing': {
    severity: 'critical',
    title: "a tensor's entry lacks dtype, shape or data_offsets",
    hint: MALFORMED,
  },
  'tensor/field-unknown': {
    severity: 'critical',
    title: "a tensor's entry has a field that the format does not know and loaders ignore",
    hint: MALFORMED,
  },
  'tensor/dtype-unknown': {
    severity: 'critical',
    title: 'a tensor has a dtype that safetensors does not have',
    hint: 'do not load the file, or update Steelyard if the format has gained the dtype since',
  },
  'tensor/dtype-unsupported': {
    severity: 'medium',
    title: 'a tensor has a ggml type that ggml does not have',
    hint: 'the type belongs to a fork of ggml or is newer than this release: its size was taken from the file, not checked',
  },
  'tensor/dtype-removed': {
    severity: 'critical',
    title: 'a tensor has a ggml type that ggml has removed: current loaders refuse it',
    hint: 'quantise the model again with current tools',
  },
  'tensor/dtype-intermediate': {
    severity: 'low',
    title: 'a tensor has a ggml type that is used in computation only and that no writer stores',
    hint: 'ask the publisher how the file was made',
  },
  'tensor/rank': {
    severity: 'critical',
    title: 'a tensor has more dimensions than loaders can hold',
    hint: MALFORMED,
  },
  'tensor/size-overflow': {
    severity: 'critical',
    title: "a tensor's size overflows 64 bits: loaders wrap it to a small one",
    hint: MALFORMED,
  },
  'tensor/partial-block': {
    severity: 'critical',
    title: "a tensor's elements do not fill whole bytes or blocks",
    hint: MALFORMED,
  },
  'tensor/size-mismatch': {
    severity: 'critical',
    title: "a tensor's byte range is not what its shape and dtype need",
    hint: MALFORMED,
  },
  'tensor/offsets': {
    severity: 'critical',
    title: "a tensor's data_offsets are not a start and an end",
    hint: MALFORMED,
  },
  'tensor/out-of-bounds': {
    severity: 'critical',
    title: 'a tensor runs past the end of the file',
    hint: 'the file is cut short or lies about its size; get it again from its source',
  },
  'tensor/unaligned': {
    severity: 'critical',
    title: "a tensor does not start on a multiple of the file's alignment",
    hint: MALFORMED,
  },
  'tensor/order': {
    severity: 'critical',
    title: 'tensors do not lie in the order of the table, as ggml requires',
    hint: MALFORMED,
  },
  'data/overlap': {
    severity: 'critical',
    title: 'two tensors share bytes',
    hint: MALFORMED,
  },
  'data/hole': {
    severity: 'critical',
    title: 'bytes between tensors belong to no tensor',
    hint: 'something may be hidden there: look at the bytes; get the file again from its source',
  },
  'data/trailing-bytes': {
    severity: 'critical',
    title: 'bytes follow the last tensor',
    hint: 'something may be hidden there: look at the bytes; get the file again from its source',
  },
  'data/padding': {
    severity: 'high',
    title: 'padding bytes are not zero',
    hint: 'look at the bytes: writers pad with zeros, so something else wrote there',
  },
  'shard/index': {
    severity: 'critical',
    title: 'a shard index does not say where tensors are',
    hint: MALFORMED,
  },
  'shard/path': {
    severity: 'critical',
    title: 'a shard index names a path instead of a file beside it',
    hint: 'do not load the model: its index may lead a loader out of the folder',
  },
  'shard/missing': {
    severity: 'critical',
    title: 'a shard that the index names is missing',
    hint: 'get the missing shard from the same source and revision',
  },
  'stats/nan': {
    severity: 'medium',
    title: 'a tensor holds NaN',
    hint: 'compare with the original: NaN weights are damage, or were put there',
  },
  'stats/inf': {
    severity: 'medium',
    title: 'a tensor holds infinities',
    hint: 'compare with the original: infinite weights are damage, an overflow in a conversion, or were put there',
  },
} as const satisfies Record<string, Rule>;

export type RuleId = keyof typeof TABLE;
export const RULES: ReadonlyMap<RuleId, Rule> = new Map(Object.entries(TABLE) as [RuleId, Rule][]);
