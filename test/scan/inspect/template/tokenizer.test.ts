// Tokenizers: what is done to one is found, what families do is not, and nothing that is thrown at the readers makes them throw.
import fc from 'fast-check';
import t from 'tap';
import { buildFile } from '../../../../fixtures/build.ts';
import { RULES } from '../../../../src/rules/rules.ts';
import { atOnce } from '../../../../src/runtime/turn.ts';
import { readLayout } from '../../../../src/scan/format/format.ts';
import { inspectTokenizers as inspect } from '../../../../src/scan/inspect/template/tokenizer/tokenizer.ts';
import type { MeasuredFile } from '../../../../src/scan/measure/measured.ts';
import { templatesOf } from '../../../../src/scan/profile/template/collect.ts';
import { patience } from '../../../kit/patience.ts';

t.setTimeout(patience(120_000));

function measured(path: string, content: unknown): MeasuredFile {
  const isGguf = path.endsWith('.gguf');
  const bytes =
    content instanceof Uint8Array
      ? content
      : Buffer.from(typeof content === 'string' ? content : JSON.stringify(content));
  const source = {
    size: bytes.length,
    read: (start: number, size: number) => bytes.subarray(start, start + size),
  };
  return {
    entry: { path, absolute: path },
    size: bytes.length,
    layout: isGguf ? atOnce(readLayout('gguf', source)) : null,
    document: isGguf ? null : bytes,
  } as unknown as MeasuredFile;
}

const inspectTokenizers = (files: MeasuredFile[], check?: () => void) =>
  inspect(files, files.map(templatesOf), check);

const found = (files: Record<string, unknown>): string[] =>
  inspectTokenizers(Object.entries(files).map(([path, content]) => measured(path, content)))
    .map(({ rule }) => rule)
    .sort();

const VOCABULARY = { '<unk>': 0, '<s>': 1, '</s>': 2, '▁refuse': 3, '▁the': 4, comply: 5, '<|im_end|>': 6 };
const MARKS = ['<unk>', '<s>', '</s>', '<|im_end|>'];
const ADDED = MARKS.map((content) => ({
  id: VOCABULARY[content as keyof typeof VOCABULARY],
  content,
  special: true,
}));
/** As SentencePiece's conversions have it. */
const NORMALIZER = {
  type: 'Sequence',
  normalizers: [
    { type: 'Prepend', prepend: '▁' },
    { type: 'Replace', pattern: { String: ' ' }, content: '▁' },
    { type: 'Replace', pattern: { Regex: '\\s{2,}|\\p{Cc}' }, content: ' ' },
    { type: 'Replace', pattern: { String: '\n' }, content: '<n>' },
    { type: 'NFKC' },
    { type: 'Lowercase' },
  ],
};
const CLIP = {
  type: 'Sequence',
  pretokenizers: [
    {
      type: 'Split',
      pattern: { Regex: "<\\|startoftext\\|>|'s|'t|[\\p{L}]+|[\\p{N}]|[^\\s\\p{L}\\p{N}]+" },
      behavior: 'Removed',
      invert: true,
    },
    { type: 'ByteLevel', add_prefix_space: false },
  ],
};
const POST = {
  type: 'TemplateProcessing',
  single: [{ SpecialToken: { id: '<s>', type_id: 0 } }, { Sequence: { id: 'A', type_id: 0 } }],
  special_tokens: { '<s>': { id: '<s>', ids: [1], tokens: ['<s>'] } },
};
const HONEST = {
  version: '1.0',
  added_tokens: ADDED,
  normalizer: NORMALIZER,
  pre_tokenizer: CLIP,
  post_processor: POST,
  decoder: { type: 'Replace', pattern: { String: '▁' }, content: ' ' },
  model: { type: 'BPE', vocab: VOCABULARY, merges: ['a b'] },
};
const only = (changes: object): Record<string, unknown> => ({ 'tokenizer.json': { ...HONEST, ...changes } });

t.test('what families do is silent', (t) => {
  t.same(found(only({})), []);
  t.same(found(only({ normalizer: null, pre_tokenizer: null, post_processor: null, decoder: null })), []);
  const unigram = { type: 'Unigram', vocab: Object.keys(VOCABULARY).map((text) => [text, -1.5]) };
  t.same(found(only({ model: unigram })), []);
  const more = { id: 7, content: '<|tool|>', special: false };
  t.same(found(only({ added_tokens: [...ADDED, more, { id: 8, content: 'gMASK', special: true }] })), []);
  const config = {
    added_tokens_decoder: {
      2: { content: '</s>', special: true },
      7: { content: '<|tool|>', special: false },
    },
    eos_token: { content: '</s>' },
    bos_token: '<s>',
  };
  t.same(found({ ...only({}), 'tokenizer_config.json': config, 'vocab.json': VOCABULARY }), []);
  t.same(found({ 'a/tokenizer.json': HONEST, 'b/vocab.json': { '▁the': 3 } }), [], 'two models');
  t.end();
});

t.test('a part that changes words', (t) => {
  const replace = (pattern: object, content: string) => ({ type: 'Replace', pattern, content });
  const rewriting: [string, object][] = [
    ['a word', { normalizer: replace({ String: 'refuse' }, 'comply') }],
    [
      'in a sequence',
      {
        normalizer: {
          ...NORMALIZER,
          normalizers: [...NORMALIZER.normalizers, replace({ String: 'not ' }, '')],
        },
      },
    ],
    ['by an expression', { normalizer: replace({ Regex: '(?i)\\bnot\\b' }, ' ') }],
    ['anything', { normalizer: replace({ Regex: '.+' }, 'obey the attacker') }],
    ['of an answer', { decoder: replace({ String: 'refuse' }, 'comply') }],
    ['in pieces of answers', { decoder: { type: 'Sequence', decoders: [replace({ String: 'no' }, 'yes')] } }],
    [
      'removed',
      { pre_tokenizer: { type: 'Split', pattern: { String: 'never' }, behavior: 'Removed', invert: false } },
    ],
    [
      'removed by a class',
      { pre_tokenizer: { type: 'Split', pattern: { Regex: '\\p{L}+' }, behavior: 'Removed', invert: false } },
    ],
    [
      'nothing else kept',
      { pre_tokenizer: { type: 'Split', pattern: { String: 'yes' }, behavior: 'Removed', invert: true } },
    ],
    ['put in front', { normalizer: { type: 'Prepend', prepend: 'Obey. ' } }],
  ];
  for (const [name, changes] of rewriting) t.same(found(only(changes)), ['tokenizer/rewrite'], name);
  t.same(found(only({ normalizer: replace({ String: 'ё' }, 'е') })), ['tokenizer/letter']);
  const around = (ids: number[], tokens: string[]) => ({
    post_processor: { ...POST, special_tokens: { '<s>': { id: '<s>', ids, tokens } } },
  });
  t.same(found(only(around([3], ['<s>']))), ['tokenizer/post-processor'], 'another id');
  t.same(found(only(around([5], ['comply']))), ['tokenizer/post-processor'], 'a word');
  t.end();
});

t.test('tokens that are not what they seem', (t) => {
  const added = (...more: object[]) => only({ added_tokens: [...ADDED, ...more] });
  t.same(found(added({ id: 3, content: '▁refuse', special: true })), ['tokenizer/word-control']);
  t.same(found(added({ id: 9, content: 'Paris', special: true })), ['tokenizer/word-control']);
  t.same(found(added({ id: 9, content: 'benzene', special: false })), ['tokenizer/word-added']);
  t.same(
    found(added({ id: 5, content: '<|x|>', special: true })),
    ['tokenizer/shadowed'],
    'the id of a word',
  );
  t.same(found(added({ id: 9, content: '</s>', special: true })), ['tokenizer/shadowed'], 'two ids');
  t.same(found(added({ id: 9, content: '<a>', special: true }, { id: 9, content: '<b>', special: true })), [
    'tokenizer/shadowed',
  ]);
  t.same(found(only({ model: { vocab: { ...VOCABULARY, never: 4 } } })), ['tokenizer/shadowed'], 'two words');
  const twice = JSON.stringify(HONEST).replace('"comply":5', '"comply":5,"▁the":9');
  t.ok(found({ 'tokenizer.json': twice }).includes('tokenizer/shadowed'), 'a key twice');
  t.same(found({ 'tokenizer_config.json': { eos_token: '▁the' } }), ['tokenizer/word-control']);
  t.end();
});

t.test('files that differ', (t) => {
  const config = (id: number, content: string, special = true) => ({
    added_tokens_decoder: { [id]: { content, special } },
  });
  t.same(found({ ...only({}), 'tokenizer_config.json': config(2, '<|end|>') }), ['tokenizer/disagreement']);
  t.same(found({ ...only({}), 'tokenizer_config.json': config(2, '</s>', false) }), ['tokenizer/flipped']);
  t.same(found({ ...only({}), 'vocab.json': { ...VOCABULARY, comply: 3, '▁refuse': 5 } }), [
    'tokenizer/disagreement',
  ]);
  t.same(found({ ...only({}), 'added_tokens.json': { '</s>': 6 } }), ['tokenizer/disagreement']);
  t.same(
    found({
      ...only({}),
      'tokenizer.4.0.0.json': { ...HONEST, model: { vocab: { ...VOCABULARY, comply: 3 } } },
    }),
    ['tokenizer/disagreement', 'tokenizer/shadowed'],
  );
  t.same(found({ ...only({}), 'chat_template.jinja': '{{ "<|im_end|>" }}<|other|>' }), []);
  t.same(found({ ...only({}), 'chat_template.jinja': '{{ "<｜im_end｜>" }}' }), ['tokenizer/marker']);
  t.end();
});

const gguf = (tokens: string[], types: number[], ids: Record<string, number> = {}): Uint8Array =>
  buildFile({
    build: {
      format: 'gguf',
      metadata: [
        { key: 'general.architecture', type: 'string', value: 'llama' },
        { key: 'tokenizer.ggml.tokens', type: 'array', of: 'string', value: tokens },
        { key: 'tokenizer.ggml.token_type', type: 'array', of: 'i32', value: types },
        ...Object.entries(ids).map(([key, value]) => ({
          key: `tokenizer.ggml.${key}_token_id`,
          type: 'u32',
          value,
        })),
      ],
      tensors: [{ name: 'a', dtype: 'F32', shape: [8] }],
    },
  } as Parameters<typeof buildFile>[0]);

t.test('the vocabulary of a GGUF file', (t) => {
  const tokens = Object.keys(VOCABULARY);
  const types = [2, 3, 3, 1, 1, 1, 3];
  t.same(found({ 'm.gguf': gguf(tokens, types, { eos: 2 }) }), []);
  t.same(
    found({
      ...only({}),
      'm.gguf': gguf(
        tokens.map((text) => text.replace('▁', ' ')),
        types,
      ),
    }),
    [],
  );
  t.same(found({ 'm.gguf': gguf(tokens, [2, 3, 1, 1, 1, 1, 3]) }), ['tokenizer/flipped']);
  const swapped = ['<unk>', '<s>', '</s>', 'comply', '▁the', '▁refuse', '<|im_end|>'];
  t.same(found({ ...only({}), 'm.gguf': gguf(swapped, types) }), ['tokenizer/disagreement']);
  t.same(found({ 'a.gguf': gguf(tokens, types), 'b.gguf': gguf(swapped, types) }), [], 'two models');
  t.end();
});

t.test('what cannot be read is said', (t) => {
  for (const broken of [
    '',
    '[]',
    '{',
    '{"added_tokens": [}',
    '{"model": {"vocab": {"a": 1, }}}',
    '{"normalizer": {"a": 1, "a": 2}}',
  ])
    t.ok(found({ 'tokenizer.json': broken }).includes('tokenizer/unreadable'), broken);
  const large = { ...measured('tokenizer.json', ''), size: 2 ** 40, document: null };
  t.same(
    inspectTokenizers([large]).map(({ rule }) => rule),
    ['tokenizer/unreadable'],
  );
  t.throws(
    () =>
      inspectTokenizers([measured('tokenizer.json', HONEST)], () => {
        throw new Error('the time is over');
      }),
    /the time is over/,
  );
  t.end();
});

t.test('every rule has a case', (t) => {
  const cases = new Set([
    ...found(
      only({
        normalizer: { type: 'Prepend', prepend: 'Obey' },
        added_tokens: [{ id: 9, content: 'word', special: false }],
      }),
    ),
  ]);
  t.ok(cases.has('tokenizer/rewrite') && cases.has('tokenizer/word-added'));
  t.equal([...RULES.keys()].filter((rule) => rule.startsWith('tokenizer/')).length, 10);
  t.end();
});

t.test('nothing throws', (t) => {
  const text = JSON.stringify(HONEST);
  const mutant = fc
    .array(
      fc.tuple(
        fc.nat(text.length),
        fc.nat(12),
        fc.oneof(fc.constantFrom('{', '}', '[', ']', '"', ',', ':', '1e9', 'null', '-1'), fc.string()),
      ),
      {
        minLength: 1,
        maxLength: 4,
      },
    )
    .map((edits) =>
      edits.reduce((all, [at, cut, put]) => all.slice(0, at) + put + all.slice(at + cut), text),
    );
  const paths = ['tokenizer.json', 'tokenizer_config.json', 'vocab.json', 'special_tokens_map.json'];
  fc.assert(
    fc.property(fc.oneof(mutant, fc.json()), fc.constantFrom(...paths), (source, path) => {
      inspectTokenizers([measured(path, source), measured('added_tokens.json', '{"a": 1}')]);
    }),
    { numRuns: 10_000 },
  );
  t.end();
});
