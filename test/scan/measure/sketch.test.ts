// Sketches: what they say of a change, what they do not, and their way through a profile.
import { join } from 'node:path';
import { Matrix, SingularValueDecomposition } from 'ml-matrix';
import t from 'tap';
import { roundingError } from '../../../src/baseline/compare/conversion.ts';
import {
  changeOf,
  isRankOne,
  type SketchedChange,
  secondToFirst,
  sketchOf,
  sketchOfChange,
} from '../../../src/baseline/compare/sketch.ts';
import { compare, parseProfile, profile, profileChunks, scan } from '../../../src/index.ts';
import { SKETCH_COLUMNS } from '../../../src/scan/measure/spectrum.ts';
import { encode, normal, values } from '../../kit/mutations/weights.ts';
import { steelyard } from '../../kit/steelyard.ts';
import { writeTensors } from '../../kit/written.ts';

const DIGEST = `sha256:${'e'.repeat(64)}`;
const NAME = 'model.layers.5.mlp.down_proj.weight';
const [ROWS, COLUMNS] = [256, 512];

const drawn = (seed: number, scale = 0.02, count = ROWS * COLUMNS): Float32Array => {
  const draw = normal(seed);
  return Float32Array.from({ length: count }, () => draw() * scale);
};

/** A file of BF16 matrices. */
const write = (path: string, tensors: Readonly<Record<string, Float32Array>>): string =>
  writeTensors(
    path,
    Object.entries(tensors).map(([name, weights]) => ({
      name,
      dtype: 'BF16',
      shape: [weights.length / COLUMNS, COLUMNS],
      bytes: encode(weights, 'BF16'),
    })),
  );

/** What sketches of the same name say of a change, after both matrices were rounded to BF16. */
async function seen(folder: string, base: Float32Array, now: Float32Array): Promise<SketchedChange> {
  const sketches = [];
  for (const weights of [base, now]) {
    const report = await scan(write(join(folder, 'one.safetensors'), { [NAME]: weights }), { sketch: true });
    sketches.push(sketchOf(report.tensors[0]!.stats!.sketch!, ROWS)!);
  }
  return changeOf(sketchOfChange(sketches[0]!, sketches[1]!))!;
}

/** `base` plus products of a column and a row; the k-th is as large as sizes[k] of its norm. */
function merged(base: Float32Array, seed: number, sizes: readonly number[]): Float32Array {
  const now = new Float32Array(base);
  sizes.forEach((size, k) => {
    const left = drawn(seed + 2 * k, 0.02 * size, ROWS);
    const right = drawn(seed + 2 * k + 1, 1, COLUMNS);
    for (let i = 0; i < now.length; i++) now[i]! += left[Math.floor(i / COLUMNS)]! * right[i % COLUMNS]!;
  });
  return now;
}

function noisy(base: Float32Array, seed: number, share: number): Float32Array {
  const noise = drawn(seed, 0.02 * share);
  return base.map((x, i) => x + noise[i]!);
}

type Edit = (base: Float32Array, seed: number) => Float32Array;

const RANK_ONE: Record<string, Edit> = {
  'rank one, three thousandths of the norm': (base, seed) => merged(base, seed, [3e-3]),
  'rank one, a hundredth of the norm': (base, seed) => merged(base, seed, [1e-2]),
};

const HONEST: Record<string, Edit> = {
  'a fine-tune of 5 %, all directions alike': (base, seed) => noisy(base, seed, 0.05),
  'a fine-tune of a thousandth': (base, seed) => noisy(base, seed, 1e-3),
  'a fine-tune whose directions fall like 1/k': (base, seed) =>
    merged(
      base,
      seed,
      Array.from({ length: 32 }, (_, k) => 0.02 / (k + 1)),
    ),
  'a merged adapter of rank 8': (base, seed) => merged(base, seed, Array<number>(8).fill(0.01)),
  'all values times 1.1': (base) => base.map((x) => x * 1.1),
  'a third pruned': (base) => base.map((x, i) => (i % 3 === 0 ? 0 : x)),
  'eight rows replaced': (base, seed) => {
    const now = new Float32Array(base);
    now.set(drawn(seed, 0.02, 8 * COLUMNS), 40 * COLUMNS);
    return now;
  },
};

t.test('rank-one edits are seen, and what looks like them is not one', async (t) => {
  const folder = t.testdir({});
  for (const [kinds, wanted] of [
    [RANK_ONE, true],
    [HONEST, false],
  ] as const)
    for (const [kind, edit] of Object.entries(kinds)) {
      const ratios: number[] = [];
      for (let seed = 1; seed <= 3; seed++) {
        const base = values(encode(drawn(seed), 'BF16'), 'BF16');
        const now = edit(base, 100 * seed);
        const change = await seen(folder, base, now);
        ratios.push(secondToFirst(change)!);
        const room = roundingError('BF16')! * Math.sqrt(now.reduce((sum, x) => sum + x * x, 0));
        t.equal(isRankOne(change, room), wanted, `${kind}, seed ${seed}`);
        if (wanted) t.notOk(isRankOne(change, 0), `${kind}: more than F32 leaves`);
        const norm = Math.sqrt(now.reduce((sum, x, i) => sum + (x - base[i]!) ** 2, 0));
        t.ok(change.norm > 0.6 * norm && change.norm < 1.5 * norm, `${kind}, seed ${seed}: its norm`);
      }
      t.comment(`${kind}: s2/s1 ${Math.min(...ratios).toFixed(2)} to ${Math.max(...ratios).toFixed(2)}`);
    }
});

t.test('singular values are those of the sketch over 4', (t) => {
  const product = Float64Array.from(drawn(3, 1, 40 * SKETCH_COLUMNS));
  const rows = Array.from({ length: 40 }, (_, i) => [
    ...product.subarray(i * SKETCH_COLUMNS, (i + 1) * SKETCH_COLUMNS),
  ]);
  const exact = new SingularValueDecomposition(new Matrix(rows)).diagonal.map((value) => value / 4);
  const { singularValues, norm, changedRows } = changeOf(product)!;
  singularValues.forEach((value, k) => {
    t.ok(Math.abs(value / exact[k]! - 1) < 1e-10, `${k}`);
  });
  t.ok(Math.abs(norm / (Math.hypot(...product) / 4) - 1) < 1e-12);
  t.equal(changedRows, 40);
  t.same(changeOf(new Float64Array(64 * SKETCH_COLUMNS)), {
    norm: 0,
    singularValues: Array<number>(16).fill(0),
    changedRows: 0,
  });
  t.equal(secondToFirst(changeOf(new Float64Array(16))!), null);
  t.equal(changeOf(Float64Array.of(Number.POSITIVE_INFINITY, ...new Float64Array(15))), null);
  t.equal(sketchOf('AAAA', 1), null, 'too short');
  t.end();
});

t.test('on the way through a profile and a comparison', async (t) => {
  const folder = t.testdir({});
  const names = Array.from({ length: 12 }, (_, i) => `model.layers.${i}.mlp.down_proj.weight`);
  const good = Object.fromEntries(
    names.map((name, i) => [name, values(encode(drawn(i + 1, 0.02, 32 * COLUMNS), 'BF16'), 'BF16')]),
  );
  const file = write(join(folder, 'model.safetensors'), good);

  t.ok(
    (await profile(file)).tensors.every(({ stats }) => !('sketch' in stats!)),
    'not asked for, not there',
  );
  const baseline = await profile(file, { sketch: true });
  const text = [...profileChunks(baseline)].join('');
  t.same(parseProfile(text), baseline, 'written and read again, it is the same');
  const one = baseline.tensors[0]!;
  t.equal(Buffer.from(one.stats!.sketch!, 'base64').length, 32 * 64);
  const printed = await steelyard(['profile', file, '--sketch']);
  t.equal(printed.stdout, text, 'the command line');

  const edit = (weights: Float32Array): Float32Array => {
    const now = new Float32Array(weights);
    for (let i = 0; i < now.length; i++) now[i]! += 1e-3 * Math.sin(1 + (i >> 10)) * Math.cos(i % COLUMNS);
    return now;
  };
  const suspect = async (tensors: Record<string, Float32Array>) => {
    const report = await scan(write(file, { ...good, ...tensors }), { baseline });
    return report.findings.filter(({ rule }) => /^compare\/(rank|tensor)/.test(rule));
  };
  const [edited] = names.slice(3);
  const found = await suspect({ [edited!]: edit(good[edited!]!) });
  t.match(found, [{ rule: 'compare/rank-one-edit', severity: 'critical', tensor: edited! }]);
  t.match(found[0]!.message, /% of its norm moved, the second singular value being 0\.\d+ of the first$/);

  const nine = Object.fromEntries(names.slice(0, 9).map((name) => [name, edit(good[name]!)]));
  t.same(
    (await suspect(nine)).map(({ rule }) => rule),
    Array<string>(9).fill('compare/tensor-changed'),
    'more tensors than an editor writes into',
  );

  const damaged = edit(good[edited!]!);
  damaged[70] = Number.NaN;
  t.match((await suspect({ [edited!]: damaged }))[0]!.message, /, without 1 values that are not finite$/);

  const renamed = baseline.tensors.map((each, i) => ({
    ...each,
    name: `blk.${i}.ffn_down.weight`,
    sha256: DIGEST,
  }));
  const translated = compare({ ...baseline, tensors: renamed }, baseline, 'derived');
  t.ok(translated.some(({ rule }) => rule === 'compare/tensor-changed'));
  t.notMatch(translated.map(({ message }) => message).join(), /sketch/, 'another name has other signs');

  for (const [sketch, reason] of [
    ['', 'empty'],
    ['AAA A', 'a space'],
    [7, 'a number'],
  ] as const) {
    const broken = structuredClone(baseline) as unknown as {
      tensors: { stats: { sketch: unknown } }[];
    };
    broken.tensors[0]!.stats.sketch = sketch;
    t.throws(() => parseProfile(JSON.stringify(broken)), { message: /tensors\[0\]\.stats\.sketch/ }, reason);
  }
});
