// Comparing with a baseline: every kind of mutation, the document, and how long it takes.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { severityOf } from '../../src/baseline/compare/mode.ts';
import { compare, MODES, profile, profileChunks, scan } from '../../src/index.ts';
import { RULES, SEVERITIES } from '../../src/rules/rules.ts';
import { baseModel, loraModel, writeModel } from '../kit/mutations/model.ts';
import type { Mutation } from '../kit/mutations/mutation.ts';
import { MUTATIONS } from '../kit/mutations/mutations.ts';
import { packageRoot } from '../kit/root.ts';
import { specimenTensor } from '../kit/specimen/specimen.ts';

const MODELS = { base: baseModel, lora: loraModel };

t.test('every kind of mutation: its rules, no others, and the tensor by name', async (t) => {
  const folder = t.testdir({ base: {}, lora: {}, suspect: {} });
  const baselines = new Map<string, Awaited<ReturnType<typeof profile>>>();
  for (const name of ['base', 'lora'] as const) {
    writeModel(MODELS[name](), join(folder, name));
    baselines.set(name, await profile(join(folder, name), { rows: true, sketch: true }));
  }
  t.ok(MUTATIONS.length >= 40, `${MUTATIONS.length} mutations`);
  for (const { kind, model, mode, outcome, rules, tensors, apply } of MUTATIONS) {
    const suspect = MODELS[model]();
    apply(suspect);
    writeModel(suspect, join(folder, 'suspect'));
    const report = await scan(join(folder, 'suspect'), { baseline: baselines.get(model)!, mode });
    const found = report.findings.filter(({ rule }) => rule.startsWith('compare/'));
    const title = `${kind} (${model}, ${mode})`;
    t.same([...new Set(found.map(({ rule }) => rule))].sort(), [...rules].sort(), title);
    t.equal(report.verdict.outcome, outcome, `${title}: verdict`);
    const serious = found.filter(({ severity }) => severity === 'critical' || severity === 'high');
    if (outcome === 'fail') t.ok(serious.length > 0, `${title}: the comparison alone fails`);
    const grades = found.map(({ severity }) => SEVERITIES.indexOf(severity));
    t.same(
      grades,
      grades.toSorted((a, b) => b - a),
      `${title}: the worst first`,
    );
    for (const name of tensors)
      t.ok(
        found.some(({ tensor }) => tensor === name),
        `${title}: names ${name}`,
      );
    t.same(found, compare(report, baselines.get(model)!, mode), `${title}: pure`);
  }
});

t.test('docs/mutations.md is the table', (t) => {
  const path = join(packageRoot, 'docs', 'mutations.md');
  const text = table(MUTATIONS);
  if (process.env.STEELYARD_UPDATE_GOLDEN === '1') writeFileSync(path, text);
  t.equal(existsSync(path) ? readFileSync(path, 'utf8') : '', text);
  t.end();
});

function table(mutations: readonly Mutation[]): string {
  const rows = mutations.map(({ kind, model, mode, outcome, rules }) => {
    const told = rules.map((rule) => `${rule.slice('compare/'.length)} (${severityOf(rule, mode)})`);
    return `| ${kind} | ${model} | ${mode} | ${outcome} | ${told.join(', ') || 'nothing'} |`;
  });
  return `${INTRODUCTION}\n${['| change | model | mode | verdict | findings |', '|---|---|---|---|---|', ...rows].join('\n')}\n`;
}

const INTRODUCTION = `# What a comparison says

Written by \`test/baseline/compare.test.ts\` from \`test/kit/mutations/mutations.ts\`: each change is made to a model, the model is scanned against its baseline
in one mode, and exactly these findings must come. Baselines are made with --rows and --sketch. \`base\` is a synthetic Llama in two
shards, \`lora\` a real adapter. Findings of other rules than compare/* are not listed. A pass is at the default \`--fail-on high\`.
`;

t.test('every rule of comparing is met by a mutation, and weighs most in mode exact', (t) => {
  const met = new Set(MUTATIONS.flatMap(({ rules }) => rules));
  for (const [rule, { severity }] of RULES) {
    if (!rule.startsWith('compare/')) continue;
    t.ok(met.has(rule as never), rule);
    t.equal(
      severityOf(rule as never, 'exact'),
      severity,
      `${rule} in mode exact is as in the table of rules`,
    );
  }
  t.end();
});

t.test('100,000 tensors', (t) => {
  const tensors = Array.from({ length: 100_000 }, (_, i) =>
    specimenTensor(`model.layers.${i >> 3}.w${i & 7}.weight`, {
      sha256: `sha256:${i.toString(16).padStart(64, '0')}`,
    }),
  );
  const files = [
    {
      path: 'shard-1.safetensors',
      format: 'safetensors' as const,
      size: 1e9,
      sha256: `sha256:${'a'.repeat(64)}`,
      tensorCount: tensors.length,
      headerSize: 1e6,
      metadata: [],
      templates: [],
    },
  ];
  const baseline = { files, tensors };
  const cases: [string, typeof tensors][] = [
    ['the same', tensors],
    [
      'all changed',
      tensors.map((one, i) => ({ ...one, sha256: `sha256:${i.toString(16).padStart(64, 'f')}` })),
    ],
    ['all renamed', tensors.map((one) => ({ ...one, name: `x.${one.name}` }))],
    ['all moved', tensors.map((one) => ({ ...one, file: 'other.safetensors' }))],
  ];
  for (const [name, suspect] of cases)
    for (const mode of MODES) {
      const begun = performance.now();
      const { length } = compare({ files, tensors: suspect }, baseline, mode);
      t.comment(`${name}, ${mode}: ${length} findings in ${Math.round(performance.now() - begun)} ms`);
      t.equal(length > 0, name !== 'the same' && !(name === 'all moved' && mode === 'converted'), name);
    }
  t.end();
});

t.test('a profile of the same model is the same text, wherever it lies', async (t) => {
  const folder = t.testdir({ one: {}, other: {} });
  const texts = await Promise.all(
    ['one', 'other'].map(async (name) => {
      writeModel(baseModel(), join(folder, name));
      return [...profileChunks(await profile(join(folder, name)))].join('');
    }),
  );
  t.equal(texts[0], texts[1]);
  t.notMatch(texts[0], folder);
});
