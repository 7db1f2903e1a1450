// The same weights in another dtype or container, and what somebody does on the way.
import { ggufName } from '../../../src/scan/profile/gguf-name.ts';
import { convert, drop, edit, reshard, scale, toGguf, tune, widen } from './edit.ts';
import { DOWN, NORM, Q, rowsOf } from './mutation.ts';
import { normal } from './weights.ts';

const row = rowsOf('base', 'converted');
const lora = rowsOf('lora', 'converted');
const others = ({ name }: { name: string }): boolean => name !== Q;

export const CONVERTED = [
  row('convert to F16', 'pass', ['weights-repacked'], (m) => convert(m, 'F16')),
  row('widen to F32', 'pass', ['weights-repacked'], (m) => convert(m, 'F32')),
  row('convert to GGUF F16', 'pass', ['file-missing', 'weights-repacked'], (m) => toGguf(m, 'F16')),
  row('quantise to Q8_0', 'pass', ['file-missing', 'weights-repacked'], (m) => toGguf(m, 'Q8_0')),
  row('shard again', 'pass', ['weights-repacked'], reshard),
  lora('convert to BF16', 'pass', ['weights-repacked'], (m) => convert(m, 'BF16')),
  lora('convert to F16', 'pass', ['weights-repacked'], (m) => convert(m, 'F16')),
  row(
    'edit a matrix while converting',
    'fail',
    ['tensor-strayed', 'weights-repacked'],
    (m) => {
      edit(m, DOWN, (v) => v.map((x, i) => (i < 1024 ? x * 1.5 : x)));
      convert(m, 'F16');
    },
    DOWN,
  ),
  row(
    'drop signs while quantising',
    'fail',
    ['tensor-strayed', 'file-missing', 'weights-repacked'],
    (m) => {
      edit(m, DOWN, (v) => v.map((x, i) => (i % 2 === 0 ? Math.abs(x) : x)));
      toGguf(m, 'Q8_0');
    },
    ggufName(DOWN),
  ),
  row(
    'scale a tensor while quantising',
    'fail',
    ['tensor-strayed', 'file-missing', 'weights-repacked'],
    (m) => {
      scale(m, Q, 1.05);
      toGguf(m, 'Q8_0');
    },
    ggufName(Q),
  ),
  row(
    'drop a norm while converting',
    'fail',
    ['tensor-missing', 'file-missing', 'weights-repacked'],
    (m) => {
      toGguf(m, 'F16');
      drop(m, (name) => name !== ggufName(NORM));
    },
    NORM,
  ),
  row(
    'exchange a tensor while converting',
    'fail',
    ['tensor-strayed', 'weights-repacked'],
    (m) => {
      edit(m, Q, (v) => v.map(normal(99)).map((x) => x * 0.02));
      convert(m, 'F16');
    },
    Q,
  ),
  row(
    'payload in the low bits of widened values',
    'fail',
    ['low-bits', 'tensor-strayed', 'weights-repacked'],
    (m) => widen(m, DOWN, (word, i) => word | (Math.imul(i, 2654435761) & 0xffff)),
    DOWN,
  ),
  row(
    'one low bit of a widened value',
    'fail',
    ['low-bits', 'weights-repacked'],
    (m) => widen(m, DOWN, (word, i) => (i === 400 ? word | 1 : word)),
    DOWN,
  ),
  row(
    'change a tensor that is not converted',
    'fail',
    ['tensor-changed', 'weights-repacked'],
    (m) => {
      convert(m, 'F16', others);
      tune(m, 0.02, (tensor) => !others(tensor));
    },
    Q,
  ),
];
