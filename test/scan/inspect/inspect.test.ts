// The inspection of single files: silent on honest ones, fast and unbreakable on hostile ones, and the same in a whole scan.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import t from 'tap';
import { buildFile, type Fixture } from '../../../fixtures/build.ts';
import { readVectors } from '../../../fixtures/vectors.ts';
import { writeVectors } from '../../../fixtures/written.ts';
import { readJson } from '../../../src/document/json/value.ts';
import { Violations } from '../../../src/document/violations.ts';
import { scan } from '../../../src/index.ts';
import { RULES, SEVERITIES } from '../../../src/rules/rules.ts';
import { atOnce } from '../../../src/runtime/turn.ts';
import { memory as bytesOf, recognize } from '../../../src/scan/format/disguise/magic.ts';
import { followPickle } from '../../../src/scan/format/disguise/pickle.ts';
import { checkPolyglot } from '../../../src/scan/format/disguise/polyglot.ts';
import type { Layout, TensorLayout } from '../../../src/scan/format/layout.ts';
import { inspectHeader } from '../../../src/scan/inspect/header.ts';
import { skeletonOf } from '../../../src/scan/inspect/names/confusables.ts';
import { cpuTime } from '../../kit/patience.ts';
import { packageRoot } from '../../kit/root.ts';
import { inspected, read, ruleSet, severityOf } from '../../kit/specimen/inspected.ts';
import { MAIN, run } from '../../kit/steelyard.ts';

const VECTORS = join(packageRoot, 'fixtures', 'vectors');
const REAL = join(packageRoot, 'fixtures', 'real');
const OWN = /^(file|header|gguf|tensor|data|name|metadata|stats)\//;

t.test('a whole scan says of each vector what the vector expects', async (t) => {
  const folder = t.testdir({});
  const manifest = writeVectors(folder);
  const { findings, complete } = await scan(folder);
  t.equal(complete, true);
  const rules = new Map(manifest.map(({ path }) => [path, new Set<string>()]));
  for (const { file, rule } of findings) if (OWN.test(rule)) rules.get(file)?.add(rule);
  for (const { path, rules: expected } of manifest)
    t.strictSame([...rules.get(path)!].sort(), expected, path);
});

t.test('honest files are silent', async (t) => {
  for (const path of readdirSync(REAL, { recursive: true, encoding: 'utf8' })) {
    const format = /\.(safetensors|gguf)$/.exec(path)?.[1] as 'safetensors' | 'gguf' | undefined;
    if (format === undefined || path.startsWith('threatflux')) continue;
    t.strictSame(inspected(format, readFileSync(join(REAL, path))), [], path);
  }
  const honest = readVectors(VECTORS).filter(({ rules }) => rules.length === 0);
  t.ok(honest.length >= 90, `${honest.length} vectors expect no rule at all`);
});

t.test('every rule says why, what to do, and has its severity among the five', async (t) => {
  for (const [id, { severity, title, hint, why }] of RULES) {
    t.match(id, /^[a-z]+\/[a-z0-9-]+$/);
    t.ok(SEVERITIES.includes(severity) && title.length > 10 && hint.length > 10 && why.length > 20, id);
    t.ok(title.length <= 110 && !/[.\n]$/.test(title), `${id}: the title is a line`);
  }
});

const opcodes = (text: string) => followPickle(bytesOf(Buffer.from(text, 'latin1')));

t.test('pickles', async (t) => {
  t.match(opcodes("cos\nsystem\n(S'id'\ntR."), { imports: 'os system', complete: true });
  t.match(opcodes("(S'id'\nios\nsystem\n."), { imports: 'os system', complete: true }, 'INST');
  t.match(
    opcodes('\x80\x02cos\nsystem\n'),
    { imports: 'os system', complete: false },
    'cut off after the import',
  );
  t.match(opcodes('\x8c\x02os\x8c\x06system\x93.'), { complete: true, imports: 'os system' });
  t.match(
    opcodes('\x8c\x02os\x94\x8c\x06system\x9400h\x00h\x01\x93.'),
    { imports: 'os system' },
    'through the memo',
  );
  t.match(opcodes('(0cos\nsystem\n.'), { imports: 'os system' }, 'POP takes a mark');
  t.match(opcodes('}q\x00(U\x01aK\x01u.'), { imports: null, complete: true }, 'data');
  for (const broken of [
    '.',
    'R.',
    'a',
    '',
    'cos\n',
    'cos system\nx\n.',
    'h\x00.',
    'X\xff\xff\xff\xff.',
    '1.',
    'u.',
    'N(NR.',
  ]) {
    t.equal(opcodes(broken), null, JSON.stringify(broken));
  }
  const long = followPickle(bytesOf(Buffer.alloc(1000, 'N0')), 0, 100);
  t.match(long, { complete: false, imports: null }, 'very many opcodes are told from an error');
});

t.test('chance makes no magic', async (t) => {
  let state = 1;
  const random = Buffer.alloc(4 * 2 ** 20);
  for (let i = 0; i < random.length; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    random[i] = state >>> 24;
  }
  for (let at = 0; at < random.length; at += 2 ** 20)
    t.equal(recognize(random.subarray(at, at + 2 ** 20)), null);
});

t.test('look-alikes', async (t) => {
  t.equal(skeletonOf('lm_he\u0430d \u0391\u0392\u0421 \u03bf'), 'lm_head ABC o');
  t.equal(skeletonOf('модель'), 'мoдeль', 'what looks like nothing of ASCII stays');
});

t.test('JSON inside of metadata', async (t) => {
  t.strictSame(readJson('{"a":[1,-2.5e3,true,null,"\\u00e9"],"__proto__":{}}'), {
    value: new Map<string, unknown>([
      ['a', [1, -2500, true, null, 'é']],
      ['__proto__', new Map()],
    ]),
  });
  for (const wrong of ['', '{', '{"a":1,"a":1}', '[1,]', '{} x', "{'a':1}", 'NaN', '01', '"\\ud800"']) {
    t.match(readJson(wrong), { wrong: /./ }, JSON.stringify(wrong));
  }
});

t.test('offsets lead to the evidence', async (t) => {
  const elf = readVectors(VECTORS).find(({ name }) => name === 'trailing-pe-behind-zeros')!;
  const payload = inspected(elf.format, elf.bytes).find(({ rule }) => rule === 'data/payload');
  t.equal(payload?.offset, Buffer.from(elf.bytes).indexOf('MZ'));
  const bytes = buildFile({ build: { format: 'safetensors', metadata: [['a\u202e', 'b']] } });
  const [name] = inspected('safetensors', bytes);
  t.equal(name?.offset, Buffer.from(bytes).indexOf('"b"'), 'of a key, its value');
});

// Headers as hostile as they can be while they can be read: whatever they say, inspection ends, soon, and without a throw.
const text = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 40 }),
  fc.constantFrom(
    'tokenizer.ggml.tokens',
    'lora_adapter_metadata',
    'r',
    'alpha',
    '[[[[',
    '{"r":{}}',
    'c\nc\nR.',
    '../',
    '\0',
  ),
);
const item = fc.oneof(text, fc.double(), fc.bigInt(), fc.boolean());
const arrayOf = fc.record({
  elementType: fc.constantFrom('u8', 'i8', 'f32', 'string', 'array', 'u64'),
  items: fc.array(item),
});
const key = fc.oneof(
  text,
  fc.constantFrom(
    'general.architecture',
    'x.block_count',
    'x.attention.head_count',
    'x.attention.head_count_kv',
    'x.embedding_length',
    'tokenizer.ggml.scores',
    'tokenizer.ggml.merges',
    'tokenizer.ggml.eos_token_id',
    'general.file_type',
    'clip.vision.image_mean',
  ),
);
const hostile = fc.record({
  format: fc.constantFrom('safetensors' as const, 'gguf' as const),
  headerSize: fc.constant(8),
  metadata: fc.array(
    fc.record({
      key,
      type: fc.constantFrom('string', 'u32', 'array', 'f32'),
      value: fc.oneof(item, arrayOf, fc.constant('x')),
      start: fc.nat(),
      end: fc.nat(),
    }),
    { maxLength: 12 },
  ),
  tensors: fc.array(
    fc.record({
      name: fc.oneof(text, fc.constant('blk.999999999.a')),
      dtype: fc.constantFrom('F32', 'ggml:999'),
      shape: fc.array(fc.nat(), { maxLength: 4 }),
      count: fc.nat(),
      start: fc.nat(),
      end: fc.nat(),
    }),
    { maxLength: 6 },
  ),
  violations: fc.constant([]),
});

t.test('no header breaks the inspection', async (t) => {
  const seen = new Set<string>();
  fc.assert(
    fc.property(hostile, (layout) => {
      for (const { rule, message } of atOnce(inspectHeader(layout as Layout))) {
        seen.add(rule);
        if (!RULES.has(rule)) throw new Error(`no rule ${rule}`);
        // biome-ignore lint/suspicious/noControlCharactersInRegex: that is the point
        if (/[\x00-\x1f\x7f-\x9f\u202a-\u202e]/.test(message))
          throw new Error(`a message with controls: ${rule}`);
        if (message.length > 1000) throw new Error(`a message of ${message.length} characters: ${rule}`);
      }
    }),
    { numRuns: 5000 },
  );
  t.ok(seen.size > 15, `broke ${[...seen].sort()}`);
});

const header = (metadata: [string, string][], names: readonly string[] = []): Layout => ({
  format: 'safetensors',
  headerSize: 8,
  metadata: metadata.map(([name, value]) => ({ key: name, type: 'string', value, start: 8, end: 9 })),
  tensors: names.map((name): TensorLayout => ({ name, dtype: 'U8', shape: [1], count: 1, start: 8, end: 9 })),
  violations: [],
});
const LONG = 2 ** 21;
const SLOW: [what: string, layout: () => Layout][] = [
  ['one letter', () => header([['notes', 'a'.repeat(LONG)]])],
  [
    'dots and slashes',
    () =>
      header([
        ['x_path', './'.repeat(LONG / 2)],
        ['y_path', '../'.repeat(LONG / 3)],
      ]),
  ],
  [
    'almost links',
    () =>
      header([
        ['notes', 'http://a '.repeat(LONG / 9)],
        ['b', 'data:'.repeat(LONG / 5)],
      ]),
  ],
  [
    'almost media types',
    () =>
      header([
        ['notes', `data:${'a'.repeat(LONG)}`],
        ['b', 'data:a/'.repeat(LONG / 7)],
      ]),
  ],
  [
    'almost magics',
    () =>
      header([
        ['notes', 'MZ'.repeat(LONG / 2)],
        ['b', 'PK\u0003\u0004'.repeat(LONG / 4)],
      ]),
  ],
  [
    'almost pickles',
    () =>
      header([
        ['notes', '\u0080\u0002N0'.repeat(LONG / 4)],
        ['b', '('.repeat(LONG)],
      ]),
  ],
  ['almost gzip', () => header([['notes', '\u001f\u008b\u0008\0\0\0\0\0\0\u0003'.repeat(LONG / 10)]])],
  [
    'line breaks',
    () =>
      header([
        ['notes', '\n'.repeat(LONG)],
        ['b', 'a\n'.repeat(LONG / 2)],
      ]),
  ],
  [
    'deep JSON',
    () =>
      header([
        ['lora_adapter_metadata', '['.repeat(2 ** 20)],
        ['config', '{"a":'.repeat(2 ** 17)],
      ]),
  ],
  [
    'long names',
    () =>
      header([], ['а'.repeat(2 ** 18), 'a\u0301'.repeat(2 ** 17), '.'.repeat(2 ** 18), '1'.repeat(2 ** 18)]),
  ],
  [
    'many names',
    () =>
      header(
        [],
        Array.from({ length: 60_000 }, (_, i) => `Ä${i}\0.Х;../${i}`),
      ),
  ],
  [
    'many keys',
    () => header(Array.from({ length: 50_000 }, (_, i) => [`K${i}`, 'x'.repeat(20)] as [string, string])),
  ],
];

t.test('time grows with the header and no faster', async (t) => {
  for (const [what, layout] of SLOW) {
    const built = layout();
    const spent = cpuTime(() => atOnce(inspectHeader(built)));
    // Quadratic would be minutes: the bound only has to tell the two apart on any machine.
    t.ok(spent < 20_000, `${what}: ${spent.toFixed(0)} ms of CPU`);
    t.comment(`${what}: ${spent.toFixed(0)} ms`);
  }
});

t.test('places are counted, not listed without end', async (t) => {
  const keys = Array.from({ length: 5000 }, (_, i) => `a;${i}`);
  const found = atOnce(inspectHeader(header([], keys)));
  t.equal(found.length, 101);
  t.match(found.at(-1)?.message, /4900/);
});

t.test('hidden bytes: what is read of them is bounded', async (t) => {
  const build: Fixture = {
    build: { format: 'safetensors', tensors: [{ name: 'a', dtype: 'U8', shape: [8] }] },
  };
  const bytes = Buffer.concat([buildFile(build), Buffer.alloc(3 * 2 ** 20, 'MZ\x7fELF\x80\x02N0')]);
  const [trailing] = read('safetensors', bytes).violations;
  t.match(trailing, { rule: 'data/trailing-bytes', message: /3145728 bytes .* in the first 1048576/ });
});

t.test('a program of 600 MB', async (t) => {
  // The offset of its header is text of ours: four spaces are 0x20202020.
  const length = 0x5a4d;
  const header = Buffer.from(buildFile({ build: { format: 'safetensors', header: '{}', padTo: length } }));
  const program = (magic: string): string[] => {
    const violations = new Violations();
    const read = (start: number, size: number): Uint8Array => {
      const bytes = Buffer.alloc(size);
      if (start < header.length) header.copy(bytes, 0, start);
      if (start === 0x20202020) bytes.write(magic, 'latin1');
      return bytes;
    };
    checkPolyglot({ size: 600_000_000, read }, violations);
    return violations.list().map(({ rule }) => rule);
  };
  t.strictSame(program('PE\0\0'), ['file/polyglot']);
  t.strictSame(program('PE\0\x01'), []);
});

t.test('a disguise hides behind no other rule', async (t) => {
  for (const { name, format, bytes, rules } of readVectors(VECTORS)) {
    if (!rules.some((rule) => rule.startsWith('file/') && rule !== 'file/polyglot')) continue;
    t.equal(inspected(format, bytes).length, 1, `${format} ${name}: one finding`);
    t.ok(
      ['high', 'critical'].includes(severityOf(inspected(format, bytes)[0]!.rule)),
      'and it fails the verdict',
    );
  }
  t.strictSame(ruleSet([]), []);
});

t.test('steelyard rules and steelyard explain', async (t) => {
  const steelyard = (...args: string[]) => run([process.execPath, MAIN, ...args]);
  const list = await steelyard('rules');
  for (const id of RULES.keys()) t.ok(list.stdout.includes(` ${id} `), id);
  const json = JSON.parse((await steelyard('rules', '--format', 'json')).stdout) as { id: string }[];
  t.strictSame(
    json.map(({ id }) => id),
    [...RULES.keys()],
  );
  const { stdout, code } = await steelyard('explain', 'tensor/size-overflow');
  t.equal(code, 0);
  t.match(stdout, /critical\n.*overflows 64 bits[\s\S]*Why\n[\s\S]*What to do\n[\s\S]*CVE-2025-53630/);
  for (const [word, suggestion] of [
    ['stat/nan', /did you mean stats\/nan[?,]/],
    ['overlap', /did you mean data\/overlap\?/],
    ['metadata/paylod', /did you mean metadata\/payload/],
    ['x'.repeat(1000), /steelyard rules lists them/],
  ] as const) {
    const unknown = await steelyard('explain', word);
    t.match(unknown, { code: 2, stdout: '', stderr: suggestion });
  }
});
