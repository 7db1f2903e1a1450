// Low-rank adapters against their configuration and their base: each way to break one alone, and beside it what an honest writer
// makes that looks like it.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import t from 'tap';
import { z } from 'zod';
import { buildFile, Fixture } from '../../../fixtures/build.ts';
import { type Finding, profile, scan } from '../../../src/index.ts';
import { RULES, SEVERITIES } from '../../../src/rules/rules.ts';
import { readAdapterConfig } from '../../../src/scan/adapter/config/adapter-config.ts';
import { Patterns } from '../../../src/scan/adapter/config/expression.ts';
import { Selection } from '../../../src/scan/adapter/config/selection.ts';
import { factorName } from '../../../src/scan/adapter/spelling/spelling.ts';
import { packageRoot } from '../../kit/root.ts';

const Vectors = z.array(
  z.strictObject({
    name: z.string(),
    comment: z.string(),
    build: Fixture.shape.build,
    /** Default: the name that PEFT or llama.cpp gives it. */
    file: z.string().optional(),
    /** adapter_config.json: as text, or as what it holds. */
    config: z.union([z.string(), z.record(z.string(), z.unknown())]).optional(),
    /** The base model. */
    base: Fixture.shape.build.optional(),
    /** The rules adapter/* that are broken; those of the honest ones are information. */
    expect: z.array(z.string()),
  }),
);

const VECTORS = ['adapter.json', 'adapter-spellings.json'].flatMap((name) =>
  Vectors.parse(JSON.parse(readFileSync(join(packageRoot, 'fixtures', 'vectors', name), 'utf8'))),
);

type Vector = (typeof VECTORS)[number];

/** What writes new tokens looks like an attack unless the base is known. */
const LOOKS_LIKE_ONE = /resized-vocabulary|kohya-embedding/;

function write(folder: string, { name, build, config, file: own }: Vector): void {
  mkdirSync(join(folder, name), { recursive: true });
  const file = own ?? (build.format === 'gguf' ? 'adapter.gguf' : 'adapter_model.safetensors');
  writeFileSync(join(folder, name, file), buildFile({ build }));
  if (config === undefined) return;
  const text = typeof config === 'string' ? config : JSON.stringify(config);
  writeFileSync(join(folder, name, 'adapter_config.json'), text);
}

t.test('every vector breaks its rules and no other', async (t) => {
  const folder = t.testdir({ bases: {}, adapters: {} });
  const adapters = join(folder, 'adapters');
  for (const vector of VECTORS) write(adapters, vector);
  const { findings, complete } = await scan(adapters);
  t.ok(complete);
  for (const { name, base, expect } of VECTORS) {
    let found: readonly Finding[] = findings.filter(({ file }) => file.startsWith(`${name}/`));
    if (base !== undefined) {
      const path = join(folder, 'bases', `${name}.${base.format}`);
      writeFileSync(path, buildFile({ build: base }));
      found = (await scan(join(adapters, name), { base: await profile(path) })).findings;
    }
    const own = found.filter(({ rule }) => rule.startsWith('adapter/'));
    t.strictSame([...new Set(own.map(({ rule }) => rule))].sort(), expect, name);
    const worst = Math.max(...own.map(({ severity }) => SEVERITIES.indexOf(severity)));
    if (/^honest/.test(name) && !LOOKS_LIKE_ONE.test(name)) t.equal(worst, 0, `${name}: information only`);
  }
});

t.test('every rule of adapters is met by a vector', async (t) => {
  const met = new Set(VECTORS.flatMap(({ expect }) => expect));
  for (const rule of RULES.keys()) if (rule.startsWith('adapter/')) t.ok(met.has(rule), rule);
});

t.test('the real adapter: its scale, and nothing that a gate would stop at', async (t) => {
  const { findings } = await scan(join(packageRoot, 'fixtures', 'real', 'tiny-lora'));
  t.strictSame(
    findings.map(({ rule, severity }) => [rule, severity]),
    [['adapter/scale', 'info']],
  );
  t.match(findings[0]?.message, 'multiplied by 2 (12 modules): alpha over the rank');
});

t.test('a configuration that is too large is not read, and that is said', async (t) => {
  const folder = t.testdir({ 'adapter_config.json': `{"r":4,"x":"${'x'.repeat(5e6)}"}` });
  const honest = VECTORS.find(({ name }) => name === 'honest')!;
  writeFileSync(join(folder, 'adapter_model.safetensors'), buildFile({ build: honest.build }));
  const { findings } = await scan(folder);
  t.match(findings, [{ rule: 'adapter/config', file: 'adapter_config.json', severity: 'high' }]);
});

const configOf = (fields: object) => readAdapterConfig(Buffer.from(JSON.stringify(fields))).config!;

t.test('ranks and scales as PEFT takes them', async (t) => {
  const scale = (fields: object, module: string) =>
    new Selection(configOf(fields), new Patterns()).scaleOf(module)?.scale;
  t.equal(scale({ r: 8, lora_alpha: 16 }, 'q'), 2);
  t.equal(scale({}, 'q'), 1, 'the defaults of PEFT');
  t.equal(scale({ r: 16, lora_alpha: 16, use_rslora: true }, 'q'), 4);
  t.equal(scale({ r: 8, lora_alpha: 16, rank_pattern: { q: 4 } }, 'a.q'), 4);
  t.equal(scale({ r: 8, lora_alpha: 16, alpha_pattern: { 'a.q': 4 } }, 'b.a.q'), 0.5);
  t.equal(scale({ r: 8, lora_alpha: 16, alpha_pattern: { 'a.q': 4 } }, 'ba.q'), 2, 'a name begins at a dot');
  t.equal(scale({ r: 8, lora_alpha: 16, alpha_pattern: { '^a.q': 4 } }, 'b.a.q'), 2, 'from the beginning');
  t.equal(scale({ r: 8, lora_alpha: 16, alpha_pattern: { 'x|a.q': 4 } }, 'b.a.q'), 0.5, 'alternatives');
  t.equal(scale({ r: 1, lora_alpha: 1, alpha_pattern: { q: 2, 'a.q': 3 } }, 'a.q'), 2, 'the first');
  t.equal(scale({ r: 1, lora_alpha: 1, alpha_pattern: { '(?:q)': 2, q: 3 } }, 'a.q'), 2, 'the first, mixed');
  t.equal(scale({ r: 1, lora_alpha: 1, alpha_pattern: { q: 2, '(?:q)': 3 } }, 'a.q'), 2, 'the first, mixed');
});

t.test('expressions run in linear time, or not at all', async (t) => {
  const patterns = new Patterns();
  t.equal(patterns.whole('((a+)+)+')(`${'a'.repeat(50_000)}b`), false);
  t.equal(patterns.whole('.*(q|v)_proj')('x.q_proj'), true);
  // What Python and RE2 take for different things, or RE2 does not have.
  for (const foreign of [
    '(?i)q',
    '(?=q)q',
    '(q)\\1',
    'q{,3}',
    '[[:alpha:]]',
    'q\\Z',
    '(?P<a>q)',
    'ä',
    'q*+',
  ]) {
    t.equal(patterns.whole(foreign)('q'), null, foreign);
    t.ok(patterns.unread.has(foreign));
  }
  const entries = Object.fromEntries(Array.from({ length: 20_000 }, (_, i) => [`m${10_000 + i}`, 4]));
  const selection = new Selection(
    configOf({ rank_pattern: entries, alpha_pattern: { '(a{1,99}){1,9}': 1 } }),
    patterns,
  );
  const begun = performance.now();
  let unread = 0;
  for (let i = 0; i < 20_000; i++) if (selection.scaleOf(`m${20_000 + i}x`) === null) unread++;
  t.comment(`${unread} of 20,000 modules unread after ${Math.round(performance.now() - begun)} ms`);
  t.ok(unread > 0, 'the budget ends it');
});

t.test('no configuration and no name breaks the reader', async () => {
  const value = fc.oneof(
    fc.jsonValue(),
    fc.constantFrom(0, -1, 1e308, '', [], {}, null, true, ['q'], { q: 2 }),
  );
  const keys = [
    'r',
    'lora_alpha',
    'target_modules',
    'rank_pattern',
    'layers_to_transform',
    'modules_to_save',
    'bias',
  ];
  fc.assert(
    fc.property(
      fc.dictionary(fc.constantFrom(...keys), value),
      fc.string({ unit: 'binary' }),
      (fields, name) => {
        const { config } = readAdapterConfig(Buffer.from(JSON.stringify(fields)));
        const scale = new Selection(config!, new Patterns()).scaleOf(name);
        factorName(name, 'safetensors');
        return scale === null || scale.rank > 0;
      },
    ),
  );
  fc.assert(
    fc.property(fc.uint8Array(), (bytes) => readAdapterConfig(bytes).problems.length > 0 || bytes.length > 0),
  );
});
