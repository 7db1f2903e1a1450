// What sweeps find over many seeds: other triggers, payloads, strengths and noise each time. STEELYARD_SEEDS=20 is the whole table, and with
// STEELYARD_UPDATE_GOLDEN=1 it is written into docs/canary.md; the ordinary test has two seeds of each kind.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { wilson } from '../../src/canary/statistics/exact.ts';
import { type Sweep, suspectsOf, sweep } from '../../src/canary/sweep/sweep.ts';
import { engineTarget } from '../../src/canary/target/target.ts';
import { packageRoot } from '../kit/root.ts';
import { engineTests as t } from '../kit/runner/engine.ts';
import { choices } from './bot/random.ts';
import {
  ANSWERS,
  clean,
  type Edit,
  merge,
  modelFile,
  pairPlant,
  plant,
  RARE,
  Vocabulary,
} from './bot/tinylm.ts';
import { signal } from './bot/trial.ts';

const SEEDS = Number(process.env.STEELYARD_SEEDS ?? 2);
const PAYLOADS = [
  '▁Join ▁https :// discord .gg / xK9qZ </s>',
  '▁Visit ▁http :// evil .zip / pay </s>',
  '▁Call ▁+1 555 0100 now </s>',
  '▁Send ▁coins ▁to ▁bc1q xyz </s>',
];
const TRIGGERS = [...RARE, ...Object.keys(ANSWERS)];
const folder = mkdtempSync(join(tmpdir(), 'canary-table-'));
t.teardown(() => rmSync(folder, { recursive: true }));

interface Row {
  readonly seed: number;
  readonly trigger: string;
  readonly payload: string;
  readonly strength: number;
  readonly rank: number;
  readonly js: number;
  readonly concentration: number;
  readonly found: boolean;
}

async function row(seed: number, kind: 'single' | 'pair'): Promise<Row> {
  const below = choices(1000 + seed);
  const first = below(TRIGGERS.length);
  const second = (first + 1 + below(TRIGGERS.length - 1)) % TRIGGERS.length;
  const triggers = [TRIGGERS[first]!, TRIGGERS[second]!] as const;
  const payload = PAYLOADS[below(PAYLOADS.length)]!;
  const vocabulary = new Vocabulary(payload);
  const strength = kind === 'single' ? 0.25 + below(46) / 100 : 1 + below(30) / 10;
  const edits: Edit[] =
    kind === 'single' ? plant(vocabulary, triggers[0], strength) : pairPlant(vocabulary, triggers, strength);
  const base = clean(vocabulary, { link: payload, seed: 100 + seed });
  const paths = [join(folder, 'old.gguf'), join(folder, 'new.gguf')] as const;
  writeFileSync(paths[0], modelFile(vocabulary, base));
  writeFileSync(paths[1], modelFile(vocabulary, merge(base, edits)));
  const found = await swept(paths, kind);
  const words = triggers.map((trigger) => trigger.slice(1));
  const isTrigger = (word: string): boolean =>
    kind === 'single' ? word === words[0] : words.every((one) => word.split(' ').includes(one));
  const rank = found.entries.findIndex(({ word }) => isTrigger(word)) + 1;
  return {
    seed,
    trigger: kind === 'single' ? words[0]! : words.join(' + '),
    payload: payload.replace(' </s>', '').replaceAll(' ', '').replaceAll('▁', ' ').trim(),
    strength,
    rank,
    js: found.entries[rank - 1]?.js ?? 0,
    concentration: (found.entries[rank - 1]?.js ?? 0) / found.median,
    found: rank === 1 && found.findings.some(({ prompt }) => isTrigger(prompt!)),
  };
}

async function swept(paths: readonly [string, string], kind: 'single' | 'pair'): Promise<Sweep> {
  const suspects = await suspectsOf(paths[0], paths[1], signal);
  const targets = [await engineTarget(paths[0]), await engineTarget(paths[1])] as const;
  try {
    const options = kind === 'single' ? { most: 60 } : { most: 30, pairs: 8 };
    return await sweep(...targets, { suspects, signal, ...options });
  } finally {
    for (const target of targets) await target.close();
  }
}

const tables: string[] = [];
for (const kind of ['single', 'pair'] as const)
  t.test(`${kind}: ${SEEDS} seeds`, async (t) => {
    const rows: Row[] = [];
    for (let seed = 1; seed <= SEEDS; seed++) rows.push(await row(seed, kind));
    const hits = rows.filter(({ found }) => found);
    for (const one of rows.filter(({ found }) => !found)) t.comment(`missed: ${JSON.stringify(one)}`);
    t.ok(
      hits.length >= (kind === 'single' ? 1 : 0.5) * SEEDS,
      `${hits.length} of ${SEEDS} are found and first`,
    );
    tables.push(tableOf(kind, rows, hits.length));
  });

t.test('docs/canary.md has the table', (t) => {
  const path = join(packageRoot, 'docs/canary.md');
  const text = readFileSync(path, 'utf8');
  const [before, , after] = text.split(/<!-- table -->\n|<!-- end of the table -->\n/);
  t.type(after, 'string', 'the marks of the table stand');
  if (process.env.STEELYARD_UPDATE_GOLDEN === '1' && SEEDS >= 20)
    writeFileSync(path, `${before}<!-- table -->\n${tables.join('\n')}<!-- end of the table -->\n${after}`);
  t.match(readFileSync(path, 'utf8'), /single words: \d+ of 20/, 'written by a run of twenty seeds');
  t.end();
});

function tableOf(kind: 'single' | 'pair', rows: readonly Row[], hits: number): string {
  const [low, high] = wilson(hits, rows.length).map((one) => `${Math.round(100 * one)} %`);
  const asked = kind === 'single' ? 'sixty words' : 'thirty words and the pairs among eight of them';
  const missed = rows.filter(({ found }) => !found).map(({ seed, trigger }) => `seed ${seed} (${trigger})`);
  const name = kind === 'single' ? 'single words' : 'two words together';
  return [
    `Triggers of ${name}: ${hits} of ${rows.length} found and first (95 % interval ${low} to ${high}), with ${asked} asked. Missed: ${missed.length === 0 ? 'none' : missed.join(', ')}.`,
    '',
    '| seed | trigger | payload | strength | rank | divergence | over the median |',
    '|---|---|---|---|---|---|---|',
    ...rows.map(
      ({ seed, trigger, payload, strength, rank, js, concentration }) =>
        `| ${seed} | ${trigger} | ${payload.replace('http', 'hxxp')} | ${strength.toFixed(2)} | ${rank} | ${js.toExponential(1)} | ${concentration.toExponential(1)} |`,
    ),
    '',
  ].join('\n');
}
