// Models of several files: each rule broken alone, and beside it what an honest writer makes that looks like it.
import { mkdirSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type Test, test } from 'tap';
import { buildFile } from '../../../fixtures/build.ts';
import { type RuleId, scan } from '../../../src/index.ts';

type Content = string | Uint8Array | Record<string, unknown>;
type Files = Record<string, Content>;

/** U8 tensors of four bytes. */
const weights = (...names: string[]): Uint8Array =>
  buildFile({
    build: { format: 'safetensors', tensors: names.map((name) => ({ name, dtype: 'U8', shape: [4] })) },
  });

const split = (
  no: number,
  count: number,
  total: number,
  names: string[],
  changes: object[] = [],
): Uint8Array => {
  const metadata = [
    { key: 'split.no', type: 'u16', value: no },
    { key: 'split.count', type: 'u16', value: count },
    { key: 'split.tensors.count', type: 'i32', value: total },
    ...(no === 0 ? [{ key: 'general.architecture', type: 'string', value: 'llama' }] : []),
  ].map((entry) => changes.find((change) => (change as typeof entry).key === entry.key) ?? entry);
  const more = changes.filter((change) => !metadata.includes(change as never));
  return buildFile({
    build: {
      format: 'gguf',
      metadata: [...metadata, ...more].filter((entry) => 'type' in entry) as never,
      tensors: names.map((name) => ({ name, dtype: 'I8', shape: [4] })),
    },
  });
};

const index = (map: Record<string, string>, total?: unknown): Record<string, unknown> => ({
  metadata: total === undefined ? {} : { total_size: total },
  weight_map: map,
});

const A = 'model-00001-of-00002.safetensors';
const B = 'model-00002-of-00002.safetensors';
const INDEX = 'model.safetensors.index.json';
const HONEST: Files = {
  [A]: weights('a', 'b'),
  [B]: weights('c'),
  [INDEX]: index({ a: A, b: A, c: B }, 12),
  'config.json': {},
};

function write(t: Test, files: Files): string {
  const folder = t.testdir({});
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(join(folder, dirname(path)), { recursive: true });
    const isData = typeof content === 'string' || content instanceof Uint8Array;
    writeFileSync(join(folder, path), isData ? content : JSON.stringify(content));
  }
  return folder;
}

/** What a scan of these files finds; undefined takes an honest file away. */
async function found(t: Test, changes: Record<string, Content | undefined>, base: Files = HONEST) {
  const files = Object.entries({ ...base, ...changes }).filter(
    (entry): entry is [string, Content] => entry[1] !== undefined,
  );
  const folder = write(t, Object.fromEntries(files));
  const report = await scan(folder);
  rmSync(folder, { recursive: true });
  t.same(report.errors, []);
  return report.findings.map(({ rule, severity, file, tensor, offset }) => ({
    rule,
    severity,
    file,
    tensor,
    offset,
  }));
}

async function reports(
  t: Test,
  rule: RuleId,
  changes: Record<string, Content | undefined>,
  base: Files = HONEST,
) {
  const findings = await found(t, changes, base);
  t.same([...new Set(findings.map((finding) => finding.rule))], [rule]);
  return findings[0]!;
}

const silent = async (t: Test, changes: Record<string, Content | undefined>, base: Files = HONEST) =>
  t.same(
    (await found(t, changes, base)).filter(({ severity }) => severity !== 'info'),
    [],
  );

const text = JSON.stringify(HONEST[INDEX]);

test('an honest model of several files', (t) => silent(t, {}));

test('the index and its shards are equal both ways', async (t) => {
  const missing = await reports(t, 'shard/tensor-missing', {
    [INDEX]: index({ a: A, b: A, c: B, d: B }, 12),
  });
  t.match(missing, {
    severity: 'critical',
    file: INDEX,
    tensor: 'd',
    offset: text.indexOf('"c"') + `"c":"${B}",`.length,
  });

  const unmapped = await reports(t, 'shard/tensor-unmapped', {
    [B]: weights('c', 'x'),
    [INDEX]: index({ a: A, b: A, c: B }, 16),
  });
  t.match(unmapped, { severity: 'critical', file: B, tensor: 'x' });
  t.ok(unmapped.offset! > 8);

  const misplaced = await reports(t, 'shard/tensor-misplaced', { [INDEX]: index({ a: A, b: B, c: B }, 12) });
  t.match(misplaced, { severity: 'critical', file: INDEX, tensor: 'b' });

  const duplicate = await reports(t, 'shard/tensor-duplicate', {
    [B]: weights('c', 'a'),
    [INDEX]: index({ a: A, b: A, c: B }, 16),
  });
  t.match(duplicate, { severity: 'critical', file: B, tensor: 'a' });

  t.match(await reports(t, 'shard/missing', { [B]: undefined }), {
    severity: 'critical',
    file: INDEX,
    offset: text.indexOf('"c"'),
  });
  await silent(t, { 'sub/config.json': '{}', 'sub/a.safetensors': weights('a') });
});

test('an index that is none', async (t) => {
  t.match(await reports(t, 'shard/index', { [INDEX]: { metadata: {} } }), {
    severity: 'critical',
    file: INDEX,
  });
  await reports(t, 'shard/index', { [INDEX]: `${text} {}` });
  await reports(t, 'shard/path', { [INDEX]: index({ a: A, b: A, c: B, d: '../x.safetensors' }, 12) });
  await reports(t, 'header/duplicate-key', { [INDEX]: text.replace('"b":', `"a":"${A}","b":`) });
  await silent(t, { 'vector.index.json': 'not an index of shards' });
  await silent(t, { [INDEX]: `${text}\n` });
});

test('weights of another format under an index of safetensors', async (t) => {
  const bin = 'pytorch_model.bin';
  const pickled = { [INDEX]: index({ a: A, b: A, c: B, d: bin }, 12), [bin]: Buffer.alloc(9, 7) };
  t.match(await found(t, pickled), [
    { rule: 'shard/format', severity: 'critical', file: INDEX },
    { rule: 'file/opaque', severity: 'low', file: bin },
  ]);
  // Many snapshots have the old index and leave the pickles out.
  await silent(t, { 'pytorch_model.bin.index.json': index({ a: 'pytorch_model-00001-of-00001.bin' }, 4) });
});

test('weight files that the index does not name', async (t) => {
  t.match(await reports(t, 'shard/stray', { 'extra.safetensors': weights('a') }), {
    severity: 'high',
    file: 'extra.safetensors',
  });
  await reports(t, 'shard/stray', { 'model.safetensors': weights('a', 'b', 'c') });
  const whole = { 'consolidated.safetensors': weights('a', 'b', 'c') };
  t.match(await reports(t, 'shard/alternative', whole), {
    severity: 'low',
    file: 'consolidated.safetensors',
  });
  await reports(t, 'shard/alternative', { 'model.fp16.safetensors': weights('a') });
  // A second precision with an index of its own, and a LoRA in a folder of its own.
  const C = 'model.fp16-00001-of-00001.safetensors';
  await silent(t, {
    'model.safetensors.index.fp16.json': index({ a: C }, 4),
    [C]: weights('a'),
    'lora/adapter_model.safetensors': buildFile({
      build: {
        format: 'safetensors',
        tensors: ['A', 'B'].map((x) => ({ name: `q.lora_${x}.weight`, dtype: 'F16', shape: [2, 2] })),
      },
    }),
  });
});

test('total_size', async (t) => {
  for (const total of [13, 0, 1e300, -12]) {
    const finding = await reports(t, 'shard/total-size', { [INDEX]: index({ a: A, b: A, c: B }, total) });
    t.match(finding, { severity: 'medium', file: INDEX, offset: '{"metadata":{"total_size":'.length });
  }
  await silent(t, { [INDEX]: text.replace(':12}', ':12.0}') });
  await silent(t, { [INDEX]: index({ a: A, b: A, c: B }) });
  // Tied matrices that were both written: the sum counts their storage once.
  const matrix = (name: string) =>
    buildFile({ build: { format: 'safetensors', tensors: [{ name, dtype: 'U8', shape: [2, 4] }] } });
  const tied = { [A]: matrix('embed_tokens'), [B]: matrix('lm_head') };
  await silent(t, { ...tied, [INDEX]: index({ embed_tokens: A, lm_head: B }, 8) });
  await silent(t, { ...tied, [INDEX]: index({ embed_tokens: A, lm_head: B }, 16) });
  await reports(t, 'shard/total-size', { ...tied, [INDEX]: index({ embed_tokens: A, lm_head: B }, 12) });
});

test('files that are numbered k of n', async (t) => {
  const set = (...names: string[]): Files =>
    Object.fromEntries(['config.json', ...names].map((name, i) => [name, i === 0 ? '{}' : weights(`t${i}`)]));
  const name = (k: string, n: string) => `model-${k}-of-${n}.safetensors`;
  for (const odd of [
    set(name('00001', '00003'), name('00003', '00003')),
    set(name('00001', '00002'), name('00002', '00003')),
    set(name('00001', '00002'), name('00002', '00002'), name('2', '2')),
    set(name('00000', '00002')),
    set(name('00000', '00003'), name('00001', '00003'), name('00003', '00003')),
    set(name('00002', '00001'), name('00001', '00001')),
    set(name('00001', '999999999')),
  ]) {
    t.match(await reports(t, 'shard/number', {}, odd), { severity: 'critical' });
  }
  await reports(
    t,
    'shard/number',
    { [INDEX]: index({ a: 'model-00001-of-00002.safetensors' }) },
    { [A]: weights('a') },
  );
  await reports(t, 'shard/tensor-duplicate', {}, { [A]: weights('a'), [B]: weights('a') });
  await silent(t, {}, set(name('00001', '000002'), name('00002', '000002')));
  await silent(t, {}, set(name('1', '99999999999999')));

  // gpt-oss counts from 0 to n of n, others from 0 to n - 1.
  await silent(t, {}, set(name('00000', '00002'), name('00001', '00002'), name('00002', '00002')));
  await silent(t, {}, set(name('00000', '00002'), name('00001', '00002')));

  const folder = write(t, set(name('00001', '00003')));
  const alone = await scan(join(folder, name('00001', '00003')));
  t.same(
    alone.findings.map(({ rule, severity }) => `${rule} ${severity}`),
    ['shard/alone info'],
    'a shard that is named alone is looked at alone, and it is said',
  );
});

test('splits of GGUF', async (t) => {
  const name = (k: number, n = 2) => `m-0000${k}-of-0000${n}.gguf`;
  const honest = { [name(1)]: split(0, 2, 3, ['a', 'b']), [name(2)]: split(1, 2, 3, ['c']) };
  await silent(t, {}, honest);
  await silent(t, {}, { 'merged.gguf': split(0, 0, 2, ['a', 'b']) });
  await silent(t, {}, { [name(1, 1)]: split(0, 1, 1, ['a']) });
  await silent(t, { [name(1)]: split(0, 2, 3, []), [name(2)]: split(1, 2, 3, ['a', 'b', 'c']) }, honest);

  const odd: [string, Uint8Array][] = [
    ['another number', split(0, 2, 3, ['c'], [{ key: 'general.architecture' }])],
    ['another count', split(1, 3, 3, ['c'])],
    ['no number', split(1, 2, 3, ['c'], [{ key: 'split.no' }])],
    ['a number of another type', split(1, 2, 3, ['c'], [{ key: 'split.no', type: 'u32', value: 1 }])],
    ['no count of tensors', split(1, 2, 3, ['c'], [{ key: 'split.tensors.count' }])],
  ];
  for (const [how, bytes] of odd) {
    t.match(
      await reports(t, 'shard/split', { [name(2)]: bytes }, honest),
      { severity: 'critical', file: name(2) },
      how,
    );
  }
  await reports(t, 'shard/split', {}, { 'unnumbered.gguf': split(0, 2, 3, ['a']) });
  await reports(t, 'shard/number', { [name(2)]: undefined, 'config.json': '{}' }, honest);
  t.match(await reports(t, 'shard/tensor-count', { [name(2)]: split(1, 2, 3, ['c', 'd']) }, honest), {
    severity: 'critical',
  });
  await reports(t, 'shard/tensor-duplicate', { [name(2)]: split(1, 2, 3, ['a']) }, honest);
  const other = split(1, 2, 3, ['c'], [{ key: 'general.architecture', type: 'string', value: 'bert' }]);
  t.match(await reports(t, 'shard/architecture', { [name(2)]: other }, honest), {
    severity: 'critical',
    file: name(2),
  });
});

test('paths that are one path elsewhere', async (t) => {
  const upper = { 'Config.json': '{}' };
  t.match(await reports(t, 'path/collision', upper), { severity: 'high', file: 'config.json' });
  await reports(t, 'path/collision', { 'caf\u00e9.txt': '', 'cafe\u0301.txt': '' });
  await silent(t, { 'sub/config.json': '{}', 'config2.json': '{}' });
});

test('a shard that cannot be read is an error, not missing', async (t) => {
  const folder = write(t, { ...HONEST, [B]: weights('c') });
  rmSync(join(folder, B));
  mkdirSync(join(folder, B));
  const named = await scan(join(folder, INDEX));
  t.match(named.errors, [{ code: 'NOT_REGULAR', file: B }]);
  t.same(named.findings, []);
  t.equal(named.verdict.outcome, 'error');
});

test('a hostile index costs what it holds', async (t) => {
  const map = Object.fromEntries(Array.from({ length: 5000 }, (_, i) => [`t${i}`, A]));
  const findings = await found(t, { [INDEX]: index(map) });
  const missing = findings.filter(({ rule }) => rule === 'shard/tensor-missing');
  t.equal(missing.length, 1, 'one cause, one finding');

  const folder = write(t, { [A]: weights('a'), [INDEX]: '' });
  truncateSync(join(folder, INDEX), 2 ** 28 + 1);
  const { findings: large, errors } = await scan(folder);
  t.same([large.map(({ rule }) => rule).sort(), errors], [['shard/index', 'shard/number'], []]);
});
