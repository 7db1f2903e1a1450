// The renderers: inert whatever a file calls its tensors, equal after parsing, and saying the right thing about what is odd.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { test } from 'tap';
import type { Report } from '../../src/baseline/report.ts';
import { inert } from '../../src/document/text/inert.ts';
import { jsonChunks, renderJson } from '../../src/report/report-json.ts';
import { oddities } from '../../src/report/text/oddity.ts';
import { renderText } from '../../src/report/text/text.ts';
import { packageRoot } from '../kit/root.ts';
import { foreign, hostile, hostileReport, obeyed } from '../kit/specimen/hostile.ts';
import { specimenReport, specimenStats, specimenTensor } from '../kit/specimen/specimen.ts';

const RUNS = { numRuns: Number(process.env.STEELYARD_RUNS ?? 2000) };

test('inert text can be decoded to what went in', async (t) => {
  const decoded = (text: string): string =>
    text.replace(/\\(?:\\|u\{([0-9a-f]+)\}|\{empty\})/g, (whole, hex?: string) =>
      hex !== undefined ? String.fromCodePoint(Number.parseInt(hex, 16)) : whole === '\\\\' ? '\\' : '',
    );
  fc.assert(
    fc.property(foreign, (text) => {
      const shown = inert(text, Number.POSITIVE_INFINITY);
      return (
        decoded(shown) === text &&
        obeyed(shown) === undefined &&
        !shown.includes('\n') &&
        !shown.startsWith(':')
      );
    }),
    RUNS,
  );
  t.equal(inert('model.layers.0.mlp'), 'model.layers.0.mlp');
  t.equal(inert('C++::naïve 模型'), 'C++::naïve 模型', 'what is visible stays as it is');
  t.equal(inert('\r::stop-commands::x'), '\\u{d}::stop-commands::x');
  t.equal(inert('a  b '), 'a \\u{20}b\\u{20}');
  t.equal(inert('section_end:1:x'), '\\u{73}ection_end:1:x');
  t.equal(inert(''), '\\{empty}');
});

test('inert text is short and says how much was cut', async (t) => {
  fc.assert(
    fc.property(foreign, fc.integer({ min: 30, max: 300 }), (text, limit) => {
      const shown = inert(text.repeat(20), limit);
      return shown.replace(/\\\{\d+ characters cut\}/, '').length <= limit && obeyed(shown) === undefined;
    }),
    RUNS,
  );
  t.equal(
    inert(`${'x'.repeat(65536)}.weight`, 40),
    `${'x'.repeat(20)}\\{65503 characters cut}${'x'.repeat(13)}.weight`,
  );
});

test('text: nothing foreign is obeyed, in colour or not', async () => {
  fc.assert(
    fc.property(
      hostile,
      fc.boolean(),
      (parts, quiet) => obeyed(renderText(hostileReport(parts), { quiet })) === undefined,
    ),
    { numRuns: RUNS.numRuns / 4 },
  );
  fc.assert(
    fc.property(hostile, (parts) => {
      const report = hostileReport(parts);
      // biome-ignore lint/suspicious/noControlCharactersInRegex: our own colours, and only these, may stand in the text
      const bare = renderText(report, { colour: true }).replace(/\x1b\[\d+m/g, '');
      return bare === renderText(report);
    }),
    { numRuns: RUNS.numRuns / 10 },
  );
});

test('json: equal after parsing, printable ASCII, nothing obeyed', async (t) => {
  fc.assert(
    fc.property(hostile, (parts) => {
      const report = hostileReport(parts);
      const text = renderJson(report);
      t.strictSame(JSON.parse(text), report);
      return /^[\x20-\x7e\n]*$/.test(text) && obeyed(text) === undefined && text.endsWith('}\n');
    }),
    { numRuns: RUNS.numRuns / 4 },
  );
});

test('json: order of fields is the contract, not the objects', async (t) => {
  const reversed = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(reversed);
    if (value === null || typeof value !== 'object') return value;
    return Object.fromEntries(
      Object.entries(value)
        .reverse()
        .map(([key, inner]) => [key, reversed(inner)]),
    );
  };
  const report = specimenReport();
  t.equal(renderJson(reversed(report) as Report), renderJson(report));
  t.match(
    renderJson(report),
    /^ {4}\{"name":"model\.layers\.0\.mlp\.up_proj\.weight","file":.*\},$/m,
    'one line each',
  );
});

test('json: 100,000 tensors come in pieces', async (t) => {
  const tensors = Array.from({ length: 100_000 }, (_, index) => specimenTensor(`tensor.${index}`));
  let size = 0;
  let largest = 0;
  for (const chunk of jsonChunks(specimenReport({ tensors }))) {
    size += chunk.length;
    largest = Math.max(largest, chunk.length);
  }
  t.ok(size > 50_000_000 && largest < 100_000, `${size} characters, at most ${largest} at once`);
});

test('text: the report for people', async (t) => {
  const golden = join(packageRoot, 'fixtures', 'golden', 'scan.txt');
  const text = renderText(specimenReport());
  if (process.env.STEELYARD_UPDATE_GOLDEN === '1') writeFileSync(golden, text);
  t.equal(text, readFileSync(golden, 'utf8'));
  t.notMatch(text, /\b(clean|safe)\b/i, 'never promises what nobody can know');
  for (const line of text.split('\n')) t.ok(line.length <= 100, line);
});

test('text: the last line says the verdict and what the exit code means', async (t) => {
  const last = (changes: Partial<Report>): string | undefined =>
    renderText(specimenReport(changes), { quiet: true }).trimEnd().split('\n').at(-1);
  const none = { info: 0, low: 0, medium: 0, high: 0, critical: 0 };
  const fine = { complete: true, findings: [], errors: [] };
  t.equal(
    last({ ...fine, verdict: { outcome: 'pass', failOn: 'high', counts: none } }),
    'PASS  no finding at or above high   exit 0: pass',
  );
  t.match(last({ ...fine, verdict: { outcome: 'pass', failOn: 'none', counts: none } }), /fail-on none/);
  t.match(
    last({ verdict: { outcome: 'error', failOn: 'none', counts: none } }),
    /^ERROR {2}1 error, not everything was looked at {3}exit 2: no verdict$/,
  );
  t.match(last({}), /^FAIL {2}1 finding at or above high, and 1 error, .*exit 1: fail$/);
});

test('oddest tensors', async (t) => {
  const layers = (count: number, changes = {}) =>
    Array.from({ length: count }, (_, layer) =>
      specimenTensor(`h.${layer}.w`, { stats: specimenStats({ l2: 1.28 + layer / 1000, ...changes }) }),
    );
  const odd = (stats: object, shape = [64, 64]) =>
    specimenTensor('h.99.w', { shape, stats: specimenStats(stats) });
  const reasons = (...tensors: Parameters<typeof oddities>[0]) =>
    oddities(tensors).map(({ reason }) => reason);

  t.same(reasons(...layers(12)), [], 'tensors that agree are not odd');
  t.same(reasons(...layers(12), odd({ l2: 128 })), [
    'L2 per element 2, 99.5 times the median 0.0201 of 13 BF16 2-D tensors, robust z 46',
  ]);
  t.match(reasons(...layers(12), odd({ l2: 0.0128 })), [/^L2 per element 0\.0002, 1\/100 of the median/]);
  t.same(reasons(...layers(12), odd({ l2: 2 })), [], 'half as much again is within the floor');
  t.same(reasons(...layers(3), odd({ l2: 128 })), [], 'too few of its kind');
  t.same(reasons(...layers(12), odd({ l2: 128 }, [64])), [], 'a vector is not of the kind of matrices');
  t.match(reasons(...layers(12), odd({ kurtosis: 812 })), [/^kurtosis 812, 262 times the median 3\.1/]);
  t.same(reasons(odd({ zero: 4096, l2: 0, kurtosis: null })), ['all 4,096 values zero']);
  t.same(reasons(odd({ nan: 2, negInf: 1 })), ['2 NaN, 1 -Inf in 4,096 values']);
  const both = oddities([odd({ zero: 4096 }), ...layers(12), odd({ l2: 128 }), odd({ nan: 1 })]);
  t.match(
    both.map(({ reason }) => reason),
    [/NaN/, /^L2/, /zero/],
    'most odd first',
  );
});
