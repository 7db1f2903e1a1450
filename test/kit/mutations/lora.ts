// A real adapter.
import { convert, drop, find, rewrite, scale, swap, tune } from './edit.ts';
import type { Model } from './model.ts';
import { rowsOf } from './mutation.ts';

const exact = rowsOf('lora', 'exact');
const derived = rowsOf('lora', 'derived');
const A = 'base_model.model.transformer.h.0.attn.c_attn.lora_A.weight';
const A_TOO = 'base_model.model.transformer.h.1.attn.c_attn.lora_A.weight';
const B = 'base_model.model.transformer.h.0.attn.c_attn.lora_B.weight';
const CONFIG = 'adapter_config.json';
const HEAD = 'base_model.model.lm_head.weight';
const raiseAlpha = (m: Model): void => rewrite(m, CONFIG, '"lora_alpha": 16', '"lora_alpha": 64');

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
  exact('drop a B', 'fail', ['tensor-missing'], (m) => drop(m, (name) => name !== B), B),
  exact('change r', 'fail', ['config-changed'], (m) => rewrite(m, CONFIG, '"r": 8', '"r": 4')),
  exact('turn rsLoRA on', 'fail', ['config-changed'], (m) =>
    rewrite(m, CONFIG, '"r": 8', '"r": 8, "use_rslora": true'),
  ),
  exact('scale one module by alpha_pattern', 'fail', ['config-changed'], (m) =>
    rewrite(m, CONFIG, '"r": 8', '"r": 8, "alpha_pattern": {"h.0.attn.c_attn": 1600}'),
  ),
  exact('select more modules', 'fail', ['config-changed'], (m) =>
    rewrite(m, CONFIG, '"c_attn",', '"c_attn", "c_fc",'),
  ),
  exact(
    'factor an update otherwise: 2B, A/2',
    'fail',
    ['tensor-changed'],
    (m) => {
      scale(m, B, 2);
      scale(m, A, 0.5);
    },
    A,
    B,
  ),
  exact('swap the factors A of two layers', 'fail', ['tensor-swapped'], (m) => swap(m, A, A_TOO), A, A_TOO),
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
