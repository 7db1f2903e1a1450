// A real adapter.
import { convert, find, rewrite, scale, tune } from './edit.ts';
import type { Model } from './model.ts';
import { rowsOf } from './mutation.ts';

const exact = rowsOf('lora', 'exact');
const derived = rowsOf('lora', 'derived');
const A = 'base_model.model.transformer.h.0.attn.c_attn.lora_A.weight';
const B = 'base_model.model.transformer.h.0.attn.c_attn.lora_B.weight';
const HEAD = 'base_model.model.lm_head.weight';
const raiseAlpha = (m: Model): void =>
  rewrite(m, 'adapter_config.json', '"lora_alpha": 16', '"lora_alpha": 64');

export const LORA = [
  exact('nothing', 'pass', [], () => undefined),
  exact('change lora_alpha', 'fail', ['config-changed'], raiseAlpha),
  exact('scale one B', 'fail', ['tensor-changed'], (m) => scale(m, B, 1.01), B),
  exact(
    'smuggle a full-rank tensor in',
    'fail',
    ['tensor-added'],
    (m) =>
      void m.shards[0]!.tensors.push({
        name: HEAD,
        dtype: 'F32',
        shape: [16, 16],
        bytes: Buffer.alloc(1024, 63),
      }),
    HEAD,
  ),
  exact('convert to BF16', 'fail', ['tensor-retyped'], (m) => convert(m, 'BF16'), A),
  derived('train further', 'pass', ['tensor-changed'], (m) => tune(m, 0.02), A, B),
  derived('change lora_alpha', 'pass', ['config-changed'], raiseAlpha),
  derived(
    'double the rank of a module',
    'fail',
    ['tensor-reshaped', 'rows-appended'],
    (m) => {
      const [a, b] = [find(m, A), find(m, B)];
      for (const one of [a, b]) one.bytes = Buffer.concat([one.bytes, one.bytes]);
      a.shape[0]! *= 2;
      b.shape[1]! *= 2;
    },
    A,
    B,
  ),
];
