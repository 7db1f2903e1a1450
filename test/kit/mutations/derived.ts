// A fine-tune, and what somebody does under that name.
import {
  add,
  append,
  convert,
  drop,
  edit,
  find,
  rankOne,
  redirect,
  reshard,
  rewrite,
  scale,
  swap,
  tune,
  write,
} from './edit.ts';
import { LAYERS, type Model, TEMPLATE } from './model.ts';
import { DOWN, EMBEDDING, HEAD, O, O_TOO, Q, rowsOf } from './mutation.ts';

const row = rowsOf('base', 'derived');
/** An honest fine-tune, and then something else. */
const tuned =
  (then: (model: Model) => void = () => undefined) =>
  (model: Model) => {
    tune(model, 0.02);
    then(model);
  };

export const DERIVED = [
  row('fine-tune', 'pass', ['tensor-changed'], tuned()),
  row('fine-tune hard', 'pass', ['tensor-changed', 'tensor-shifted'], (m) => tune(m, 0.6)),
  row(
    'fine-tune and save as F16',
    'pass',
    ['tensor-retyped'],
    tuned((m) => convert(m, 'F16')),
  ),
  row(
    'fine-tune and shard again',
    'pass',
    ['tensor-changed', 'tensor-moved', 'weights-repacked'],
    tuned(reshard),
  ),
  row(
    'fine-tune with new tokens',
    'pass',
    ['tensor-changed', 'rows-appended', 'tokenizer-changed'],
    tuned((m) => {
      append(m, EMBEDDING, 2);
      append(m, HEAD, 2);
      rewrite(m, 'tokenizer.json', '}', ',"added":2}');
    }),
    EMBEDDING,
    HEAD,
  ),
  row(
    'fine-tune with another chat template',
    'fail',
    ['tensor-changed', 'template-changed', 'tokenizer-changed'],
    tuned((m) => rewrite(m, 'tokenizer_config.json', TEMPLATE, `${TEMPLATE}!`)),
  ),
  row(
    'fine-tune with code',
    'fail',
    ['tensor-changed', 'code-changed'],
    tuned((m) => write(m, 'modeling.py', 'import os\n')),
  ),
  row(
    'poison an embedding row at its norm',
    'fail',
    ['rows-edited', 'isolated-edit'],
    (m) => redirect(m, EMBEDDING, 17),
    EMBEDDING,
  ),
  row(
    'poison three rows during a fine-tune',
    'fail',
    ['tensor-changed', 'rows-edited'],
    (m) => {
      tune(m, 0.02, ({ name }) => name !== EMBEDDING);
      redirect(m, EMBEDDING, 3, 40, 77);
    },
    EMBEDDING,
  ),
  row(
    'edit one matrix by rank one',
    'fail',
    ['rank-one-edit', 'isolated-edit'],
    (m) => rankOne(m, DOWN, 3e-3),
    DOWN,
  ),
  row(
    'fine-tune one matrix',
    'pass',
    ['tensor-changed', 'isolated-edit'],
    (m) => tune(m, 1e-2, ({ name }) => name === DOWN),
    DOWN,
  ),
  row(
    'multiply a tensor by 100',
    'pass',
    ['tensor-changed', 'tensor-damaged'],
    tuned((m) => scale(m, DOWN, 100)),
    DOWN,
  ),
  row(
    'prune a third of a tensor',
    'pass',
    ['tensor-changed', 'tensor-shifted'],
    tuned((m) => edit(m, DOWN, (v) => v.map((x, i) => (i % 3 === 0 ? 0 : x)))),
    DOWN,
  ),
  row(
    'put a NaN in',
    'fail',
    ['tensor-changed', 'not-finite'],
    tuned((m) => void find(m, Q).bytes.writeUInt16LE(0x7fc1, 0)),
    Q,
  ),
  row(
    'drop a layer',
    'fail',
    ['tensor-changed', 'tensor-missing'],
    tuned((m) => drop(m, (name) => !name.startsWith(`model.layers.${LAYERS - 1}.`))),
    DOWN,
  ),
  row(
    'slip a tensor in',
    'fail',
    ['tensor-changed', 'tensor-added'],
    tuned((m) => add(m, 'model.router.weight', Q)),
    'model.router.weight',
  ),
  row('swap two layers', 'fail', ['tensor-swapped', 'isolated-edit'], (m) => swap(m, O, O_TOO), O, O_TOO),
];
