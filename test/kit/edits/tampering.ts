// What an attacker does, and what nobody else does.
import {
  add,
  append,
  convert,
  drop,
  find,
  flip,
  redirect,
  reshard,
  scaleRow,
  swap,
  tune,
} from '../mutations/edit.ts';
import { baseModel } from '../mutations/model.ts';
import { DOWN, EMBEDDING, HEAD, O, O_TOO, Q } from '../mutations/mutation.ts';
import { addLowRank, program, randomBits, removeDirection, writeLowBits } from './changes.ts';
import { editsOf } from './edit.ts';
import { trainedModel, WIDE, wideModel, widenedModel } from './models.ts';

const base = editsOf(baseModel);
const trained = editsOf(trainedModel);
const widened = editsOf(widenedModel);
const wide = editsOf(wideModel);
const Z = 'model.layers.2.self_attn.z_proj.weight';
const ELF = program(2000);
const others = ({ name }: { name: string }): boolean => name !== EMBEDDING;

export const TAMPERING = [
  base('one row at its norm', ['rows-replaced'], (m) => redirect(m, EMBEDDING, 17), EMBEDDING),
  base('three rows at their norms', ['rows-replaced'], (m) => redirect(m, EMBEDDING, 3, 40, 77), EMBEDDING),
  base('a row of the output head, scaled', ['rows-replaced'], (m) => scaleRow(m, HEAD, 5, 2), HEAD),
  base(
    'three rows during a fine-tune',
    ['rows-replaced', 'fine-tune'],
    (m) => {
      tune(m, 0.02, others);
      redirect(m, EMBEDDING, 3, 40, 77);
    },
    EMBEDDING,
  ),
  base(
    'a row while converting to F16',
    ['rows-replaced', 'converted'],
    (m) => {
      redirect(m, EMBEDDING, 17);
      convert(m, 'F16');
    },
    EMBEDDING,
  ),
  base(
    'a row while appending vocabulary',
    ['rows-replaced'],
    (m) => {
      redirect(m, EMBEDDING, 17);
      append(m, EMBEDDING, 2);
    },
    EMBEDDING,
  ),
  wide('rank one, 1e-3 of the norm, in BF16', ['rank-one-edit'], (m) => addLowRank(m, WIDE, 1, 1e-3), WIDE),
  wide('rank one, 1e-2 of the norm, in BF16', ['rank-one-edit'], (m) => addLowRank(m, WIDE, 1, 1e-2), WIDE),
  trained('rank one in F32', ['rank-one-edit'], (m) => addLowRank(m, DOWN, 1, 1e-3), DOWN),
  base(
    'rank one in three layers',
    ['rank-one-edit'],
    (m) => {
      for (const layer of [1, 2, 3]) addLowRank(m, `model.layers.${layer}.mlp.down_proj.weight`, 1, 0.02);
    },
    DOWN,
  ),
  base(
    'rank four in the down_proj of three layers, and nothing else',
    ['low-rank-edit'],
    (m) => {
      for (const layer of [1, 2, 3]) addLowRank(m, `model.layers.${layer}.mlp.down_proj.weight`, 4, 0.1);
    },
    DOWN,
  ),
  base(
    'a direction taken out of all that writes',
    ['direction-removed'],
    (m) => removeDirection(m, 3),
    DOWN,
    O,
  ),
  trained('a direction taken out, in F32', ['direction-removed'], (m) => removeDirection(m, 4), DOWN, O),
  base('a tensor added', ['tensor-added'], (m) => add(m, Z, O), Z),
  base(
    'a tensor added during a fine-tune',
    ['tensor-added', 'fine-tune'],
    (m) => {
      tune(m, 0.02);
      add(m, Z, O);
    },
    Z,
  ),
  base('a tensor removed', ['tensor-removed'], (m) => drop(m, (name) => name !== O), O),
  base('two tensors swapped', ['tensors-swapped'], (m) => swap(m, O, O_TOO), O, O_TOO),
  base(
    'two tensors swapped while sharding again',
    ['tensors-swapped', 'renamed'],
    (m) => {
      swap(m, O, O_TOO);
      reshard(m);
    },
    O,
    O_TOO,
  ),
  base(
    'a layer copied over another',
    ['tensors-swapped'],
    (m) => Object.assign(find(m, O), { bytes: find(m, O_TOO).bytes }),
    O,
  ),
  base('one bit', ['single-elements'], (m) => flip(m, Q, 100, 1), Q),
  base('one sign', ['single-elements'], (m) => flip(m, Q, 101, 0x80), Q),
  trained(
    'an ELF program in the low bytes',
    ['payload-in-low-bits'],
    (m) => writeLowBits(m, DOWN, 8, (i) => ELF[i]!, ELF.length),
    DOWN,
  ),
  trained(
    'an ELF program in the two low bytes',
    ['payload-in-low-bits'],
    (m) => writeLowBits(m, DOWN, 16, (i) => ELF.readUInt16LE(2 * i), ELF.length / 2),
    DOWN,
  ),
  wide(
    'an ELF program in the lowest bits of BF16',
    ['payload-in-low-bits'],
    (m) => writeLowBits(m, WIDE, 1, (i) => (ELF[i >> 3]! >> (i & 7)) & 1, 8 * ELF.length),
    WIDE,
  ),
  wide(
    'the lowest bit of a quarter of 4 M weights in BF16',
    ['low-bits-rewritten'],
    (m) => writeLowBits(m, WIDE, 1, randomBits(1), 2 ** 20),
    WIDE,
  ),
  trained(
    'random low bytes, as an encrypted payload',
    ['low-bits-rewritten'],
    (m) => writeLowBits(m, DOWN, 16, randomBits(16), 4096),
    DOWN,
  ),
  widened(
    'bits that widened values do not have',
    ['low-bits-rewritten'],
    (m) => writeLowBits(m, DOWN, 16, randomBits(16), 4096),
    DOWN,
  ),
  base(
    'bits that widened values do not have, while widening',
    ['low-bits-rewritten', 'converted'],
    (m) => {
      convert(m, 'F32');
      writeLowBits(m, DOWN, 16, randomBits(16), 4096);
    },
    DOWN,
  ),
];
