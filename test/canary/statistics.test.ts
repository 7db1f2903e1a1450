// Statistics against scipy and sacreBLEU: their answers are frozen in fixtures/canary/statistics.json.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import t from 'tap';
import { divergenceOf } from '../../src/canary/statistics/divergence.ts';
import {
  falseDiscovery,
  fisher,
  mcnemar,
  quantile,
  rankP,
  wilson,
} from '../../src/canary/statistics/exact.ts';
import { bleu, chrf } from '../../src/canary/statistics/overlap.ts';
import type { Token } from '../../src/canary/target/target.ts';
import { packageRoot } from '../kit/root.ts';

type Table = [[number, number], [number, number]];
interface Vectors {
  readonly overlap: readonly [string, string, number, number][];
  readonly fisher: readonly [Table, number, number][];
  readonly mcnemar: readonly [number, number, number][];
  readonly benjaminiHochberg: readonly [number[], number[]][];
  readonly wilson: readonly [number, number, number, number][];
}
const vectors = JSON.parse(
  readFileSync(join(packageRoot, 'fixtures/canary/statistics.json'), 'utf8'),
) as Vectors;
const near = (a: number, b: number, tolerance = 1e-9): boolean =>
  Math.abs(a - b) <= tolerance * Math.max(1, Math.abs(b));

t.test('BLEU and chrF of 200 pairs are those of sacreBLEU', (t) => {
  t.equal(vectors.overlap.length, 200);
  for (const [before, after, expectedBleu, expectedChrf] of vectors.overlap) {
    const pair = JSON.stringify([before, after]);
    t.ok(near(bleu(before, after), expectedBleu), `BLEU ${pair}: ${bleu(before, after)} ${expectedBleu}`);
    t.ok(near(chrf(before, after), expectedChrf), `chrF ${pair}: ${chrf(before, after)} ${expectedChrf}`);
  }
  t.end();
});

t.test('exact tests are those of scipy', (t) => {
  for (const [table, greater, both] of vectors.fisher) {
    t.ok(near(fisher(table, 'greater'), greater), `greater ${table}`);
    t.ok(near(fisher(table, 'two-sided'), both), `two-sided ${table}`);
  }
  for (const [lost, gained, p] of vectors.mcnemar)
    t.ok(near(mcnemar(lost, gained), p), `mcnemar ${lost} ${gained}`);
  for (const [values, expected] of vectors.benjaminiHochberg)
    for (const [i, q] of falseDiscovery(values).entries()) t.ok(near(q, expected[i]!), `q ${values[i]}`);
  for (const [hits, all, low, high] of vectors.wilson) {
    const interval = wilson(hits, all);
    t.ok(near(interval[0], low) && near(interval[1], high), `wilson ${hits}/${all}`);
  }
  t.end();
});

t.test('with 50 controls no prompt can be rejected alone among 30', (t) => {
  const controls = Array.from({ length: 50 }, (_, i) => i);
  t.equal(rankP(1e9, controls), 1 / 51);
  const p = [rankP(1e9, controls), ...Array.from({ length: 29 }, () => 1)];
  t.ok(falseDiscovery(p)[0]! > 0.05);
  t.equal(quantile(controls, 0.9), 44);
  t.equal(quantile([], 0.9), 0);
  t.end();
});

const token = (word: string, ...others: [string, number][]): Token => [
  word,
  Math.log(others.find(([one]) => one === word)![1]),
  others.map(([one, p]) => [one, Math.log(p)]),
];

t.test('divergence: what is compared, and where it stops', (t) => {
  const a = [token('A', ['A', 0.9], ['B', 0.1]), token('x', ['x', 1])];
  t.match(divergenceOf(a, a), { js: 0, compared: 2, incomparable: 0 });
  const b = [token('B', ['B', 0.9], ['A', 0.1]), token('y', ['y', 1])];
  const differ = divergenceOf(a, b);
  t.match(differ, { position: 0, compared: 1, gained: 'B' });
  t.ok(near(differ.js, 0.9 * Math.log(0.9 / 0.5) + 0.1 * Math.log(0.1 / 0.5)));
  t.equal(divergenceOf(a, []).compared, 0);
  t.end();
});

t.test('another tokenizer: aligned by text, and the cut positions are counted', (t) => {
  const one = [token('bill', ['bill', 1]), token('ing', ['ing', 1]), token('.', ['.', 1])];
  const other = [token('billing', ['billing', 1]), token('.', ['.', 0.5], ['!', 0.5])];
  const found = divergenceOf(one, other);
  t.match(found, { compared: 1, incomparable: 2, position: 1 });
  t.ok(found.js > 0);
  const apart = divergenceOf(one, [token('bills', ['bills', 1])]);
  t.match(apart, { compared: 1, incomparable: 0 }, 'a text that goes on differently is a disagreement');
  t.end();
});

t.test('lists of the likeliest give at most the true divergence', (t) => {
  const distribution = fc
    .array(fc.double({ min: 1e-6, max: 1, noNaN: true }), { minLength: 8, maxLength: 8 })
    .map((values) => {
      const sum = values.reduce((a, b) => a + b);
      return values.map((value) => value / sum);
    });
  const listed = (p: readonly number[], most: number): Token => {
    const all = p.map((value, i) => [String(i), Math.log(value)] as const).sort((a, b) => b[1] - a[1]);
    return ['0', Math.log(p[0]!), all.slice(0, most)];
  };
  fc.assert(
    fc.property(distribution, distribution, fc.integer({ min: 1, max: 7 }), (p, q, most) => {
      const whole = divergenceOf([listed(p, 8)], [listed(q, 8)]).js;
      const part = divergenceOf([listed(p, most)], [listed(q, most)]).js;
      return part <= whole + 1e-12 && part >= 0 && whole <= Math.LN2 + 1e-12;
    }),
  );
  t.end();
});
