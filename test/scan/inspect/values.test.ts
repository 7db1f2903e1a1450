// Values that are damage: matrices of nothing, scales that are no numbers, groups that lack a member, indexes out of range; and
// the honest tensors that look like these.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { scan } from '../../../src/index.ts';
import { f32, filled, i32, safetensors, type Tensor } from '../../kit/specimen/weights.ts';

const codes = (...shape: number[]): Tensor =>
  i32(
    Array.from({ length: shape[0]! * shape[1]! }, (_, i) => i),
    ...shape,
  );
const fp8 = (...shape: number[]): Tensor => ['F8_E4M3', shape, Buffer.alloc(shape[0]! * shape[1]!, 0x21)];

async function told(t: { testdir(): string }, tensors: Record<string, Tensor>, config?: object) {
  const folder = t.testdir();
  writeFileSync(join(folder, 'model.safetensors'), safetensors(tensors));
  if (config !== undefined) writeFileSync(join(folder, 'config.json'), JSON.stringify(config));
  const { findings } = await scan(folder);
  return findings
    .filter(({ severity }) => severity !== 'info')
    .map(({ rule, severity }) => `${rule} ${severity}`);
}

const layers = (count: number, make: (i: number) => Record<string, Tensor>): Record<string, Tensor> =>
  Object.assign({}, ...Array.from({ length: count }, (_, i) => make(i)));
const Q = (i: number) => `model.layers.${i}.self_attn.q_proj`;

t.test('matrices of one value', async (t) => {
  const model = (odd: Tensor, name = `${Q(3)}.weight`) => ({
    ...layers(12, (i) => ({ [`${Q(i)}.weight`]: f32(8, 8) })),
    [name]: odd,
  });
  t.same(await told(t, model(filled(0, 8, 8))), ['stats/zero medium']);
  t.same(await told(t, model(filled(0.5, 8, 8))), ['stats/zero medium']);
  t.same(await told(t, model(filled(0, 8, 8), 'lm_head.weight')), ['stats/zero high']);
  t.same(
    await told(
      t,
      layers(4, (i) => ({ [`${Q(i)}.weight`]: i < 2 ? filled(0, 8, 8) : f32(8, 8) })),
    ),
    ['stats/zero high', 'stats/zero high'],
  );
  t.same(await told(t, model(filled(Number.NaN, 8, 8))), ['stats/nan high']);
  for (const name of [
    'x.bias',

    'attn.causal_mask',
    'embeddings.token_type_embeddings.weight',
    'x.norm.weight',
    'x.zero_point',
  ])
    t.same(await told(t, model(filled(0, 8, 8), name)), [], name);
  t.same(await told(t, model(filled(0, 64), 'x.weight')), [], 'one dimension');
  t.same(await told(t, model(filled(0, 1, 64), 'x.weight')), [], 'one row');
});

t.test('scales by their role', async (t) => {
  const bad = (name: string) => ({
    'a.weight': f32(8, 8),
    [name]: ['F32', [2], Buffer.from(Float32Array.of(Number.NaN, 1).buffer)] as Tensor,
  });
  for (const name of ['a.weight_scale_inv', 'a.input_scale', 'a.k_scale', 'a.weight_scale_2'])
    t.match(await told(t, { ...bad(name), 'a.weight_scale': f32(2) }), ['stats/scale high'], name);
  t.same(await told(t, bad('a.other')), ['stats/nan medium']);
});

t.test('groups', async (t) => {
  const gptq = (i: number, without = '') =>
    Object.fromEntries(
      Object.entries({
        [`${Q(i)}.qweight`]: codes(4, 8),
        [`${Q(i)}.qzeros`]: codes(2, 1),
        [`${Q(i)}.scales`]: f32(2, 8),
      }).filter(([name]) => !name.endsWith(`.${without}`)),
    );
  t.same(
    await told(
      t,
      layers(4, (i) => gptq(i)),
    ),
    [],
  );
  t.same(
    await told(
      t,
      layers(4, (i) => gptq(i, i === 2 ? 'qweight' : '')),
    ),
    ['stats/group medium'],
  );
  t.same(
    await told(
      t,
      layers(4, (i) => gptq(i, i === 2 ? 'scales' : '')),
    ),
    ['stats/group high'],
  );
  t.same(
    await told(
      t,
      layers(4, (i) => gptq(i, i === 2 ? 'qzeros' : '')),
    ),
    ['stats/group medium'],
    'what the others have',
  );
  t.same(
    await told(
      t,
      layers(4, (i) => gptq(i, 'qzeros')),
    ),
    [],
    'none has it',
  );
  const scaled = (i: number) => ({
    [`${Q(i)}.weight`]: fp8(8, 8),
    ...(i === 2 ? {} : { [`${Q(i)}.weight_scale`]: f32(1) }),
  });
  t.same(await told(t, layers(5, scaled)), ['stats/group high']);
  t.same(
    await told(
      t,
      layers(5, (i) => ({ [`${Q(i)}.weight`]: fp8(8, 8) })),
    ),
    [],
    'a plain cast to fp8',
  );
  t.same(await told(t, { 'a.weight': fp8(8, 8) }, { quantization_config: { quant_method: 'fp8' } }), [
    'stats/group high',
  ]);
  const mixed = layers(5, (i) =>
    i === 0
      ? { [`${Q(i)}.weight`]: f32(8, 8) }
      : { [`${Q(i)}.weight`]: fp8(8, 8), [`${Q(i)}.weight_scale`]: f32(1) },
  );
  t.same(await told(t, mixed), [], 'a layer that was left in full precision');
  t.same(await told(t, { 'experts.up_proj_blocks': ['U8', [2, 16], Buffer.alloc(32, 1)] }), [
    'stats/group high',
  ]);
});

t.test('indexes', async (t) => {
  const model = (values: number[]) => ({
    'a.qweight': codes(4, 8),
    'a.qzeros': codes(2, 1),
    'a.scales': f32(2, 8),
    'a.g_idx': i32(values),
  });
  t.same(await told(t, model([0, 0, 1, 1])), []);
  t.same(await told(t, model([0, 0, 1, 2])), ['stats/index high']);
  t.same(await told(t, model([0, -1, 1, 1])), ['stats/index high']);
  t.same(await told(t, { 'a.weight': f32(8, 8), 'embeddings.position_ids': i32([0, 1, 2, 3]) }), []);
  t.same(await told(t, { 'a.weight': f32(8, 8), 'a.q_perm': i32([0, 1, 9, 3]) }), ['stats/index high']);
});

t.test('nothing', async (t) => {
  const empty: Tensor = ['BF16', [0], Buffer.alloc(0)];
  t.same(
    await told(t, { ...layers(4, (i) => ({ [`${Q(i)}.weight`]: empty })), 'lm_head.weight': f32(8, 8) }),
    ['tensor/empty medium'],
  );
  t.same(await told(t, {}), ['tensor/empty medium']);
  t.same(await told(t, { scaled_fp8: ['F8_E4M3', [0], Buffer.alloc(0)], 'a.weight': f32(8, 8) }), []);
});
