// The closed table of an adapter's settings against PEFT's own fields, the budget of foreign expressions, comparisons of nothing,
// and readers of names and configurations against anything.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import t from 'tap';
import { buildFile } from '../../../fixtures/build.ts';
import { profile, scan } from '../../../src/index.ts';
import { readAdapterConfig } from '../../../src/scan/adapter/config/adapter-config.ts';
import { Patterns } from '../../../src/scan/adapter/config/expression.ts';
import { Selection } from '../../../src/scan/adapter/config/selection.ts';
import type { AdapterTensor } from '../../../src/scan/adapter/module.ts';
import { groupTensors } from '../../../src/scan/adapter/spelling/spelling.ts';
import { updateShape } from '../../../src/scan/adapter/update.ts';
import { packageRoot } from '../../kit/root.ts';

const { kinds } = JSON.parse(
  readFileSync(join(packageRoot, 'fixtures', 'compat', 'peft', 'config-fields.json'), 'utf8'),
) as { kinds: Record<string, Record<string, unknown>> };

const read = (fields: object) => readAdapterConfig(Buffer.from(JSON.stringify(fields)));

t.test('every kind of PEFT with its defaults is read without a word', (t) => {
  t.ok(Object.keys(kinds).length >= 40);
  for (const [kind, fields] of Object.entries(kinds)) {
    const { config, problems } = read({ ...fields, peft_type: kind });
    t.same(problems, [], kind);
    t.same(config!.settings, [], kind);
  }
  t.end();
});

t.test('every field of LoRA is in the table: none is told as unknown, whatever its value', (t) => {
  for (const kind of ['LORA', 'ADALORA'])
    for (const key of Object.keys(kinds[kind]!)) {
      const { config } = read({ peft_type: kind, [key]: 'something' });
      const unknown = config!.settings.filter((setting) => setting.kind === 'unknown');
      // Another way to begin is one that may rewrite the base.
      t.same(unknown.length, key === 'init_lora_weights' ? 1 : 0, `${kind}.${key}`);
    }
  t.end();
});

const expand = (count: number, key: (i: number) => string) =>
  Object.fromEntries(Array.from({ length: count }, (_, i) => [key(i), 4]));

t.test('compiling has a budget: expressions beyond it are unread', (t) => {
  for (const [what, patterns] of [
    ['large programs', expand(2000, (i) => `\\w{999}${i}`)],
    ['nested repetitions', expand(2000, (i) => `(?:\\w{30}){30}${i}`)],
    ['many', expand(50_000, (i) => `(a|b)${i}`)],
  ] as const) {
    const { config } = read({ alpha_pattern: patterns, target_modules: ['q'] });
    const budget = new Patterns();
    const selection = new Selection(config!, budget);
    const before = process.cpuUsage();
    t.equal(selection.scaleOf('model.layers.0.q'), null, what);
    const { user, system } = process.cpuUsage(before);
    t.ok(budget.unread.size > 0, what);
    t.comment(`${what}: ${Math.round((user + system) / 1000)} ms of CPU`);
  }
  t.end();
});

const honest = {
  format: 'safetensors' as const,
  tensors: [
    { name: 'base_model.model.model.layers.0.q_proj.lora_A.weight', dtype: 'F32', shape: [4, 16] },
    { name: 'base_model.model.model.layers.0.q_proj.lora_B.weight', dtype: 'F32', shape: [16, 4] },
  ],
};
const base = {
  format: 'safetensors' as const,
  tensors: [{ name: 'model.layers.0.q_proj.weight', dtype: 'F32', shape: [16, 16] }],
};

t.test('a base that nothing was held against gives no verdict', async (t) => {
  const folder = t.testdir({ adapter: {}, model: {} });
  writeFileSync(join(folder, 'base.safetensors'), buildFile({ build: base }));
  writeFileSync(join(folder, 'adapter', 'adapter_model.safetensors'), buildFile({ build: honest }));
  writeFileSync(join(folder, 'model', 'model.safetensors'), buildFile({ build: base }));
  const known = await profile(join(folder, 'base.safetensors'));
  const held = await scan(join(folder, 'adapter'), { base: known });
  t.equal(held.verdict.outcome, 'pass');
  t.match(
    held.findings.find(({ rule }) => rule === 'adapter/compared')?.message,
    '1 of 1 modules were compared with the base model',
  );
  const none = await scan(join(folder, 'model'), { base: known });
  t.equal(none.verdict.outcome, 'error');
  t.match(none.errors, [{ code: 'NOT_FOUND' }]);
  // A definite no beats an error.
  const another = { ...known, tensors: known.tensors.map((one) => ({ ...one, name: 'other.weight' })) };
  t.equal((await scan(join(folder, 'adapter'), { base: another })).verdict.outcome, 'fail');
});

t.test('no set of names breaks the grouping, and no tensor is lost', (t) => {
  const word = fc.constantFrom(
    ...'base_model.model. lora_A.weight lora_B.weight lora_A lora_E lora_down.weight alpha hada_w1_a lokr_w1 lokr_w2_a'.split(
      ' ',
    ),
    ...'diff m magnitude a1.weight ia3_l oft_R.weight vera_lambda_b lora_a lora_b .default to_q_lora.down.weight'.split(
      ' ',
    ),
  );
  const name = fc.array(fc.oneof(word, fc.constantFrom('x', 'layers.0', '', '.')), { maxLength: 5 });
  const tensor = fc.record({
    name: name.map((parts) => parts.join('.')),
    dtype: fc.constant('F32'),
    shape: fc.array(fc.nat({ max: 5 }), { maxLength: 5 }),
    start: fc.nat(),
    end: fc.nat(),
    stats: fc.constant(null),
  });
  fc.assert(
    fc.property(fc.uniqueArray(tensor, { selector: (one) => one.name }), fc.boolean(), (tensors, isPeft) => {
      const file = {
        path: 'x',
        format: 'safetensors' as const,
        metadata: [],
        tensors: tensors as AdapterTensor[],
      };
      const { modules, others } = groupTensors(file, isPeft);
      for (const module of modules)
        if (module.family !== 'loha' || Object.keys(module.parts).length === 4) updateShape(module, false);
      const held = modules.reduce((sum, { parts }) => sum + Object.keys(parts).length, 0);
      return held + others.length === tensors.length;
    }),
    { numRuns: 2000 },
  );
  t.end();
});

t.test('ten thousand mutants of configurations: read, or told', (t) => {
  const texts = [
    { ...kinds.LORA, peft_type: 'LORA', rank_pattern: { q: 4 }, target_modules: ['q'] },
    { ...kinds.ADALORA, peft_type: 'ADALORA' },
    { fine_tune_type: 'lora', lora_parameters: { rank: 8, scale: 20 } },
  ].map((one) => Buffer.from(JSON.stringify(one)));
  let told = 0;
  fc.assert(
    fc.property(
      fc.nat({ max: texts.length - 1 }),
      fc.array(fc.tuple(fc.nat({ max: 2000 }), fc.nat({ max: 255 })), { minLength: 1, maxLength: 4 }),
      (which, edits) => {
        const bytes = Uint8Array.from(texts[which]!);
        for (const [at, byte] of edits) bytes[at % bytes.length] = byte;
        const reading = readAdapterConfig(bytes);
        if (reading.problems.length > 0) told++;
        return reading.problems.length > 0 || reading.config !== null || reading.mlx !== null;
      },
    ),
    { numRuns: 10_000 },
  );
  t.ok(told > 1000, `${told} were told`);
  t.end();
});

t.test('a folder of ten thousand modules takes time in proportion', async (t) => {
  const cost = async (count: number): Promise<number> => {
    const folder = join(t.testdirName, String(count));
    mkdirSync(folder, { recursive: true });
    const tensors = Array.from({ length: count }, (_, i) => [
      { name: `lora_unet_block_${i}.lora_down.weight`, dtype: 'F16', shape: [2, 2] },
      { name: `lora_unet_block_${i}.lora_up.weight`, dtype: 'F16', shape: [2, 2] },
    ]).flat();
    writeFileSync(join(folder, 'a.safetensors'), buildFile({ build: { format: 'safetensors', tensors } }));
    const before = process.cpuUsage();
    await scan(folder);
    const { user, system } = process.cpuUsage(before);
    return user + system;
  };
  t.testdir({});
  await cost(500);
  const [few, many] = [await cost(1500), await cost(6000)];
  t.ok(many < 12 * few, `four times the modules: ${(many / few).toFixed(1)} times the CPU`);
});
