// An adapter among known-good ones: what may be said of it, when nothing may be said, and how often it is said of honest ones.
import { join } from 'node:path';
import t from 'tap';
import { mahalanobis } from '../../src/diff/adapter/distance-score.ts';
import type { Features, Numbers } from '../../src/diff/adapter/features.ts';
import { benjaminiHochberg, type Member, rankAdapters } from '../../src/diff/adapter/population.ts';
import { type DiffReport, diff, renderDiffText } from '../../src/index.ts';
import { normal } from '../kit/mutations/weights.ts';
import { drawn, writeAdapter } from '../kit/specimen/adapter-specimen.ts';
import { MAIN, run } from '../kit/steelyard.ts';

const MODULES = Array.from({ length: 6 }, (_, layer) =>
  ['q_proj', 'v_proj', 'down_proj'].map((kind) => `layers.${layer}.${kind}`),
).flat();

/** Clean adapters: another learning rate each, seed noise on every module. */
function clean(count: number, seed: number): Member[] {
  const next = normal(seed);
  for (let i = 0; i < 50; i++) next();
  return Array.from({ length: count }, (_, i) => {
    const rate = 0.3 * next();
    const values = MODULES.map(
      (_, m): Numbers => [rate + 0.1 * m + 0.01 * next(), -1 + 0.03 * next(), 0.9 + 0.003 * next()],
    );
    return {
      name: `good-${i}`,
      features: { modules: MODULES, values, spread: 0.1, recipe: ['base', ...MODULES] },
    };
  });
}

const changed = ({ name, features }: Member, change: (value: Numbers, at: number) => Numbers): Member => ({
  name,
  features: { ...(features as Features), values: (features as Features).values.map(change) },
});

t.test('honest adapters are flagged as often as the p-value says', async (t) => {
  const trials = 400;
  for (const [level, count] of [
    [0.1, 29],
    [0.05, 39],
  ] as const) {
    let flagged = 0;
    for (let trial = 0; trial < trials; trial++) {
      const group = clean(count + 1, 1000 + 7919 * trial + count);
      const [rank] = rankAdapters(group.slice(0, -1), group.slice(-1));
      if (rank!.pValue! <= level) flagged++;
    }
    const deviation = Math.sqrt(level * (1 - level) * trials);
    t.ok(
      Math.abs(flagged - level * trials) < 3.3 * deviation,
      `${flagged} of ${trials} at ${level}, n = ${count}: expected ${level * trials} ± ${deviation.toFixed(1)}`,
    );
  }
});

t.test('one module that stands out, and many that lean together', async (t) => {
  const good = clean(39, 5);
  const [honest] = clean(1, 77);
  const spike = changed(honest!, ([norm, energy, entropy], at) =>
    at === 7 ? [norm, energy + 1, entropy] : [norm, energy, entropy],
  );
  const [rank] = rankAdapters(good, [spike]);
  t.match(rank, { count: 39, pValue: 1 / 40, rank: 1, adjusted: null, reason: null });
  t.equal(rank!.statistics.at(-1)?.name, `logit energy of ${MODULES[7]}`);
  t.ok(rank!.statistics.at(-1)!.robustZ > 3.5);
  const lean = changed(
    honest!,
    ([norm, energy, entropy], at) =>
      [norm, energy + (MODULES[at]!.endsWith('down_proj') ? 0.08 : 0), entropy] as const,
  );
  t.equal(rankAdapters(good, [lean])[0]!.rank, 1);
  const faster = changed(honest!, ([norm, energy, entropy]) => [norm + 2, energy, entropy]);
  t.equal(
    rankAdapters(good, [faster])[0]!.pValue,
    rankAdapters(good, [honest!])[0]!.pValue,
    'another learning rate alone is no evidence',
  );
});

t.test('what cannot be compared is refused, with a reason', async (t) => {
  const group = clean(30, 9);
  const [suspect] = clean(1, 10);
  const few = rankAdapters(group.slice(0, 19), [suspect!])[0]!;
  t.match(few, { count: 19, pValue: null, reason: /19 known-good adapters are too few/ });
  t.ok(few.rank! >= 1 && few.rank! <= 20, 'but it has a rank');
  t.equal(rankAdapters(group.slice(0, 20), [suspect!])[0]!.reason, null);

  const features = suspect!.features as Features;
  const other = (changes: Partial<Features>): Member => ({
    name: 'x',
    features: { ...features, ...changes },
  });
  const refused = (member: Member, reason: RegExp) =>
    t.match(rankAdapters(group, [member])[0], { pValue: null, rank: null, statistics: [], reason });
  refused(
    other({ recipe: ['other base', ...MODULES] }),
    /"good-0" is not exchangeable with the suspect: base, and other base/,
  );
  refused(other({ modules: MODULES.slice(1) }), /18 modules and 17/);
  refused({ name: 'x', features: 'it is zero' }, /"x" cannot be compared: it is zero/);
  t.match(rankAdapters([], [suspect!])[0], { count: 0, rank: null, reason: /no known-good/ });
});

t.test('Benjamini and Hochberg, by their own example', async (t) => {
  // 1995, section 3.2: of these fifteen p-values the first four are rejected at 0.05.
  const published = [
    0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459, 0.324, 0.4262, 0.5719, 0.6528,
    0.759, 1,
  ];
  t.equal(benjaminiHochberg(published).filter((p) => p! <= 0.05).length, 4);
  t.same(benjaminiHochberg([0.04, null, 0.01]), [0.04, null, 0.02]);
  const suspects = clean(2, 11);
  const ranks = rankAdapters(clean(30, 12), suspects);
  t.ok(ranks.every(({ pValue, adjusted }) => adjusted! >= pValue!));
});

t.test('the shrunk covariance', async (t) => {
  const next = normal(3);
  const rows = Array.from({ length: 500 }, () => {
    const [x, y] = [next(), next()];
    return [x, x + 0.5 * y];
  });
  const distances = mahalanobis(rows);
  const mean = distances.reduce((sum, d) => sum + d * d, 0) / rows.length;
  t.ok(Math.abs(mean - 2) < 0.1, `mean square ${mean}: the number of columns`);
  const wide = mahalanobis(Array.from({ length: 10 }, () => Array.from({ length: 40 }, next)));
  t.ok(
    wide.every((distance) => Number.isFinite(distance) && distance > 0),
    'more columns than rows',
  );
  t.same(
    mahalanobis([
      [1, 2],
      [1, 2],
    ]),
    [0, 0],
    'no variance',
  );
});

t.test('from files: recipe, copies and what is no adapter', async (t) => {
  const folder = t.testdir({});
  const base = { base_model_name_or_path: 'm' };
  const write = (name: string, seed: number, config: object = base): string => {
    const update = (module: string, i: number) => ({
      module,
      a: drawn(4, 16, seed + i),
      b: drawn(12, 4, seed + 9 + i),
    });
    return writeAdapter(join(folder, name), ['layers.0.q_proj', 'layers.1.q_proj'].map(update), config);
  };
  const [good, suspect] = [write('good', 100), write('suspect', 200)];
  const population = Array.from({ length: 4 }, (_, i) => write(`known-${i}`, 1000 + 100 * i));
  const ranked = async (paths: readonly string[], from = suspect) =>
    (await diff(good, from, { population: paths })).adapter!.population!;

  const rank = await ranked([...population, write('copy', 1000)]);
  t.match(rank, { count: 5, pValue: null, reason: /too few/ }, 'the good one is one of them, a copy is not');
  t.ok(rank.rank! >= 1 && rank.rank! <= 6);
  t.match(await ranked([write('other-base', 7, { base_model_name_or_path: 'n' })]), {
    rank: null,
    reason: /base model/,
  });
  t.match(await ranked([write('other-alpha', 7, { ...base, lora_alpha: 9 })]), {
    rank: null,
    reason: /scale 2.25/,
  });
  t.match(await ranked(population, write('nameless', 8, {})), {
    rank: null,
    reason: /does not name the base/,
  });

  const told = (changes: object, report: DiffReport): string =>
    renderDiffText(
      { ...report, adapter: { ...report.adapter!, population: { ...rank, ...changes } } },
      { colour: false },
    );
  const report = await diff(good, suspect);
  t.match(
    told({ pValue: 0.5, count: 30, rank: 15 }, report),
    /rank 15 of 31 .* p = 0.5, .*: no anomaly found/,
  );
  t.match(told({ pValue: 0.02, count: 49, rank: 1 }, report), /odd, which is no proof/);
  t.match(told({ rank: null, reason: 'why' }, report), /not ranked among 5 known-good adapters: why/);

  const { stdout, code } = await run([process.execPath, MAIN, 'diff', good, suspect, '--population', folder]);
  t.match(stdout, /rank \d of \d+ among|not ranked among 8 known-good adapters/);
  t.equal(code, 1);
  const empty = await run([process.execPath, MAIN, 'diff', good, suspect, '--population', good]);
  t.match([empty.stderr, empty.code], [/no folder is in it/, 2]);
  const [model] = population;
  await t.rejects(diff(join(good, 'adapter_config.json'), suspect, { population: [model!] }), {
    code: 'USAGE',
  });
});
