// Profiles as documents: who can read them, what is refused, the schemas, and the commands around them.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import t from 'tap';
import {
  jsonSchema,
  parsePolicy,
  parseProfile,
  profile,
  profileChunks,
  SteelyardError,
} from '../../../src/index.ts';
import { toDocument } from '../../../src/scan/profile/document/document.ts';
import { profileSchemas } from '../../../src/scan/profile/document/profile-schema.ts';
import { isTensorEntry } from '../../../src/scan/profile/entry.ts';
import { packageRoot } from '../../kit/root.ts';
import { specimenStats, specimenTensor } from '../../kit/specimen/specimen.ts';
import { run, steelyard } from '../../kit/steelyard.ts';

const REAL = join(packageRoot, 'fixtures', 'real');
const LORA = join(REAL, 'tiny-lora');
const textOf = (document: Parameters<typeof profileChunks>[0]): string =>
  [...profileChunks(document)].join('');

// biome-ignore lint/suspicious/noExplicitAny: a document that is broken on purpose has no type
type Broken = any;

const refusal = (text: string): string => {
  try {
    parseProfile(text);
    return 'not refused';
  } catch (error) {
    return error instanceof SteelyardError && error.code === 'INVALID_PROFILE'
      ? error.message
      : String(error);
  }
};

t.test('written and read again, it is the same', async (t) => {
  const document = await profile(LORA, { rows: true });
  const text = textOf(document);
  t.equal(textOf(document), text, 'written twice');
  t.same(parseProfile(text), document);
  t.same(
    parseProfile(JSON.stringify(JSON.parse(text), null, 4)),
    document,
    'reformatted, it has the same digest',
  );
  t.equal(textOf(await profile(LORA, { rows: true, threads: 1, io: 'pread' })), text);
  t.notMatch(text, packageRoot, 'no absolute path');
  const small = await profile(LORA, { stats: false });
  t.ok(small.tensors.every(({ stats }) => stats === null));
  t.not(small.digest, document.digest);
});

t.test('half a model, or a broken one, is no baseline', async (t) => {
  const folder = t.testdir({
    'a.safetensors': Buffer.from([255, 255, 0, 0, 0, 0, 0, 0, 123]),
    broken: { link: t.fixture('symlink', 'nowhere') },
  });
  await t.rejects(profile(join(folder, 'a.safetensors')), { code: 'INVALID_PROFILE', message: /critical/ });
  await t.resolves(profile(join(folder, 'a.safetensors'), { acceptCritical: true }));
  await t.rejects(profile([LORA, join(folder, 'broken')]), { code: 'NOT_REGULAR' });
});

t.test('documents that are refused, with path and reason', async (t) => {
  const text = textOf(await profile(LORA));
  const edited = (edit: (document: Broken) => void): string => {
    const document = JSON.parse(text) as Broken;
    edit(document);
    return JSON.stringify(document);
  };
  const cases: [string, RegExp][] = [
    ['', /^the profile: not JSON/],
    ['[]', /^the profile: /],
    [edited((d) => (d.schema = 'steelyard/profile/2')), /^schema: /],
    [edited((d) => (d.extra = 1)), /^the profile: unknown field "extra"/],
    [edited((d) => (d.tensors[3].shape[0] = -1)), /^tensors\[3\].shape\[0\]: /],
    [edited((d) => (d.tensors[3].stats.mean = '1')), /^tensors\[3\].stats.mean: /],
    [
      edited((d) => (d.tensors[3].stats.histogram.positive.first = 1e9)),
      /^tensors\[3\].stats.histogram.positive.first: /,
    ],
    [edited((d) => (d.tensors[3].evil = 1)), /^tensors\[3\]: unknown field "evil"/],
    [text.replace('"name"', '"__proto__"'), /^tensors\[0\]/],
    [edited((d) => (d.tensors[1].name = d.tensors[0].name)), /^tensors\[1\].name: .* twice/],
    [edited((d) => (d.tensors[1].file = 'other')), /^tensors\[1\].file: "other" is not one of the files/],
    [edited((d) => (d.files[1].path = d.files[0].path)), /^files\[1\].path: .* twice/],
    [edited((d) => d.tensors.pop()), /^files\[1\].tensorCount: /],
    [
      edited((d) => (d.tensors[5].sha256 = `sha256:${'0'.repeat(64)}`)),
      /^digest: the content is not the one/,
    ],
    [edited((d) => (d.tensors[5].stats.mean = 0.5)), /^digest: the content is not the one/],
    [edited((d) => (d.tensors[5].dtype = 'BF16')), /^digest: the content is not the one/],
    [edited((d) => (d.digest = `sha256:${'0'.repeat(64)}`)), /^digest: /],
  ];
  for (const [document, message] of cases) t.match(refusal(document), message);
});

t.test('the hand-checked entries are those of the schema', (t) => {
  const entry = specimenTensor('x', { sha256: `sha256:${'0'.repeat(64)}` });
  const values = fc.constantFrom<unknown>(
    null,
    undefined,
    0,
    -1,
    0.5,
    2 ** 60,
    Number.NaN,
    '',
    '-12',
    'values',
    [],
    {},
    true,
    [1],
    { first: 1, counts: [1] },
  );
  const paths = leaves(entry);
  t.ok(isTensorEntry(entry) && profileSchemas().TensorEntry.safeParse(entry).success);
  fc.assert(
    fc.property(fc.constantFrom(...paths), values, fc.boolean(), (path, value, isAdded) => {
      const changed = structuredClone(entry) as never;
      const parent = path.slice(0, -1).reduce((at: Broken, key) => at[key], changed);
      if (isAdded && !Array.isArray(parent)) parent.more = value;
      else parent[path.at(-1)!] = value;
      return isTensorEntry(changed) === profileSchemas().TensorEntry.safeParse(changed).success;
    }),
    { numRuns: 3000 },
  );
  t.end();
});

function leaves(value: unknown, path: (string | number)[] = []): (string | number)[][] {
  if (typeof value !== 'object' || value === null) return [path];
  const keys = Array.isArray(value) ? value.slice(0, 2).map((_, i) => i) : Object.keys(value);
  return [
    ...(path.length === 0 ? [] : [path]),
    ...keys.flatMap((key) => leaves((value as Broken)[key], [...path, key])),
  ];
}

t.test('a profile of 100,000 tensors', (t) => {
  const make = (stats: ReturnType<typeof specimenStats> | null) =>
    Array.from({ length: 100_000 }, (_, i) =>
      specimenTensor(`model.layers.${i >> 3}.w${i & 7}.weight`, {
        sha256: `sha256:${i.toString(16).padStart(64, '0')}`,
        stats,
      }),
    );
  const file = {
    path: 'shard-1.safetensors',
    format: 'safetensors' as const,
    size: 1e9,
    sha256: `sha256:${'a'.repeat(64)}`,
    tensorCount: 100_000,
    headerSize: 1e6,
    metadata: [],
    templates: [],
  };
  for (const [name, stats] of [
    ['digests alone', null],
    ['with statistics', specimenStats()],
  ] as const) {
    const text = textOf(toDocument({ files: [file], tensors: make(stats) }));
    const begun = performance.now();
    t.equal(parseProfile(text).tensors.length, 100_000);
    t.comment(
      `${name}: ${(text.length / 1e6).toFixed(0)} MB read in ${Math.round(performance.now() - begun)} ms`,
    );
  }
  t.end();
});

t.test('the commands: profile, check, policy init, policy test, schema', async (t) => {
  const folder = t.testdir({});
  const at = (name: string): string => join(folder, name);
  const made = await steelyard(['profile', LORA, '-o', at('base.json')]);
  t.same([made.code, made.stdout], [0, '']);
  t.match(made.stderr, /24 tensors, sha256:[0-9a-f]{64}; the profile is in/);
  t.equal((await steelyard(['profile', LORA, '--no-stats'])).code, 0);

  const same = await steelyard(['check', LORA, '--baseline', at('base.json')]);
  t.match(same.stdout, /^PASS/m);
  t.equal(same.code, 0);
  const other = await steelyard([
    'check',
    join(REAL, 'reference-f16.safetensors'),
    '--baseline',
    at('base.json'),
    '--mode',
    'derived',
  ]);
  t.match(other.stdout, /CRITICAL {2}compare\/another-model/);
  t.equal(other.code, 1);
  const scanned = await steelyard(['scan', LORA, '--baseline', at('base.json'), '--format', 'json']);
  t.match(JSON.parse(scanned.stdout).findings, [{ rule: 'adapter/scale', severity: 'info' }]);

  t.equal((await steelyard(['policy', 'init', at('base.json'), '-o', at('p.yaml')])).code, 0);
  t.ok(parsePolicy(readFileSync(at('p.yaml'), 'utf8')).tensors.length > 0);
  const tested = await steelyard(['policy', 'test', at('p.yaml'), at('base.json')]);
  t.match(tested.stdout, /line \d+ .*12 tensors.*\{attn,proj\}[\s\S]*No line matches 0 tensors[\s\S]*PASS/);
  t.equal(tested.code, 0);
  t.equal(
    (await steelyard(['check', LORA, '--baseline', at('base.json'), '--policy', at('p.yaml')])).code,
    0,
  );

  t.same(JSON.parse((await steelyard(['schema', 'policy'])).stdout), jsonSchema('policy'));
  writeFileSync(at('bad.json'), '{}');
  const bad: [string[], RegExp][] = [
    [['check', LORA], /required option '--baseline <file>'/],
    [['check', LORA, '--baseline', at('bad.json')], /INVALID_PROFILE: schema: /],
    [['scan', LORA, '--policy', at('bad.json')], /INVALID_POLICY: .*bad\.json:1:1: schema: /],
    [['scan', LORA, '--mode', 'derived'], /USAGE: mode derived says how/],
    [['schema', 'bom'], /Allowed choices are/],
  ];
  for (const [args, message] of bad) {
    const { code, stderr, stdout } = await steelyard(args);
    t.match(stderr, message);
    t.same([code, stdout], [2, '']);
  }
});

t.test('examples/upload-gate.ts', async (t) => {
  const folder = t.testdir({});
  const baseline = join(folder, 'base.json');
  writeFileSync(baseline, textOf(await profile(LORA)));
  const gate = (upload: string) =>
    run([process.execPath, join(packageRoot, 'out/examples/upload-gate.js'), upload, baseline]);
  const accepted = await gate(LORA);
  t.match(accepted.stdout, /^info adapter\/scale .*\naccepted\n$/);
  t.equal(accepted.code, 0);
  const refused = await gate(join(REAL, 'reference-f16.safetensors'));
  t.match(refused.stdout, /^critical compare\/another-model [\s\S]*refused: fail\n$/);
  t.equal(refused.code, 1);
});
