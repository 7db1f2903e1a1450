// Updates taken apart without forming them, against dense matrices; and two adapters against each other.
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { Matrix, SVD } from 'ml-matrix';
import t, { type Test } from 'tap';
import decompose, { type Factors } from '../../src/diff/adapter/worker.ts';
import { diff } from '../../src/index.ts';
import { dtypeByName } from '../../src/scan/dtype.ts';
import type { Dtype } from '../kit/mutations/weights.ts';
import {
  bytesOf,
  denseKurtosis,
  denseVectors,
  drawn,
  product,
  rounded,
  type Specimen,
  writeAdapter,
} from '../kit/specimen/adapter-specimen.ts';

type Pair = Pick<Specimen, 'a' | 'b'>;

const factors = ({ a, b }: Pair, scale: number, dtype: Dtype = 'F32'): Factors => {
  const code = dtypeByName(dtype)!.code;
  return {
    a: bytesOf(a, dtype),
    b: bytesOf(b, dtype),
    dtypes: [code, code],
    rank: a.rows,
    shape: [b.rows, a.columns],
    flat: false,
    bByRank: false,
    scale,
  };
};

const update = (out: number, inner: number, rank: number, seed: number): Pair => ({
  a: drawn(rank, inner, seed),
  b: drawn(out, rank, seed + 1000),
});

/** The largest difference, relative to the dense one of each. */
const worst = (found: readonly number[], dense: readonly number[]): number =>
  Math.max(...dense.map((value, i) => Math.abs(found[i]! - value) / value));

const near = (t: Test, found: number | null, dense: number, what: string, limit = 1e-10): void => {
  const error = Math.abs(found! - dense) / Math.max(Math.abs(dense), 1e-3);
  t.ok(found !== null && error < limit, `${what}: ${found}, dense ${dense}`);
};

t.test('one update is what a dense SVD says', async (t) => {
  const cases: [number, number, number][] = [
    [24, 17, 4],
    [17, 24, 8],
    [5, 300, 5],
    [300, 5, 1],
    [64, 64, 48], // more tuples of columns than entries: these are streamed
    [9, 9, 9],
  ];
  for (const [out, inner, rank] of cases) {
    const one = update(out, inner, rank, out);
    const { suspect } = decompose({ good: null, suspect: factors(one, -2.5) });
    const dense = product(one, -2.5);
    const { values } = denseVectors(dense, rank);
    const what = `[${out}, ${inner}] rank ${rank}`;
    t.ok(worst(suspect!.singularValues, values) < 1e-10, `${what}: singular values`);
    near(t, suspect!.norm, dense.norm(), `${what}: norm`);
    near(t, suspect!.kurtosis, denseKurtosis(dense), `${what}: kurtosis`);
    const total = values.reduce((sum, x) => sum + x, 0);
    const entropy = -values.reduce((sum, x) => sum + (x / total) * Math.log(x / total), 0);
    if (rank > 1) near(t, suspect!.entropy, entropy / Math.log(rank), `${what}: entropy`);
    near(t, suspect!.effectiveRank, Math.exp(entropy), `${what}: effective rank`);
    near(t, suspect!.energy, values[0]! ** 2 / dense.norm() ** 2, `${what}: energy`);
    near(t, suspect!.participation, total ** 2 / dense.norm() ** 2, `${what}: participation`);
  }
});

t.test('a tail of a millionth of the largest singular value keeps ten digits', async (t) => {
  const rank = 6;
  // Columns of ones and minus ones that are orthogonal: singular values are exact powers, known without any SVD.
  const sign = (i: number, k: number): number => 1 - 2 * (popcount(i & k) % 2);
  const b = Matrix.from1DArray(
    64,
    rank,
    Array.from({ length: 64 * rank }, (_, i) => sign(Math.floor(i / rank), i % rank)),
  );
  const sizes = [1, 2 ** -5, 2 ** -10, 2 ** -15, 2 ** -19, 2 ** -20];
  const a = Matrix.from1DArray(
    rank,
    32,
    Array.from(
      { length: rank * 32 },
      (_, i) => sign(i % 32, Math.floor(i / 32)) * sizes[Math.floor(i / 32)]!,
    ),
  );
  const { suspect } = decompose({ good: null, suspect: factors({ a, b }, 1) });
  const exact = sizes.map((size) => size * 8 * Math.sqrt(32));
  t.ok(worst(suspect!.singularValues, exact) < 1e-10, `${worst(suspect!.singularValues, exact)}`);
  // The same, mixed: B G and G⁻¹ A with a G of condition 1e4 or so, whose entries are small integers.
  const g = Matrix.eye(rank, rank);
  for (let i = 0; i < rank; i++) for (let j = i + 1; j < rank; j++) g.set(i, j, ((i * 7 + j * 3) % 5) - 2);
  const inverse = g.clone();
  for (let j = 0; j < rank; j++) inverse.setColumn(j, solveUpper(g, j));
  const mixed = decompose({ good: null, suspect: factors({ a: inverse.mmul(a), b: b.mmul(g) }, 1) });
  const error = worst(mixed.suspect!.singularValues, exact);
  t.ok(error < 1e-9, `factored otherwise: ${error}`);
  near(t, mixed.suspect!.kurtosis, suspect!.kurtosis!, 'kurtosis does not depend on the factors');
});

const popcount = (bits: number): number => [...bits.toString(2)].filter((bit) => bit === '1').length;

/** A column of the inverse of a unit upper triangle of integers; exact. */
function solveUpper(g: Matrix, column: number): number[] {
  const x = new Array<number>(g.rows).fill(0);
  for (let i = g.rows - 1; i >= 0; i--) {
    x[i] = i === column ? 1 : 0;
    for (let j = i + 1; j < g.rows; j++) x[i]! -= g.get(i, j) * x[j]!;
  }
  return x;
}

t.test('two updates are what dense matrices say', async (t) => {
  for (const [rank1, rank2] of [
    [4, 4],
    [2, 6],
    [6, 1],
    [12, 12], // together more than the matrix has
  ] as const) {
    const [one, other] = [update(20, 18, rank1, 3), update(20, 18, rank2, 9)];
    // Half of the second is the first, so that overlap is not chance.
    for (let i = 0; i < 20; i++) other.b.set(i, 0, one.b.get(i, 0));
    const { good, suspect, pair } = decompose({ good: factors(one, 2), suspect: factors(other, -0.5) });
    const [first, second] = [product(one, 2), product(other, -0.5)];
    const change = Matrix.sub(second, first);
    const what = `rank ${rank1} and ${rank2}`;
    near(t, good!.norm, first.norm(), `${what}: norm of the good one`);
    near(t, suspect!.norm, second.norm(), `${what}: norm of the suspect`);
    near(t, pair!.norm, change.norm(), `${what}: norm`);
    near(t, pair!.relativeNorm, change.norm() / first.norm(), `${what}: relative norm`);
    const inner = Matrix.mul(first, second).sum();
    near(t, pair!.cosine, inner / first.norm() / second.norm(), `${what}: cosine`);
    // They have a left column in common, so that the difference has not their rank together.
    const values = new SVD(change).diagonal.filter((value) => value > 1e-9);
    t.equal(values.length, Math.min(18, rank1 + rank2 - 1));
    t.ok(worst(pair!.singularValues, values) < 1e-10, `${what}: singular values of the difference`);
    const [u, v] = [denseVectors(first, rank1), denseVectors(second, rank2)];
    const least = Math.min(rank1, rank2);
    near(t, pair!.overlap.left, u.left.transpose().mmul(v.left).norm() ** 2 / least, `${what}: left overlap`);
    near(
      t,
      pair!.overlap.right,
      u.right.transpose().mmul(v.right).norm() ** 2 / least,
      `${what}: right overlap`,
    );
    let [kept, held] = [0, 0];
    while (held < 0.95 * first.norm() ** 2) held += u.values[kept++]! ** 2;
    const top = denseVectors(first, kept);
    const projected = top.left.transpose().mmul(second).mmul(top.right).norm() ** 2;
    near(t, pair!.novelEnergy, 1 - projected / second.norm() ** 2, `${what}: novel energy`);
  }
});

t.test('updates of less than their rank, and of nothing', async (t) => {
  const one = update(30, 20, 4, 5);
  const less = { a: one.a, b: one.b.clone() };
  for (let i = 0; i < 30; i++) {
    less.b.set(i, 1, less.b.get(i, 0));
    less.b.set(i, 3, 0);
  }
  const { suspect, pair } = decompose({ good: factors(less, 1), suspect: factors(less, 1) });
  t.ok(worst(suspect!.singularValues.slice(0, 2), denseVectors(product(less, 1), 2).values) < 1e-10);
  t.ok(suspect!.singularValues[2]! < 1e-13 * suspect!.norm, 'the rest is rounding');
  near(t, pair!.overlap.left, 1, 'overlap with itself, over the rank that is there');
  near(t, pair!.cosine, 1, 'cosine with itself');
  t.ok(pair!.relativeNorm! < 1e-14 && pair!.novelEnergy! < 0.05);

  const zero = { a: one.a, b: Matrix.zeros(30, 4) };
  const nothing = decompose({ good: factors(zero, 1), suspect: factors(one, 1) });
  t.match(nothing.good, { norm: 0, energy: null, entropy: null, effectiveRank: null, kurtosis: null });
  t.match(nothing.pair, {
    relativeNorm: null,
    cosine: null,
    overlap: { left: 0, right: 0 },
    novelEnergy: null,
  });
  near(t, nothing.pair!.norm, product(one, 1).norm(), 'all of it is new');
  t.equal(nothing.reason, null);
});

t.test('dtypes, factors that stand the other way round, and values that are none', async (t) => {
  const one = update(30, 20, 4, 7);
  for (const dtype of ['F16', 'BF16'] as const) {
    const { suspect } = decompose({ good: null, suspect: factors(one, 1, dtype) });
    const dense = product({ a: rounded(one.a, dtype), b: rounded(one.b, dtype) }, 1);
    near(t, suspect!.norm, dense.norm(), dtype);
  }
  const turned = { ...factors(one, 1), a: bytesOf(one.a.transpose()), flat: true };
  const straight = decompose({ good: null, suspect: factors(one, 1) });
  t.strictSame(decompose({ good: null, suspect: turned }), straight);
  const broken = factors(one, 1);
  new DataView(broken.a.buffer).setUint32(8, 0x7fc00000, true);
  t.match(decompose({ good: null, suspect: broken }), { suspect: null, reason: /not finite/ });
  t.match(decompose({ good: broken, suspect: factors(one, 1) }), { pair: null, reason: /not finite/ });
  t.match(decompose({ good: null, suspect: factors(one, 1e308) }), { suspect: null, reason: /infinite/ });
  t.match(decompose({ good: factors(update(30, 21, 4, 1), 1), suspect: factors(one, 1) }), {
    good: { rank: 4 },
    pair: null,
    reason: /other shapes/,
  });
  t.throws(
    () => decompose({ good: null, suspect: { ...factors(one, 1), rank: 5 } }),
    /shape/,
    'checked again',
  );
});

const MODULES = ['q_proj', 'down_proj'].flatMap((name) => [0, 1].map((i) => `model.layers.${i}.x.${name}`));
const adapter = (seed: number): Specimen[] =>
  MODULES.map((module, i) => ({ module, ...update(24, 16, 4, seed + i) }));

t.test('two adapters, with the scale that acts', async (t) => {
  const folder = t.testdir({});
  const good = writeAdapter(join(folder, 'good'), adapter(1));
  const run = async (updates: Specimen[], config: object = {}) => {
    rmSync(join(folder, 'suspect'), { recursive: true, force: true });
    return (await diff(good, writeAdapter(join(folder, 'suspect'), updates, config))).adapter!;
  };

  const louder = await run(adapter(1), { lora_alpha: 32 });
  t.match(louder.good, { rank: 4, scaling: 'alpha/r', modules: 4 });
  t.equal(louder.modules.length, 4);
  for (const { module, layer, pair, good, suspect } of louder.modules) {
    t.ok(
      Math.abs(pair!.relativeNorm! - 3) < 1e-12 && Math.abs(pair!.cosine! - 1) < 1e-12,
      `${module}: 2 to 8`,
    );
    t.equal(layer, Number(module.split('.')[2]));
    t.strictSame([good!.scale, suspect!.scale], [2, 8]);
  }
  near(t, louder.suspect.norm, 4 * louder.good.norm, 'norm of all');
  const shares = louder.good.layers.map(({ share }) => share);
  t.strictSame(
    louder.good.layers.map(({ layer }) => layer),
    [0, 1],
  );
  near(t, shares[0]! + shares[1]!, 1, 'shares of the layers');

  const root = await run(adapter(1), { use_rslora: true, alpha_pattern: { 'layers.1.x.q_proj': 1 } });
  t.equal(root.suspect.scaling, 'alpha/sqrt(r)');
  t.strictSame(
    root.modules.map(({ suspect }) => suspect!.scale),
    [4, 0.5, 4, 4],
  );

  const fewer = await run(adapter(1).slice(1));
  t.match(fewer.modules.at(-1), {
    module: MODULES[0],
    suspect: null,
    pair: null,
    good: { rank: 4 },
    reason: null,
  });
  t.equal(fewer.modules.length, 4);

  const unread = await run(adapter(1), { rank_pattern: { '(?=q)q_proj': 4 } });
  t.match(unread.modules[0], { suspect: null, pair: null, reason: 'the scale cannot be determined' });

  const other = join(folder, 'ia3');
  writeAdapter(other, adapter(1), { peft_type: 'IA3' });
  t.ok(
    (await diff(good, other)).adapter,
    'factors are factors under any kind; the scan says that they are undeclared',
  );
});

t.test('the same, however many threads; and it can be stopped', async (t) => {
  const folder = t.testdir({});
  const good = writeAdapter(join(folder, 'good'), adapter(1));
  const suspect = writeAdapter(join(folder, 'suspect'), adapter(50));
  const [one, three] = await Promise.all([1, 3].map((threads) => diff(good, suspect, { threads })));
  t.strictSame(one, three);
  await t.rejects(diff(good, suspect, { signal: AbortSignal.abort() }), { code: 'ABORTED' });
});
