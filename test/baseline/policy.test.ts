// Policies: the language, what it finds, waivers, drafts, the ready-made ones, and how long it takes.
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import t from 'tap';
import { parsePattern } from '../../src/baseline/policy/pattern/pattern.ts';
import { PatternTrie } from '../../src/baseline/policy/pattern/trie.ts';
import { matchesGlob } from '../../src/document/text/glob.ts';
import {
  draftPolicy,
  judge,
  type Profile,
  parsePolicy,
  policyCoverage,
  profile,
  type RuleId,
  SteelyardError,
  scan,
} from '../../src/index.ts';
import { toGguf } from '../kit/mutations/edit.ts';
import { baseModel, loraModel, writeModel } from '../kit/mutations/model.ts';
import { cpuTime } from '../kit/patience.ts';
import { packageRoot } from '../kit/root.ts';
import { specimenTensor } from '../kit/specimen/specimen.ts';

const TODAY = '2026-06-01';
const HEAD = 'schema: steelyard/policy/1\n';
const digest = (i: number, fill = '0'): string => `sha256:${i.toString(16).padStart(64, fill)}`;

function modelOf(tensors: [name: string, dtype: string, shape: number[]][], path = 'm.safetensors'): Profile {
  return {
    files: [
      {
        path,
        format: 'safetensors',
        size: 1000,
        sha256: digest(1, 'a'),
        tensorCount: tensors.length,
        headerSize: 100,
        metadata: [{ key: 'format', type: 'string', value: 'pt' }],
        templates: [{ name: 'default', source: 'file', digest: digest(2, 'b') }],
      },
    ],
    tensors: tensors.map(([name, dtype, shape], i) =>
      specimenTensor(name, { file: path, dtype, shape, sha256: digest(i) }),
    ),
  };
}

const rulesOf = (policy: string, model: Profile): string[] => {
  const { findings } = judge(model, [], [], { policy: parsePolicy(HEAD + policy), today: TODAY });
  return findings.map(({ rule, tensor, file }) => `${rule.slice('policy/'.length)} ${tensor ?? file}`);
};

t.test('what a policy finds', (t) => {
  const layers = modelOf([
    ['e.weight', 'BF16', [100, 8]],
    ['h.0.q.weight', 'BF16', [8, 8]],
    ['h.0.k.weight', 'BF16', [4, 8]],
    ['h.1.q.weight', 'BF16', [8, 8]],
    ['h.1.k.weight', 'BF16', [4, 8]],
  ]);
  const whole =
    'tensors:\n  e.weight: { shape: [v, d] }\n  h.{0..1}.q.weight: { shape: [d, d] }\n  h.{0..1}.k.weight: { shape: [kv, d] }\n';
  const cases: [string, string[]][] = [
    ['', []],
    [whole, []],
    [whole.replaceAll('0..1', '0..last'), []],
    [whole.replaceAll('0..1', '0..'), []],
    [whole.replaceAll('0..1', '0..2'), ['tensor-missing h.2.q.weight', 'tensor-missing h.2.k.weight']],
    [
      'tensors:\n  e.weight:\n',
      [
        'tensor-unexpected h.0.q.weight',
        'tensor-unexpected h.0.k.weight',
        'tensor-unexpected h.1.q.weight',
        'tensor-unexpected h.1.k.weight',
      ],
    ],
    ['unmatched: allow\ntensors:\n  e.weight:\n', []],
    [`${whole}  x.{0..}.weight:\n`, ['tensor-missing x.{0..}.weight']],
    [`${whole}  x.weight: { optional: true }\n`, []],
    ['tensors:\n  e.weight: { dtype: [F16, F32] }\n  h.*.*.weight:\n', ['dtype e.weight']],
    [
      'dtypes: [F16]\n',
      ['e.weight', 'h.0.q.weight', 'h.0.k.weight', 'h.1.q.weight', 'h.1.k.weight'].map((n) => `dtype ${n}`),
    ],
    [whole.replace('[kv, d]', '[kv, 2*d]'), ['shape h.0.k.weight', 'shape h.1.k.weight']],
    [
      `dimensions: { d: 16 }\n${whole.replace('e.weight: { shape: [v, d] }', 'e.weight:')}`,
      ['h.0.q', 'h.1.q', 'h.0.k', 'h.1.k'].map((n) => `shape ${n}.weight`),
    ],
    ['tensors:\n  h.**: { count: 4 }\n  e.weight: { count: [1, 2] }\n', []],
    ['tensors:\n  h.**: { count: [5, 9] }\n  e.weight:\n', ['count m.safetensors']],
    ["forbidden: ['**.k.weight', x]\n", ['tensor-forbidden h.0.k.weight', 'tensor-forbidden h.1.k.weight']],
    ['metadata: {}\n', ['metadata m.safetensors']],
    ["metadata: { f*: '*' }\n", []],
    ['metadata: { format: [tf, np] }\n', ['metadata m.safetensors']],
    ['templates: []\n', ['template m.safetensors']],
    [`templates: [${digest(2, 'b')}]\n`, []],
    ["files: ['*.safetensors']\n", []],
    ["files: ['*.json', 'x/**']\n", ['file m.safetensors']],
    [
      'limits: { files: 0, tensors: 4, size: 999, fileSize: 999, headerSize: 99 }\n',
      ['limit ', 'limit ', 'limit ', 'limit m.safetensors', 'limit m.safetensors'],
    ],
  ];
  for (const [policy, expected] of cases)
    t.same(rulesOf(policy, layers).sort(), [...expected].sort(), policy);
  t.end();
});

t.test('a layer that lacks a tensor is seen without knowing how many layers there are', (t) => {
  const model = modelOf([
    ['h.0.q', 'BF16', [8]],
    ['h.0.k', 'BF16', [8]],
    ['h.1.q', 'BF16', [8]],
  ]);
  t.same(rulesOf('tensors:\n  h.{0..last}.{q,k}: {}\n', model), ['tensor-missing h.1.k']);
  t.end();
});

t.test('documents that are refused, with their place', (t) => {
  const cases: [string, RegExp][] = [
    ['', /^p.yaml.*/],
    ['schema: steelyard/policy/2\n', /^p.yaml:1:9: schema: /],
    [`${HEAD}tensor:\n  a: {}\n`, /^p.yaml:2:1: unknown field "tensor" \(did you mean tensors\?\)/],
    [
      `${HEAD}tensors:\n  a: { dtpye: F16 }\n`,
      /^p.yaml:3:8: tensors.a: unknown field "dtpye" \(did you mean dtype\?\)/,
    ],
    [`${HEAD}tensors:\n  a: { dtype: B16 }\n`, /^p.yaml:3:15: "B16" is no dtype \(did you mean BF16\?\)/],
    [`${HEAD}tensors:\n  'a.{0..': {}\n`, /^p.yaml:3:3: "a.\{0..": a brace is not closed/],
    [`${HEAD}tensors:\n  a.b*: {}\n`, /\* stands for a whole segment/],
    [`${HEAD}tensors:\n  a: { shape: [3*] }\n`, /^p.yaml:3:16: expected a size/],
    [
      `${HEAD}severity: { stats/nann: low }\n`,
      /there is no rule "stats\/nann" \(did you mean stats\/nan\?\)/,
    ],
    [`${HEAD}failOn: never\n`, /^p.yaml:2:9: failOn: /],
    [`${HEAD}waivers:\n  - rule: stats/nan\n`, /^p.yaml:3:5: waivers.0.subject: /],
    [`${HEAD}a: &x 1\n`, /^p.yaml:2:7: no tags and no anchors/],
    [`${HEAD}name: !!str x\n`, /no tags/],
    [`${HEAD}dimensions: { <<: 1 }\n`, /the key << is not allowed/],
    [`${HEAD}dimensions: { __proto__: 1 }\n`, /the key __proto__ is not allowed/],
    [`${HEAD}name: a\nname: b\n`, /^p.yaml:3:1: the key is there twice/],
    [`${HEAD}name: ${'['.repeat(100_000)}`, /nested deeper/],
    [`${HEAD}name:\n${'- '.repeat(100_000)}`, /nested deeper/],
    [`${HEAD}name: ${'x'.repeat(5 * 2 ** 20)}`, /larger than/],
    [`%YAML 1.1\n---\n${HEAD}`, /^p.yaml:1:1: no directives/],
    [`\ufeff%YAML 1.1\n---\n${HEAD}`, /^p.yaml:1:1: no directives/],
    [
      '{"schema": "steelyard/policy/1", "limits": {"file": 1}}',
      /^p.yaml:1:45: limits: unknown field "file" \(did you mean files\?\)/,
    ],
  ];
  for (const [text, message] of cases) {
    const spent = cpuTime(() => {
      try {
        parsePolicy(text, 'p.yaml');
        t.fail(`not refused: ${text.slice(0, 80)}`);
      } catch (error) {
        t.ok(error instanceof SteelyardError && error.code === 'INVALID_POLICY', text.slice(0, 80));
        t.match((error as Error).message, message);
      }
    });
    t.ok(spent < 5000, `${spent.toFixed(0)} ms of CPU`);
  }
  t.end();
});

t.test('waivers: by content, until their day', (t) => {
  const model = modelOf([
    ['a', 'BF16', [1]],
    ['b', 'BF16', [1]],
  ]);
  const finding = (tensor: string) => ({
    rule: 'stats/nan' as RuleId,
    severity: 'high' as const,
    file: 'm.safetensors',
    tensor,
    message: 'NaN',
  });
  const waiver = (subject: string, expires: string, tensor = 'a'): string =>
    `  - { rule: stats/nan, subject: '${subject}', tensor: '${tensor}', dtype: BF16, shape: [1], reason: known, owner: me, expires: ${expires} }\n`;
  const judged = (waivers: string, tensor = 'a') =>
    judge(model, [finding(tensor)], [], { policy: parsePolicy(`${HEAD}waivers:\n${waivers}`), today: TODAY });

  const accepted = judged(waiver(digest(0), TODAY));
  t.equal(accepted.verdict.outcome, 'pass');
  t.equal(accepted.verdict.counts.high, 0);
  t.same(accepted.findings[0]!.waived, { reason: 'known', owner: 'me', expires: TODAY });

  const other = judged(waiver(digest(0), TODAY), 'b');
  t.equal(other.verdict.outcome, 'fail', 'other bytes');
  t.same(
    other.findings.map(({ rule }) => rule),
    ['stats/nan', 'policy/waiver-unused'],
  );

  const expired = judged(waiver(digest(0), '2026-05-31'));
  t.equal(expired.verdict.outcome, 'fail');
  t.same(
    expired.findings.map(({ rule }) => rule),
    ['stats/nan', 'policy/waiver-expired'],
  );

  const policy = parsePolicy(`${HEAD}waivers:\n${waiver(digest(0), TODAY)}`);
  t.throws(() => judge(model, [], [], { policy }), { code: 'USAGE' }, 'the library must be told the day');
  t.end();
});

t.test('waivers hold for the bytes under their name, in their type and shape', (t) => {
  const finding = (file: string, tensor?: string) => ({
    rule: 'stats/nan' as RuleId,
    severity: 'high' as const,
    file,
    ...(tensor === undefined ? {} : { tensor }),
    message: 'NaN',
  });
  const of = (fields: string, subject = digest(0)): string =>
    `${HEAD}waivers:\n  - { rule: stats/nan, subject: '${subject}', ${fields}, reason: x, owner: me, expires: ${TODAY} }\n`;
  const outcome = (policy: string, model: ReturnType<typeof modelOf>, file: string, tensor?: string) =>
    judge(model, [finding(file, tensor)], [], { policy: parsePolicy(policy), today: TODAY }).verdict.outcome;
  const named = of('tensor: debug.extra, dtype: BF16, shape: [2, 3]');
  const cases: readonly [string, [string, string, number[]], string][] = [
    [named, ['debug.extra', 'BF16', [2, 3]], 'pass'],
    [named, ['lm_head.weight', 'BF16', [2, 3]], 'fail'],
    [named, ['debug.extra', 'F16', [2, 3]], 'fail'],
    [named, ['debug.extra', 'BF16', [3, 2]], 'fail'],
    [of("tensor: 'debug.*', dtype: BF16, shape: [2, 3]"), ['debug.more', 'BF16', [2, 3]], 'pass'],
    [of("tensor: 'debug.*', dtype: BF16, shape: [2, 3]"), ['debug.more.still', 'BF16', [2, 3]], 'fail'],
  ];
  for (const [policy, [name, dtype, shape], expected] of cases)
    t.equal(outcome(policy, modelOf([[name, dtype, shape]]), 'm.safetensors', name), expected, name);

  const model = modelOf([['a', 'BF16', [1]]]);
  const sha256 = model.files[0]!.sha256;
  const renamed = { ...model, files: [{ ...model.files[0]!, path: 'model.safetensors' }] };
  const file = of('file: m.safetensors', sha256);
  t.equal(outcome(file, model, 'm.safetensors'), 'pass');
  t.equal(outcome(file, model, 'm.safetensors', 'a'), 'pass', 'whatever the rule says of this file');
  t.equal(
    outcome(file, renamed, 'model.safetensors'),
    'fail',
    'the same bytes under a name that loaders prefer',
  );

  const NOTHING = `sha256:${createHash('sha256').digest('hex')}`;
  const refused: readonly [string, RegExp][] = [
    [of('name: x'), /unknown field "name"/],
    [
      `${HEAD}waivers:\n  - { rule: stats/nan, subject: '${digest(0)}', reason: x, owner: me, expires: ${TODAY} }\n`,
      /names what it is for/,
    ],
    [of('tensor: a'), /names its dtype and its shape/],
    [of('file: a, dtype: BF16'), /are of a tensor/],
    [of("tensor: '**', dtype: BF16, shape: [0]", NOTHING), /all tensors without elements/],
  ];
  for (const [policy, message] of refused)
    t.throws(() => parsePolicy(policy), { code: 'INVALID_POLICY', message }, policy);
  t.doesNotThrow(() => parsePolicy(of('tensor: a, dtype: BF16, shape: [0]', NOTHING)));
  t.end();
});

t.test('digests and values of metadata are told apart, and nothing means nothing', (t) => {
  const model = modelOf([['a', 'BF16', [1]]]);
  const pin = digest(7);
  const withMetadata = (entry: object) =>
    ({
      ...model,
      files: [{ ...model.files[0]!, metadata: [{ key: 'k', type: 'string', ...entry }] }],
    }) as typeof model;
  const rules = (policy: string, profile: typeof model) =>
    judge(profile, [], [], { policy: parsePolicy(HEAD + policy) }).findings.map(({ rule }) => rule);
  const long = { digest: pin, size: 5000 };
  t.same(rules(`metadata: { k: { digest: '${pin}' } }\n`, withMetadata(long)), []);
  t.same(rules(`metadata: { k: { digest: '${pin}' } }\n`, withMetadata({ value: pin })), ['policy/metadata']);
  t.same(rules(`metadata: { k: [x, { value: '${pin}' }] }\n`, withMetadata({ value: pin })), []);
  t.same(rules(`metadata: { k: { value: '${pin}' } }\n`, withMetadata(long)), ['policy/metadata']);
  t.throws(() => parsePolicy(`${HEAD}metadata: { k: '${pin}' }\n`), { message: /digest: sha256/ });
  for (const entry of [long, { value: pin }, { value: '*' }]) {
    const drafted = draftPolicy(withMetadata(entry));
    t.same(judge(withMetadata(entry), [], [], { policy: parsePolicy(drafted) }).findings, [], drafted);
  }
  t.same(rules('tensors: {}\n', model), ['policy/tensor-unexpected']);
  t.same(rules('files: []\n', model), ['policy/file']);
  t.same(rules('metadata: {}\n', withMetadata({ value: 'v' })), ['policy/metadata']);
  t.end();
});

t.test('a draft names files, and never a pattern that a file is called like', (t) => {
  for (const path of ['**', '*', 'a*b.safetensors', 'a\\b', 'x/**/y', '\\*']) {
    const model = modelOf([['a', 'BF16', [1]]]);
    const odd = { ...model, files: [{ ...model.files[0]!, path }], tensors: [] };
    const policy = parsePolicy(draftPolicy(odd));
    const files = (name: string) =>
      judge({ ...odd, files: [{ ...odd.files[0]!, path: name }] }, [], [], { policy }).findings.length;
    t.equal(files(path), 0, path);
    t.equal(files('evil.so'), 1, `${path} does not allow evil.so`);
    t.equal(files('x/evil/y'), 1);
  }
  t.end();
});

t.test('other severities and thresholds', (t) => {
  const model = modelOf([['a', 'BF16', [1]]]);
  const outcome = (policy: string, failOn?: 'low') =>
    judge(model, [], [], { policy: parsePolicy(HEAD + policy), failOn }).verdict.outcome;
  t.equal(outcome('templates: []\n'), 'fail');
  t.equal(outcome('templates: []\nseverity: { policy/template: low }\n'), 'pass');
  t.equal(outcome('templates: []\nseverity: { policy/template: low }\nfailOn: low\n'), 'fail');
  t.equal(outcome('templates: []\nfailOn: critical\n'), 'pass');
  t.equal(outcome('templates: []\nfailOn: critical\n', 'low'), 'fail', 'who asks beats the policy');
  t.end();
});

t.test('globs and templates match what they say', (t) => {
  const globs: [string, string, boolean][] = [
    ['*', 'a', true],
    ['*', 'a/b', false],
    ['**', 'a/b', true],
    ['**/*.py', 'a.py', true],
    ['**/*.py', 'x/y/a.py', true],
    ['a/**/b', 'a/b', true],
    ['a/**/b', 'a/x/y/b', true],
    ['a*c*e', 'abcde', true],
    ['a*c*e', 'abcd', false],
    ['*.json', '.json', true],
    ['?', 'a', false],
  ];
  for (const [glob, path, expected] of globs) t.equal(matchesGlob(glob, path), expected, `${glob} ${path}`);
  const begun = performance.now();
  matchesGlob('*a'.repeat(500), `${'a'.repeat(5000)}b`);
  t.comment(`500 stars on 5,000 characters: ${Math.round(performance.now() - begun)} ms`);

  const templates: [string, string, boolean][] = [
    ['a.{0..3}.b', 'a.3.b', true],
    ['a.{0..3}.b', 'a.03.b', false],
    ['a.{0..3}.b', 'a.4.b', false],
    ['x{1..2}y', 'x2y', true],
    ['{q,k}_proj', 'k_proj', true],
    ['{q,k}_proj', 'v_proj', false],
    ['a.*', 'a.b.c', false],
    ['a.**', 'a.b.c', true],
    ['a.**', 'a', true],
    ['**.z', 'z', true],
    ['a.**.z.**.q', 'a.z.z.b.q', true],
  ];
  for (const [text, name, expected] of templates)
    t.equal(new PatternTrie([parsePattern(text)]).match(name).length === 1, expected, `${text} ${name}`);
  t.end();
});

t.test('a draft: the model passes, and any other does not', async (t) => {
  const folder = t.testdir({ base: {}, lora: {} });
  writeModel(baseModel(), join(folder, 'base'));
  writeModel(loraModel(), join(folder, 'lora'));
  for (const name of ['base', 'lora']) {
    const model = await profile(join(folder, name), { stats: false });
    const policy = parsePolicy(draftPolicy(model));
    t.ok(policy.tensors.length <= 10, `${model.tensors.length} tensors in ${policy.tensors.length} lines`);
    t.same(judge(model, [], [], { policy }).findings, []);
    const { lines, unmatched } = policyCoverage(policy, model);
    t.same(unmatched, []);
    t.equal(
      lines.reduce((sum, { count }) => sum + count, 0),
      model.tensors.length,
    );
    const less = { ...model, tensors: model.tensors.slice(1) };
    t.match(judge(less, [], [], { policy }).findings, [{ rule: 'policy/tensor-missing' }]);
  }
  t.end();
});

t.test('drafts of any model are kept by it', (t) => {
  const segment = fc.oneof(
    fc.nat({ max: 12 }).map(String),
    fc.constantFrom('a', 'b', 'q_proj', 'k_proj', 'w', 'true', '-', ' x', '#', 'é:'),
  );
  const name = fc.array(segment, { minLength: 1, maxLength: 4 }).map((parts) => parts.join('.'));
  const shape = fc.array(fc.nat({ max: 3 }), { maxLength: 2 });
  fc.assert(
    fc.property(
      fc.uniqueArray(fc.tuple(name, fc.constantFrom('F16', 'BF16'), shape), {
        selector: ([one]) => one,
        maxLength: 40,
      }),
      (tensors) => {
        const model = modelOf(tensors);
        const policy = parsePolicy(draftPolicy(model));
        return judge(model, [], [], { policy }).findings.length === 0;
      },
    ),
    { numRuns: 200 },
  );
  t.end();
});

t.test('ready-made policies', async (t) => {
  const folder = t.testdir({});
  const policies = new Map(
    readdirSync(join(packageRoot, 'policies'), { encoding: 'utf8' })
      .filter((name) => name !== 'canary-suite.yaml' && name.endsWith('.yaml'))
      .map((name) => [name, parsePolicy(readFileSync(join(packageRoot, 'policies', name), 'utf8'), name)]),
  );
  t.equal(policies.size, 9);
  const llama = baseModel();
  const gguf = baseModel();
  toGguf(gguf, 'Q8_0');
  const passes = {
    'llama.yaml': llama,
    'mistral.yaml': llama,
    'gguf-llama.yaml': gguf,
    'peft-lora.yaml': loraModel(),
  };
  for (const [name, model] of Object.entries(passes)) {
    writeModel(model, join(folder, name));
    const { findings } = await scan(join(folder, name), { policy: policies.get(name)! });
    t.same(
      findings.filter(({ rule }) => rule.startsWith('policy/')),
      [],
      name,
    );
  }
  const { findings } = await scan(join(folder, 'llama.yaml'), { policy: policies.get('qwen3.yaml')! });
  t.match(findings, [{ rule: 'policy/tensor-missing', message: /self_attn.\{q,k\}_norm/ }]);
});

t.test('10,000 templates, 10,000 waivers, 100,000 tensors', (t) => {
  const tensors = Array.from(
    { length: 100_000 },
    (_, i) =>
      [`m.${i % 10_000}.w${Math.floor(i / 10_000)}.x`, 'BF16', [64, 64]] as [string, string, number[]],
  );
  const model = modelOf(tensors);
  const lines = Array.from(
    { length: 10_000 },
    (_, i) => `  m.${i}.w{0..9}.x: { dtype: BF16, shape: [d, d] }\n`,
  ).join('');
  const waivers = Array.from(
    { length: 10_000 },
    (_, i) =>
      `  - { rule: stats/nan, subject: '${digest(i)}', tensor: m.${i}.w0.x, dtype: BF16, shape: [64, 64], reason: r, owner: o, expires: 2027-01-01 }\n`,
  ).join('');
  const parsing = performance.now();
  const policy = parsePolicy(`${HEAD}tensors:\n${lines}waivers:\n${waivers}`);
  t.comment(`parsed in ${Math.round(performance.now() - parsing)} ms`);
  const found = model.tensors.map(({ name }) => ({
    rule: 'stats/nan' as RuleId,
    severity: 'medium' as const,
    file: 'm.safetensors',
    tensor: name,
    message: '',
  }));
  const judging = performance.now();
  const { findings } = judge(model, found, [], { policy, today: TODAY });
  t.comment(`judged in ${Math.round(performance.now() - judging)} ms`);
  t.equal(findings.filter(({ waived }) => waived !== undefined).length, 10_000);
  t.end();
});
