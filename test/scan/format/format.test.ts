// The container readers against vectors, real files, random files, mutated files and other people's readers.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { GGMLQuantizationType, gguf } from '@huggingface/gguf';
import { parseSafetensorsMetadata } from '@huggingface/hub';
import fc from 'fast-check';
import t from 'tap';
import { buildFile } from '../../../fixtures/build.ts';
import { readVectors, Vector } from '../../../fixtures/vectors.ts';
import { quoted } from '../../../src/document/violations.ts';
import { SteelyardError } from '../../../src/rules/error.ts';
import { RULES, type RuleId } from '../../../src/rules/rules.ts';
import { atOnce } from '../../../src/runtime/turn.ts';
import { DTYPES, dtypeByName } from '../../../src/scan/dtype.ts';
import { detectFormat, readLayout } from '../../../src/scan/format/format.ts';
import type {
  ByteSource,
  Format,
  Layout,
  MetadataArray,
  MetadataValue,
  Unreadable,
} from '../../../src/scan/format/layout.ts';
import { readShardIndex } from '../../../src/scan/format/safetensors/shard-index.ts';
import { breachOfReader } from '../../kit/fuzz/law.ts';
import { mutants } from '../../kit/fuzz/mutant.ts';
import { TARGETS } from '../../kit/fuzz/targets.ts';
import { cpuTime } from '../../kit/patience.ts';
import { packageRoot } from '../../kit/root.ts';
import { inspected, memory, read, ruleSet } from '../../kit/specimen/inspected.ts';

const folder = (...path: string[]): string => join(packageRoot, 'fixtures', ...path);
const vectors = readVectors(folder('vectors'));

interface Known {
  readonly name: string;
  readonly format: Format;
  readonly bytes: Uint8Array;
  readonly rules: readonly string[];
}

// Its three tensors all have offset 0, in a data section that has room for each. By gguf.cpp an offset must be the sum of
// the padded sizes before it, so this file is not well formed, whoever wrote it.
const MALFORMED_REAL = {
  file: 'threatflux-three-tensors.gguf',
  rules: ['data/overlap', 'data/trailing-bytes'],
};
const TENSORS: Record<string, number> = {
  'candle-voices.safetensors': 2,
  'ggml-vocab-bert-bge.gguf': 0,
  'ggml-vocab-llama-spm.gguf': 0,
  'ggml-vocab-phi-3.gguf': 0,
  'r-writer.safetensors': 2,
  'reference-all-dtypes.safetensors': 9,
  'reference-f16.safetensors': 1,
  'threatflux-three-tensors.gguf': 3,
  'adapter_model.safetensors': 24,
};
const real: Known[] = readdirSync(folder('real'), { recursive: true, encoding: 'utf8' }).flatMap((path) => {
  const name = path.split('/').at(-1)!;
  const format = detectFormat(name, new Uint8Array(0));
  if (format === null) return [];
  const rules = name === MALFORMED_REAL.file ? MALFORMED_REAL.rules : [];
  return [{ name, format, bytes: readFileSync(folder('real', path)), rules }];
});

const rulesOf = ({ violations }: Layout | Unreadable): string[] =>
  [...new Set(violations.map((v) => v.rule))].sort();

function layoutOf(format: Format, bytes: Uint8Array): Layout {
  const layout = read(format, bytes);
  if (layout.headerSize === null) throw new Error(JSON.stringify(layout.violations));
  return layout;
}

t.test('vectors', async (t) => {
  for (const format of ['safetensors', 'gguf'] as const) {
    const own = vectors.filter((vector) => vector.format === format);
    t.equal(new Set(own.map(({ name }) => name)).size, own.length, `${format}: names are unique`);
    for (const { name, bytes, rules } of own) {
      const broken = inspected(format, bytes);
      t.strictSame(ruleSet(broken), rules, `${format} ${name}`, { broken });
      t.equal(breachOfReader(format, bytes), null, `${format} ${name}: lawful`);
    }
  }
});

t.test('what the reference of its format refuses is critical', async (t) => {
  for (const { name, format, rules, loaders } of vectors) {
    const answer = loaders[format === 'gguf' ? 'ggml' : 'safetensors'];
    t.ok(answer, `${format} ${name}: the reference was asked`);
    const severities = rules.map((rule) => RULES.get(rule as RuleId)!.severity);
    if (answer === 'reject') t.ok(severities.includes('critical'), `${format} ${name}: ${rules}`);
  }
});

t.test('every rule about one file has a vector, every vector names rules', async (t) => {
  const seen = new Set(vectors.flatMap(({ rules }) => rules));
  const own = /^(file|header|gguf|tensor|data|name|metadata|stats)\//;
  // Those of files beside the weights have vectors of their own (beside.json), those of whole models test/scan/inspect/values.
  const beside =
    /^(file\/(program|runs-code|opaque|json|digest|digest-match|unfinished)|tensor\/(empty|config)|gguf\/token-role|stats\/(zero|zero-run|group|index))$/;
  for (const rule of RULES.keys()) if (own.test(rule) && !beside.test(rule)) t.ok(seen.has(rule), rule);
  for (const rule of seen) t.ok(RULES.has(rule as RuleId), `${rule} is in the table`);
});

t.test('a misspelt field of a vector is refused', async (t) => {
  const vector = { name: 'a', comment: 'b', build: { format: 'gguf' }, expect: 'ok' };
  t.ok(Vector.safeParse(vector).success);
  t.notOk(Vector.safeParse({ ...vector, expcet: 'ok' }).success);
  t.notOk(Vector.safeParse({ ...vector, build: { format: 'gguf', tensor: [] } }).success);
});

t.test('real files', async (t) => {
  t.equal(real.length, Object.keys(TENSORS).length);
  for (const { name, format, bytes, rules } of real) {
    const layout = layoutOf(format, bytes);
    t.strictSame(rulesOf(layout), rules, name, { violations: layout.violations });
    t.equal(layout.tensors.length, TENSORS[name], `${name}: tensors`);
    t.equal(breachOfReader(format, bytes), null, `${name}: lawful`);
  }
  const vocabulary = layoutOf('gguf', real.find(({ name }) => name === 'ggml-vocab-llama-spm.gguf')!.bytes);
  const tokens = vocabulary.metadata.find(({ key }) => key === 'tokenizer.ggml.tokens')!
    .value as MetadataArray;
  t.equal(tokens.items.length, 32_000);
  t.equal(tokens.items[3], '<0x00>');
});

t.test('offsets point at the evidence', async (t) => {
  const at = (format: Format, bytes: Uint8Array): unknown => read(format, bytes).violations[0]?.offset;
  const cases: [text: string, mark: string, dataSize: number][] = [
    ['{"a":{"dtype":"U8","shape":[1.0],"data_offsets":[0,1]}}', '1.0', 1],
    ['{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,99007199254740992]}}', '9900', 1],
    ['{"a":{"dtype":"F33","shape":[1],"data_offsets":[0,1]}}', '"F33', 1],
    ['{"a":{"dtype":"U8","x":1,"shape":[1],"data_offsets":[0,1]}}', '"x"', 1],
    ['{"__metadata__":{"é":"1","\\u00e9":"2"}}', '"\\u00e9', 0],
    ['{"a\\ud800":{}}', '\\ud800', 0],
    ['{"__metadata__":{"a":"b\\x"}}', '\\x', 0],
    ['{"__metadata__":{}} \t', '\t', 0],
    ['{"b":{"dtype":"U8","shape":[1],"data_offsets":[0,2]}}', '"b"', 2],
  ];
  for (const [header, mark, dataSize] of cases) {
    const bytes = buildFile({ build: { format: 'safetensors', header, dataSize } });
    t.equal(at('safetensors', bytes), Buffer.from(bytes).indexOf(mark), header);
  }
  for (const prefix of ['', 'é', 'x'.repeat(65_535), 'é'.repeat(50_000)]) {
    const hex = Buffer.from(`{"${prefix}`).toString('hex');
    const bytes = buildFile({ build: { format: 'safetensors', header: { hex: `${hex}c328` } } });
    t.equal(at('safetensors', bytes), 8 + hex.length / 2, `invalid UTF-8 after ${prefix.length} characters`);
  }
});

t.test('metadata values and their places', async (t) => {
  const sample = vectors.find(({ name, format }) => name === 'all-value-types' && format === 'gguf')!;
  const { metadata } = layoutOf('gguf', sample.bytes);
  const values = Object.fromEntries(metadata.map(({ key, value }) => [key.slice(2), value]));
  t.strictSame(values, {
    u8: 255,
    i8: -128,
    u16: 65_535,
    i16: -32_768,
    u32: 4_294_967_295,
    i32: -2_147_483_648,
    f32: 1.5,
    f64: 0.1,
    bool: true,
    string: 'é😀',
    u64: 18_446_744_073_709_551_615n,
    i64: -9_223_372_036_854_775_808n,
    array: { elementType: 'string', items: ['x', '', 'y'] },
    numbers: { elementType: 'i32', items: [1, 2, 3] },
    none: { elementType: 'f32', items: [] },
  });
  const { start, end } = metadata.find(({ key }) => key === 'a.string')!;
  t.equal(Buffer.from(sample.bytes.subarray(start + 8, end)).toString(), 'é😀');
  const text = buildFile({ build: { format: 'safetensors', metadata: [['k', 'vé"']] } });
  const entry = layoutOf('safetensors', text).metadata[0]!;
  t.equal(entry.value, 'vé"');
  t.equal(Buffer.from(text.subarray(entry.start, entry.end)).toString(), '"vé\\""');
});

t.test('a dtype of neither table keeps its format in its name', async (t) => {
  const dtypes = (name: string): unknown => {
    const { format, bytes } = vectors.find((vector) => vector.name === name)!;
    return layoutOf(format, bytes).tensors.map(({ dtype }) => dtype);
  };
  t.strictSame(dtypes('dtype-of-ggml'), ['safetensors:Q4_0'], "not ggml's Q4_0");
  t.strictSame(dtypes('dtype-fork'), ['ggml:139', 'F32']);
});

t.test('detection', async (t) => {
  const magic = Buffer.from('GGUF');
  t.equal(detectFormat('a.bin', magic), 'gguf');
  t.equal(detectFormat('a.safetensors', magic), 'gguf', 'the magic wins');
  t.equal(detectFormat('A.GGUF', new Uint8Array(0)), 'gguf');
  t.equal(detectFormat('a.safetensors', Buffer.from('PK')), 'safetensors');
  t.equal(detectFormat('config.json', Buffer.from('{"a"')), null);
  t.equal(detectFormat('gguf', Buffer.from('GGU')), null);
});

t.test('names in messages are cut and harmless', async (t) => {
  t.equal(quoted('a\u001b[2J\u202eb\n'), '"a\\u001b[2J\\u{202e}b\\n"');
  t.ok(quoted('x'.repeat(1e6)).length < 100);
  t.equal(quoted(`${'x'.repeat(79)}😀`), `"${'x'.repeat(79)}…"`, 'no half of a pair');
});

t.test('errors of the world pass through', async (t) => {
  const failing: ByteSource = {
    size: 1000,
    read() {
      throw new SteelyardError('IO', 'gone');
    },
  };
  for (const format of ['safetensors', 'gguf'] as const) {
    t.throws(() => atOnce(readLayout(format, failing)), { code: 'IO' });
  }
});

t.test('long headers are read in pieces', (t) => {
  const entries = Array.from({ length: 5000 }, (_, i) => [
    `t${i}`,
    { dtype: 'U8', shape: [1], data_offsets: [i, i + 1] },
  ]);
  const json = Buffer.from(JSON.stringify(Object.fromEntries(entries)));
  const size = Buffer.alloc(8);
  size.writeUInt32LE(json.length);
  const tensors = memory(Buffer.concat([size, json, Buffer.alloc(5000)]));
  const array = { key: 'k', type: 'array', of: 'u8', value: [], length: 50_000 } as const;
  const metadata = buildFile({ build: { format: 'gguf', metadata: [array] } });
  const vocabulary = memory(Buffer.concat([metadata, Buffer.alloc(50_032)]));
  t.equal([...readLayout('safetensors', tensors)].length, 25 + 3, 'every 200 tensors, and between the steps');
  t.equal(
    [...readLayout('gguf', vocabulary)].length,
    5 + 2,
    'every ten thousand elements, and between the steps',
  );
  t.end();
});

t.test('limits too large for vectors', async (t) => {
  const header = (metadataCount: number, rest: Buffer = Buffer.alloc(0)): Buffer => {
    return Buffer.concat([buildFile({ build: { format: 'gguf', metadataCount } }), rest]);
  };
  const key = buildFile({ build: { format: 'gguf', metadata: [{ key: 'k', type: 8, hex: '' }] } });
  for (const [length, rules] of [
    [300 * 2 ** 20, ['header/limit']],
    [2 ** 45, ['header/truncated']],
  ] as const) {
    const claim = Buffer.alloc(8);
    claim.writeBigUInt64LE(BigInt(length));
    const source = memory(Buffer.concat([key, claim]), 2 ** 40);
    t.strictSame(rulesOf(atOnce(readLayout('gguf', source))), rules, `a string of ${length} bytes`);
    t.ok(source.total <= 80_000, 'nothing is read or allocated for it');
  }
  const many = read('gguf', header(1_000_000, Buffer.alloc(13_000_000)));
  t.strictSame(rulesOf(many), ['gguf/key-length', 'header/duplicate-key'], '1,000,000 key-values');
  t.equal(many.violations.length, 202, 'of a rule that is broken a million times, a hundred places are kept');
  t.match(many.violations.at(-1)!.message, /999900|999899/);
  t.strictSame(rulesOf(atOnce(readLayout('gguf', memory(header(1_000_001), 2 ** 30)))), ['header/limit']);
  const tensors = buildFile({ build: { format: 'gguf', tensorCount: 4_194_305 } });
  t.strictSame(rulesOf(atOnce(readLayout('gguf', memory(tensors, 2 ** 30)))), ['header/limit']);

  for (const [count, rules] of [
    [4_194_303, []],
    [4_194_304, []],
    [4_194_305, ['header/limit']],
  ] as const) {
    const array = buildFile({
      build: { format: 'gguf', metadata: [{ key: 'k', type: 'array', of: 'u8', value: [], length: count }] },
    });
    t.strictSame(rulesOf(read('gguf', Buffer.concat([array, Buffer.alloc(count)]))), rules, `${count} items`);
  }
  const keys = (count: number, value: string): string =>
    Array.from({ length: count }, (_, i) => `"${i}":${value}`).join();
  for (const [count, rules] of [
    [999_999, []],
    [1_000_000, []],
    [1_000_001, ['header/limit']],
  ] as const) {
    const bytes = buildFile({
      build: { format: 'safetensors', header: `{"__metadata__":{${keys(count, '""')}}}` },
    });
    t.strictSame(rulesOf(read('safetensors', bytes)), rules, `${count} metadata keys`);
  }
  for (const [count, rules] of [
    [99_999, ['header/type']],
    [100_000, ['header/type']],
    [100_001, ['header/limit']],
  ] as const) {
    const bytes = buildFile({
      build: { format: 'safetensors', header: `{"__metadata__":{"k":{${keys(count, '0')}}}}` },
    });
    t.strictSame(rulesOf(read('safetensors', bytes)), rules, `${count} keys in a value that is stepped over`);
  }
});

t.test('tensors of a shard index', async (t) => {
  for (const [count, rules] of [
    [999_999, []],
    [1_000_000, []],
    [1_000_001, ['header/limit']],
  ] as const) {
    const map = Array.from({ length: count }, (_, i) => `"${i}":"a"`).join();
    const { violations } = readShardIndex(Buffer.from(`{"weight_map":{${map}}}`));
    t.strictSame([...new Set(violations.map(({ rule }) => rule))], rules, `${count} tensors`);
  }
});

// Random honest files.
const anyName = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 12 }),
  fc.constantFrom('__proto__', 'constructor', 'a"b\\c/', '\u2028', 'blk.0.attn_q.weight', '\t\n'),
);
const dims = fc.array(fc.nat({ max: 4 }), { maxLength: 4 });
const safetensorsDtypes = DTYPES.slice(0, 22).map(({ name }) => name);
const ggmlDtypes = DTYPES.slice(22)
  .map(({ name }) => name)
  .filter((name) => !/^Q8_[1K]$/.test(name));
const tensors = (names: fc.Arbitrary<string>, dtypes: readonly string[]) =>
  fc
    .uniqueArray(fc.record({ name: names, dtype: fc.constantFrom(...dtypes), shape: dims }), {
      selector: ({ name }) => name,
      maxLength: 12,
    })
    .map((list) =>
      list.map(({ name, dtype, shape }) => {
        const { blockCount } = dtypeByName(dtype)!;
        const row = (shape.at(-1) ?? 1) * blockCount;
        return { name, dtype, shape: blockCount > 1 || shape.length > 0 ? [...shape.slice(0, -1), row] : [] };
      }),
    );
const honestSafetensors = fc.record({
  format: fc.constant('safetensors' as const),
  metadata: fc.uniqueArray(fc.tuple(anyName, anyName), { selector: ([key]) => key, maxLength: 5 }),
  tensors: tensors(
    anyName.filter((name) => name !== '__metadata__'),
    safetensorsDtypes,
  ),
  padTo: fc.constantFrom(1, 8, 64),
});
const ggmlName = anyName.filter((name) => Buffer.byteLength(name) < 64 && !name.includes('\0'));
const integer = (min: bigint, max: bigint) => fc.bigInt({ min, max }).map(String);
const scalar = {
  u8: fc.nat({ max: 255 }),
  i8: fc.integer({ min: -128, max: 127 }),
  u16: fc.nat({ max: 65_535 }),
  i16: fc.integer({ min: -32_768, max: 32_767 }),
  u32: fc.nat({ max: 4_294_967_295 }),
  i32: fc.integer(),
  f32: fc.float({ noNaN: true }),
  f64: fc.double({ noNaN: true }),
  bool: fc.boolean(),
  string: anyName.filter((text) => !text.includes('\0')),
  u64: integer(0n, 2n ** 64n - 1n),
  i64: integer(-(2n ** 63n), 2n ** 63n - 1n),
};
type Scalar = keyof typeof scalar;
const types = Object.keys(scalar) as Scalar[];
const value = fc.oneof(
  fc
    .constantFrom(...types)
    .chain((type) => fc.record({ type: fc.constant(type), value: scalar[type] as fc.Arbitrary<unknown> })),
  fc.constantFrom(...types).chain((of) =>
    fc.record({
      type: fc.constant('array'),
      of: fc.constant(of),
      value: fc.array(scalar[of] as fc.Arbitrary<unknown>),
    }),
  ),
);
const key = fc.stringMatching(/^[!-~]{1,20}$/).filter((text) => text !== 'general.alignment');
const honestGguf = fc.record({
  format: fc.constant('gguf' as const),
  version: fc.constantFrom(2, 3),
  metadata: fc
    .uniqueArray(fc.tuple(fc.oneof(key, fc.constantFrom('__proto__', 'version')), value), {
      selector: ([k]) => k,
      maxLength: 6,
    })
    .map((pairs) => pairs.map(([key, rest]) => ({ key, ...rest }))),
  tensors: tensors(ggmlName, [...ggmlDtypes, 'F32', 'F16', 'BF16', 'I8', 'I64']),
});

/** What the reader should say of a value in a description. */
function expected(type: string, value: unknown): MetadataValue {
  if (type === 'f32') return Math.fround(value as number);
  if (type !== 'u64' && type !== 'i64') return value as MetadataValue;
  const exact = BigInt(value as string);
  return Number.isSafeInteger(Number(exact)) ? Number(exact) : exact;
}

interface Described {
  readonly tensors: readonly {
    readonly name: string;
    readonly dtype: string;
    readonly shape: readonly number[];
  }[];
}

function sameTensors(layout: Layout, build: Described): void {
  const found = new Map(layout.tensors.map((tensor) => [tensor.name, tensor]));
  if (found.size !== build.tensors.length)
    throw new Error(`${found.size} of ${build.tensors.length} tensors`);
  for (const { name, dtype, shape } of build.tensors) {
    const tensor = found.get(name);
    const right = tensor?.dtype === dtype && String(tensor.shape) === String(shape);
    if (!right)
      throw new Error(`${quoted(name)}: ${dtype} [${shape}], not ${tensor?.dtype} [${tensor?.shape}]`);
  }
}

t.test('what is written is read', async (t) => {
  const runs = { numRuns: 500 };
  fc.assert(
    fc.property(honestSafetensors, (build) => {
      const bytes = buildFile({ build });
      const layout = layoutOf('safetensors', bytes);
      if (layout.violations.length > 0) throw new Error(JSON.stringify(layout.violations));
      sameTensors(layout, build);
      const pairs = layout.metadata.map(({ key, value }) => [key, value]);
      if (JSON.stringify(pairs) !== JSON.stringify(build.metadata)) throw new Error(JSON.stringify(pairs));
    }),
    runs,
  );
  t.pass(`safetensors: ${runs.numRuns} files`);
  fc.assert(
    fc.property(honestGguf, (build) => {
      const bytes = buildFile({ build });
      const layout = layoutOf('gguf', bytes);
      if (layout.violations.length > 0) throw new Error(JSON.stringify(layout.violations));
      sameTensors(layout, build);
      build.metadata.forEach((entry, i) => {
        const read = layout.metadata[i]!;
        const want =
          'of' in entry
            ? {
                elementType: entry.of,
                items: (entry.value as unknown[]).map((item) => expected(entry.of, item)),
              }
            : expected(entry.type, entry.value);
        if (read.key !== entry.key || read.type !== entry.type) throw new Error(`${read.key}: ${read.type}`);
        if (!same(read.value, want))
          throw new Error(`${read.key}: ${String(read.value)}, not ${String(want)}`);
      });
    }),
    runs,
  );
  t.pass(`gguf: ${runs.numRuns} files`);
});

function same(a: unknown, b: unknown): boolean {
  const plain = (_: string, value: unknown): unknown =>
    typeof value === 'bigint' || Object.is(value, -0) || !Number.isFinite(value ?? 0)
      ? `${typeof value} ${value}`
      : value;
  return JSON.stringify({ a }, plain) === JSON.stringify({ a: b }, plain);
}

const RUNS = Number(process.env.STEELYARD_FUZZ_RUNS ?? 5000);

t.test('no bytes break the readers', async (t) => {
  for (const [name, { samples, breach }] of Object.entries(TARGETS)) {
    let slowest = 0;
    const property = fc.property(mutants(samples()), (bytes) => {
      let broken: string | null = null;
      slowest = Math.max(
        slowest,
        cpuTime(() => {
          broken = breach(bytes);
        }),
      );
      if (broken !== null) throw new Error(broken);
    });
    fc.assert(property, { numRuns: RUNS });
    t.ok(slowest < 2000, `${name}: no mutant takes long, at most ${slowest.toFixed(0)} ms of CPU`);
  }
});

t.test('mutants are neither all readable nor all not', async (t) => {
  for (const format of ['safetensors', 'gguf'] as const) {
    const sample = fc.sample(mutants(TARGETS[format]!.samples()), 1000);
    const readable = sample.filter((bytes) => read(format, bytes).headerSize !== null).length;
    t.ok(readable > 50 && readable < 950, `${format}: ${readable} of 1000`);
  }
});

// Other people's readers. What they are known to do otherwise, by vector.
const OTHERWISE: Record<string, string> = {
  'names-of-object-members':
    'both keep entries in plain objects, and gguf lets keys overwrite its own fields',
  'reserved-version': 'a key overwrites what gguf parsed',
  'reserved-tensor_count': 'a key overwrites what gguf parsed',
  'reserved-kv_count': 'a key overwrites what gguf parsed',
  'reserved-proto': 'gguf keeps keys in a plain object',
  'integer-below-limit': 'hub allows dimensions up to 2^32',
  'integer-at-limit': 'hub allows dimensions up to 2^32',
  'overflow-below-limit': 'hub allows dimensions up to 2^32',
  'overflow-at-limit': 'hub allows dimensions up to 2^32',
};
const honest = [...vectors, ...real].filter(
  ({ format, bytes, name }) => read(format, bytes).violations.length === 0 && !Object.hasOwn(OTHERWISE, name),
);

t.test('@huggingface/hub reads the same', async (t) => {
  for (const { name, format, bytes } of honest) {
    if (format !== 'safetensors') continue;
    const layout = layoutOf(format, bytes);
    const parsed = await hub(bytes);
    const { __metadata__: metadata = {}, ...entries } = parsed as Record<string, Record<string, unknown>>;
    const theirs = Object.entries(entries).map(([tensor, entry]) => [
      tensor,
      entry.dtype,
      entry.shape,
      entry.data_offsets,
    ]);
    const ours = layout.tensors.map(({ name, dtype, shape, start, end }) => {
      return [name, dtype, shape, [start - layout.headerSize, end - layout.headerSize]];
    });
    t.strictSame(ours.map(String).sort(), theirs.map(String).sort(), `${name}: tensors`);
    t.strictSame(
      new Map(layout.metadata.map((entry) => [entry.key, entry.value])),
      new Map(Object.entries(metadata)),
      `${name}: metadata`,
    );
  }
  for (const vector of vectors) {
    if (vector.loaders.hub === undefined) continue;
    const answer = await hub(vector.bytes).then(
      () => 'accept',
      () => 'reject',
    );
    t.equal(answer, vector.loaders.hub, `${vector.name}: hub's answer is as the vector says`);
  }
});

async function hub(bytes: Uint8Array): Promise<unknown> {
  const fetch = async (_: unknown, init?: RequestInit): Promise<Response> => {
    const range = /bytes=(\d+)-(\d+)?/.exec(new Headers(init?.headers).get('range') ?? '');
    const start = Number(range?.[1] ?? 0);
    const end = Math.min(Number(range?.[2] ?? bytes.length - 1) + 1, bytes.length);
    const headers = {
      'content-length': String(end - start),
      'content-range': `bytes ${start}-${end - 1}/${bytes.length}`,
      etag: '"x"',
      'x-linked-size': String(bytes.length),
    };
    const body = init?.method === 'HEAD' ? null : Buffer.from(bytes.subarray(start, end));
    return new Response(body, { status: range === null ? 200 : 206, headers });
  };
  const parsed = await parseSafetensorsMetadata({
    repo: 'a/b',
    path: 'model.safetensors',
    fetch: fetch as typeof globalThis.fetch,
  });
  return (parsed as unknown as { header: unknown }).header;
}

t.test('@huggingface/gguf reads the same', async (t) => {
  const path = join(t.testdir({}), 'model.gguf');
  for (const { name, format, bytes } of honest) {
    if (format !== 'gguf') continue;
    writeFileSync(path, bytes);
    const layout = layoutOf(format, bytes);
    const parsed = await gguf(path, { allowLocalFile: true });
    const theirs = parsed.tensorInfos.map(({ name, dtype, shape, offset }) => {
      return [name, GGMLQuantizationType[dtype], [...shape].reverse().map(Number), Number(offset)];
    });
    const ours = layout.tensors.map(({ name, dtype, shape, start }) => [
      name,
      dtype,
      shape,
      start - layout.headerSize,
    ]);
    t.strictSame(ours.map(String).sort(), theirs.map(String).sort(), `${name}: tensors`);
    if (theirs.length > 0)
      t.equal(layout.headerSize, Number(parsed.tensorDataOffset), `${name}: start of the data`);
    const {
      version,
      tensor_count: _,
      kv_count: __,
      ...metadata
    } = parsed.metadata as Record<string, unknown>;
    t.equal(layout.version, version, `${name}: version`);
    const different = layout.metadata.filter(({ key, value }) => plain(value) !== plain(metadata[key]));
    t.strictSame(
      different.map(({ key }) => key),
      [],
      `${name}: values`,
    );
    t.strictSame(
      layout.metadata.map((entry) => entry.key).sort(),
      Object.keys(metadata).sort(),
      `${name}: keys`,
    );
  }
});

/** A value in a form that is the same for both: integers as decimals, and no U+FEFF, which their decoder drops. */
function plain(value: unknown): string {
  const list = value !== null && typeof value === 'object' && 'items' in value ? value.items : value;
  return String(
    JSON.stringify(list, (_, item) => (typeof item === 'bigint' ? Number(item) : item)),
  ).replaceAll('\uFEFF', '');
}

t.test('a header of 1.5 million tensors', async (t) => {
  const count = 1_500_000;
  const header = Buffer.alloc(100_000_000, ' ');
  let at = 0;
  for (let i = 0; i < count; i++) {
    const entry = `"${i.toString(36)}":{"dtype":"U8","shape":[],"data_offsets":[${i},${i + 1}]},`;
    at += header.write(i === 0 ? `{${entry}` : entry, at, 'latin1');
  }
  header.write('}', at - 1);
  const bytes = Buffer.concat([Buffer.alloc(8), header.subarray(0, at), Buffer.alloc(count)]);
  bytes.writeBigUInt64LE(BigInt(at));
  const before = process.memoryUsage().heapUsed;
  const cpu = process.cpuUsage();
  const start = performance.now();
  const layout = layoutOf('safetensors', bytes);
  const seconds = (performance.now() - start) / 1000;
  const busy = process.cpuUsage(cpu).user / 1e6;
  const heap = process.memoryUsage().heapUsed - before;
  t.strictSame(layout.violations, []);
  t.equal(layout.tensors.length, count);
  const size = (at / 1e6).toFixed(1);
  const rss = process.resourceUsage().maxRSS / 1e3;
  t.comment(
    `${size} MB header: ${seconds.toFixed(2)} s (${busy.toFixed(2)} s of CPU), heap +${(heap / 1e6).toFixed(0)} MB`,
  );
  t.comment(
    `largest resident size of this process: ${rss.toFixed(0)} MB, the ${size} MB file twice included`,
  );
});
