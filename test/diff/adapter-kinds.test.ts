// Updates of every kind and spelling, taken apart as one product, against the dense matrix that the definition makes.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Matrix, SVD } from 'ml-matrix';
import t from 'tap';
import { buildFile } from '../../fixtures/build.ts';
import { diff } from '../../src/index.ts';
import { drawn } from '../kit/specimen/adapter-specimen.ts';
import { type Written, writeTensors } from '../kit/written.ts';

const f32 = (name: string, matrix: Matrix, shape?: number[]): Written => ({
  name,
  dtype: 'F32',
  shape: shape ?? [matrix.rows, matrix.columns],
  bytes: Buffer.from(Float32Array.from(matrix.to1DArray()).buffer),
});

const M = 'lycoris_layers_3_to_q';
const [OUT, IN] = [24, 18];

interface Kind {
  readonly tensors: readonly Written[];
  readonly update: Matrix;
  readonly config?: object;
}

function kinds(seed: number): Record<string, Kind> {
  const draw = (rows: number, columns: number, k: number) => drawn(rows, columns, 100 * seed + k);
  const [a, b] = [draw(4, IN, 1), draw(OUT, 4, 2)];
  const [w1a, w1b, w2a, w2b] = [draw(OUT, 3, 3), draw(3, IN, 4), draw(OUT, 3, 5), draw(3, IN, 6)];
  const [k1, k2a, k2b] = [draw(4, 3, 7), draw(6, 2, 8), draw(2, 6, 9)];
  const mid = draw(4, 4 * 9, 10);
  const tucker = new Matrix(OUT, IN * 9);
  for (let o = 0; o < OUT; o++)
    for (let i = 0; i < IN; i++)
      for (let k = 0; k < 9; k++)
        for (let p = 0; p < 4; p++)
          for (let q = 0; q < 4; q++)
            tucker.set(
              o,
              i * 9 + k,
              tucker.get(o, i * 9 + k) + b.get(o, p) * mid.get(p, q * 9 + k) * a.get(q, i),
            );
  const e = draw(4, 1, 11);
  const alpha = f32(`${M}.alpha`, new Matrix([[6]]), []);
  const P = 'base_model.model.layers.3.to_q';
  return {
    kohya: {
      tensors: [f32(`${M}.lora_down.weight`, a), f32(`${M}.lora_up.weight`, b), alpha],
      update: b.mmul(a).mul(6 / 4),
    },
    mlx: {
      tensors: [f32('layers.3.to_q.lora_a', a.transpose()), f32('layers.3.to_q.lora_b', b.transpose())],
      update: b.mmul(a).mul(20),
      config: { fine_tune_type: 'lora', lora_parameters: { rank: 4, scale: 20 } },
    },
    tucker: {
      tensors: [
        f32(`${M}.lora_down.weight`, a, [4, IN, 1, 1]),
        f32(`${M}.lora_mid.weight`, mid, [4, 4, 3, 3]),
        f32(`${M}.lora_up.weight`, b, [OUT, 4, 1, 1]),
      ],
      update: tucker,
    },
    loha: {
      tensors: [
        f32(`${M}.hada_w1_a`, w1a),
        f32(`${M}.hada_w1_b`, w1b),
        f32(`${M}.hada_w2_a`, w2a),
        f32(`${M}.hada_w2_b`, w2b),
        alpha,
      ],
      update: Matrix.mul(w1a.mmul(w1b), w2a.mmul(w2b)).mul(6 / 3),
    },
    lokr: {
      tensors: [f32(`${M}.lokr_w1`, k1), f32(`${M}.lokr_w2_a`, k2a), f32(`${M}.lokr_w2_b`, k2b), alpha],
      update: k1.kroneckerProduct(k2a.mmul(k2b)).mul(6 / 2),
    },
    adalora: {
      tensors: [f32(`${P}.lora_A`, a), f32(`${P}.lora_B`, b), f32(`${P}.lora_E`, e)],
      update: b
        .mmul(Matrix.diag(e.to1DArray()))
        .mmul(a)
        .mul(8 / 4),
      config: {
        peft_type: 'ADALORA',
        r: 4,
        lora_alpha: 8,
        target_modules: ['to_q'],
        base_model_name_or_path: 'x',
      },
    },
  };
}

t.test('every kind is the dense update, alone and beside another', async (t) => {
  for (const kind of Object.keys(kinds(1))) {
    const folder = t.testdir({ good: {}, suspect: {} });
    const pair = [1, 2].map((seed) => kinds(seed)[kind]!) as [Kind, Kind];
    for (const [side, { tensors, config }] of [
      ['good', pair[0]],
      ['suspect', pair[1]],
    ] as const) {
      const file = config === undefined || kind === 'adalora' ? 'adapter_model' : 'adapters';
      writeTensors(join(folder, side, `${file}.safetensors`), tensors);
      if (config !== undefined)
        writeFileSync(join(folder, side, 'adapter_config.json'), JSON.stringify(config));
    }
    const { adapter } = await diff(join(folder, 'good'), join(folder, 'suspect'));
    const [module] = adapter!.modules;
    t.equal(module!.reason, null, kind);
    const dense = (matrix: Matrix): number[] => new SVD(matrix, { autoTranspose: true }).diagonal;
    for (const [found, wanted] of [
      [module!.good!.singularValues, dense(pair[0].update)],
      [module!.suspect!.singularValues, dense(pair[1].update)],
      [module!.pair!.singularValues, dense(Matrix.sub(pair[1].update, pair[0].update))],
    ] as const) {
      const off = Math.max(...wanted.map((value, k) => Math.abs(value - (found[k] ?? 0))));
      t.ok(off < 1e-9 * wanted[0]!, `${kind}: off by ${off / wanted[0]!}`);
    }
  }
});

t.test('factors in Q8_0 and F64, ranks above 256, and none above 1,024', async (t) => {
  const folder = t.testdir({});
  const gguf = (name: string, dtype: string): string => {
    const path = join(folder, `${name}.gguf`);
    const metadata = [
      { key: 'general.type', type: 'string', value: 'adapter' },
      { key: 'general.architecture', type: 'string', value: 'llama' },
      { key: 'adapter.type', type: 'string', value: 'lora' },
      { key: 'adapter.lora.alpha', type: 'f32', value: 32 },
    ];
    const tensors = [
      { name: 'blk.0.attn_q.weight.lora_a', dtype, shape: [32, 64] },
      { name: 'blk.0.attn_q.weight.lora_b', dtype, shape: [64, 32] },
    ];
    writeFileSync(path, buildFile({ build: { format: 'gguf', metadata, tensors } }));
    return path;
  };
  const { adapter } = await diff(gguf('one', 'Q8_0'), gguf('other', 'F64'));
  t.equal(adapter!.modules[0]!.reason, null);
  t.ok(adapter!.modules[0]!.good!.norm > 0 && adapter!.modules[0]!.suspect!.norm > 0);

  const high = (name: string, rank: number, seed: number): string =>
    writeTensors(join(folder, `${name}.safetensors`), [
      f32('x.lora_A.weight', drawn(rank, 310, seed)),
      f32('x.lora_B.weight', drawn(305, rank, seed + 1)),
    ]);
  const { adapter: large } = await diff(high('a', 260, 1), high('b', 1100, 3));
  t.match(large!.modules[0], { reason: 'rank 1100 is above 1024', good: { rank: 260 } });
});

t.test('a scale that stands in a header too long to be kept is not taken for 1', async (t) => {
  const folder = t.testdir({});
  const made = (name: string, words: string, seed: number, alpha?: number): string =>
    writeTensors(
      join(folder, `${name}.safetensors`),
      [
        f32('transformer.x.lora_A.weight', drawn(4, IN, seed)),
        f32('transformer.x.lora_B.weight', drawn(OUT, 4, seed + 1)),
        ...(alpha === undefined ? [] : [f32('transformer.x.alpha', new Matrix([[alpha]]), [])]),
      ],
      {
        lora_adapter_metadata: JSON.stringify({
          'transformer.r': 4,
          'transformer.lora_alpha': 8,
          more: words,
        }),
      },
    );
  const short = made('short', '', 1);
  const compared = await diff(short, made('other', '', 3));
  t.match(compared.adapter, {
    suspect: { scaling: 'alpha/r' },
    modules: [{ reason: null, suspect: { scale: 2 } }],
  });
  const long = made('long', 'x'.repeat(300), 3);
  for (const [good, suspect] of [
    [short, long],
    [long, short],
  ] as const) {
    const { adapter } = await diff(good, suspect);
    t.match(adapter!.modules, [{ pair: null, reason: /scale is in lora_adapter_metadata of the header/ }]);
    const { good: before, suspect: after } = adapter!;
    t.same(
      [before.scaling, after.scaling],
      suspect === long ? ['alpha/r', 'unknown'] : ['unknown', 'alpha/r'],
    );
  }
  const own = await diff(short, made('own', 'x'.repeat(300), 3, 8));
  t.match(own.adapter!.modules, [{ reason: null, suspect: { scale: 2 } }], 'an alpha of its own is known');
});

t.test('time ends a comparison, and a process reads each file where it is asked to', async (t) => {
  const folder = t.testdir({});
  const [one, other] = [1, 2].map((seed) =>
    writeTensors(join(folder, `${seed}.safetensors`), kinds(seed).kohya!.tensors),
  ) as [string, string];
  await t.rejects(diff(one, other, { timeout: 1e-3 }), { code: 'LIMIT' });
  await t.rejects(diff(one, other, { timeout: -1 }), { code: 'USAGE' });
  const [plain, apart] = [await diff(one, other), await diff(one, other, { isolate: 'process' })];
  t.same(apart, plain);
});
