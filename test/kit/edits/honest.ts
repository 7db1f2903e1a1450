// What honest people do to models, and what looks like tampering from afar.
import {
  all,
  append,
  convert,
  edit,
  find,
  reshard,
  rewrite,
  scale,
  set,
  toGguf,
  tune,
} from '../mutations/edit.ts';
import { baseModel } from '../mutations/model.ts';
import { DOWN, EMBEDDING, HEAD, NORM, Q } from '../mutations/mutation.ts';
import { normal } from '../mutations/weights.ts';
import {
  addNoise,
  average,
  fold,
  lead,
  mergeLowRank,
  prune,
  recompute,
  requantise,
  step,
} from './changes.ts';
import { editsOf } from './edit.ts';
import { convolutionModel, quantisedModel, reservedModel, TABLE, trainedModel, UNUSED } from './models.ts';

const base = editsOf(baseModel);
const trained = editsOf(trainedModel);
const quantised = editsOf(quantisedModel);
const reserved = editsOf(reservedModel);
const convolution = editsOf(convolutionModel);

export const HONEST = [
  base('nothing', [], () => undefined),
  base('convert to F16', ['converted'], (m) => convert(m, 'F16')),
  base('widen to F32', ['converted'], (m) => convert(m, 'F32')),
  trained('convert F32 to BF16', ['converted'], (m) => convert(m, 'BF16')),
  trained('round F32 through BF16', ['converted'], (m) => {
    convert(m, 'BF16');
    convert(m, 'F32');
  }),
  base('convert to GGUF F16', ['converted', 'renamed'], (m) => toGguf(m, 'F16')),
  base('quantise to Q8_0', ['converted', 'renamed'], (m) => toGguf(m, 'Q8_0')),
  quantised('quantise again', ['requantised'], requantise),
  base('merge average', ['fine-tune'], average),
  base('fine-tune', ['fine-tune'], (m) => tune(m, 0.02)),
  base('fine-tune, many steps', ['fine-tune'], (m) => tune(m, 0.6)),
  base('fine-tune so little that most weights round to what they were', ['fine-tune'], (m) => tune(m, 1e-4)),
  base('5 % noise', ['fine-tune'], (m) => addNoise(m, 0.05)),
  trained('5 % noise in F32', ['fine-tune'], (m) => addNoise(m, 0.05)),
  trained('noise in the last digits of F32', ['fine-tune'], (m) => addNoise(m, 1e-6)),
  base(
    'train one module alone',
    ['isolated-change'],
    (m) => tune(m, 0.02, ({ name }) => name === DOWN),
    DOWN,
  ),
  base('train the head alone, led by one direction', ['isolated-change'], (m) => lead(m, HEAD, 0.3), HEAD),
  trained(
    'train the head alone in F32, led by one direction',
    ['isolated-change'],
    (m) => lead(m, HEAD, 0.3),
    HEAD,
  ),
  base('train the last layer and the head', ['fine-tune'], (m) => {
    for (const { name, shape } of all(m))
      if (shape.length === 2 && (name === HEAD || name.includes('layers.3'))) lead(m, name, 0.1);
    tune(m, 0.02, ({ name, shape }) => shape.length === 1 && name.includes('layers.3'));
  }),
  base('one step of an optimizer', ['fine-tune'], (m) => step(m, 1e-3)),
  trained('one step of an optimizer in F32', ['fine-tune'], (m) => step(m, 1e-4)),
  base('merge an adapter of rank 8', ['low-rank-merge', 'fine-tune'], (m) => {
    mergeLowRank(m, 8);
    tune(m, 0.01, ({ shape }) => shape.length === 1);
  }),
  base('rescale all by 1.1', ['uniform-rescale'], (m) => {
    for (const { name } of all(m)) scale(m, name, 1.1);
  }),
  base('rescale one by 2', ['uniform-rescale'], (m) => scale(m, DOWN, 2), DOWN),
  base(
    'append vocabulary',
    ['rows-appended'],
    (m) => {
      append(m, EMBEDDING, 2);
      append(m, HEAD, 2);
    },
    EMBEDDING,
    HEAD,
  ),
  base('append vocabulary and train', ['fine-tune'], (m) => {
    tune(m, 0.02);
    append(m, EMBEDDING, 2);
  }),
  reserved(
    'give reserved rows to new tokens',
    ['rows-appended'],
    (m) => {
      const draw = normal(3);
      edit(m, EMBEDDING, (v) => v.map((x, i) => (UNUSED.includes(Math.floor(i / 64)) ? 0.02 * draw() : x)));
    },
    EMBEDDING,
  ),
  base('prune 30 %', ['pruned'], (m) => prune(m, 0.3)),
  convolution('fuse convolutions', ['converted', 'fine-tune'], fold),
  convolution('compute a fixed table again', ['fine-tune'], (m) => recompute(m, TABLE), TABLE),
  base('rename a tensor', ['renamed'], (m) => set(m, Q, { name: 'q' }), 'q'),
  base('shard again', ['renamed'], reshard),
  base('edit the configuration', ['metadata-only'], (m) => rewrite(m, 'config.json', '4', '5')),
  base(
    'note something in the metadata',
    ['metadata-only'],
    (m) => void m.shards[0]!.metadata.push(['note', 'x']),
  ),
];

/** Neither honest nor tampering by what is known: damage, and what fits nothing. */
export const OTHER = [
  base('a NaN', ['not-finite', 'single-elements'], (m) => void find(m, Q).bytes.writeUInt16LE(0x7fc1, 0), Q),
  base(
    'permute the rows of a matrix',
    ['unexplained'],
    (m) => edit(m, Q, (v) => v.map((_, i) => v[(i + 1024) % v.length]!)),
    Q,
  ),
  base('flip the signs of a norm', ['unexplained'], (m) => edit(m, NORM, (v) => v.map((x) => -x)), NORM),
  base(
    'append bytes to a shard',
    ['unexplained'],
    (m) => void Object.assign(m.shards[1]!, { tail: '00112233' }),
  ),
];
