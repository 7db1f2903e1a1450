// The MBOM: written, read strictly, held against files, handed to other tools.
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import fc from 'fast-check';
import { type Test, test } from 'tap';
import {
  createMbom,
  exportCycloneDx,
  readMbom,
  signDocument,
  signModel,
  type Trust,
  tensorsDigest,
  verifyMbom,
} from '../../src/index.ts';
import { golden, told } from '../kit/golden.ts';
import { packageRoot } from '../kit/root.ts';
import { type Anything, file, hex, pair } from '../kit/specimen/forgery.ts';

const KEY = pair();
const TRUST: Trust = { method: 'key', publicKey: KEY.public };
const DIGEST = `sha256:${hex('x')}`;
const FILES = [
  file('config.json', '{}'),
  file('model.safetensors', 'weights', 'safetensors'),
  file('sub/it\'s "😀"\u202e.txt', 'x'),
];
const OPTIONS = {
  name: 'tiny',
  baseModel: { name: 'org/base', digest: DIGEST },
  adapter: { name: 'org/lora', digest: DIGEST },
  runtimeImage: `ghcr.io/org/server:1@${DIGEST}`,
  signingKey: KEY.public,
};
const TEXT = createMbom(FILES, OPTIONS);
const SIGNATURE = Buffer.from(signDocument(Buffer.from(TEXT), { privateKey: KEY.secret }));
const bytes = (text: string): Buffer => Buffer.from(text);

const codes = (outcome: ReturnType<typeof verifyMbom>): string[] =>
  outcome.verified
    ? []
    : outcome.refusals.map(({ code, file }) => (file === undefined ? code : `${code} ${file}`));

test('what is written is read back, and has the root digest that is signed', (t) => {
  const { rootDigest } = signModel(FILES, { privateKey: KEY.secret }, { name: 'tiny' });
  const mbom = readMbom(bytes(TEXT));
  t.match(mbom, {
    schema: 'steelyard/mbom/1',
    model: { name: 'tiny', digest: rootDigest },
    baseModel: OPTIONS.baseModel,
    adapter: OPTIONS.adapter,
    runtimeImage: OPTIONS.runtimeImage,
    signingKey: `sha256:${hex(KEY.publicKey.export({ type: 'spki', format: 'der' }))}`,
  });
  t.same(
    mbom.files,
    FILES.map(({ path, sha256, size }) => ({ path, sha256: sha256.slice(7), size })),
  );
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the point of it
  t.match(TEXT, /^[\x0a\x20-\x7e]+$/, 'nothing invisible');
  const beside = [file('model.sig', 's'), file('.git/HEAD', 'x'), file('model.mbom.yaml', TEXT)];
  t.equal(createMbom([...FILES, ...beside], OPTIONS), TEXT, 'evidence is not listed');
  t.end();
});

test('what is not pinned is not written', (t) => {
  const created = (change: object) => (): string => createMbom(FILES, { ...OPTIONS, ...change });
  for (const runtimeImage of ['server:latest', 'server', 'server@sha256:abc', `a b@${DIGEST}`])
    t.throws(created({ runtimeImage }), { code: 'USAGE', message: /pinned by its digest/ }, runtimeImage);
  t.throws(created({ baseModel: { name: 'x', digest: 'main' } }), {
    code: 'USAGE',
    message: /base_model.digest/,
  });
  t.throws(created({ name: '' }), { code: 'USAGE' });
  t.throws(() => createMbom([], OPTIONS), { code: 'NOT_FOUND' });
  t.throws(() => createMbom([file('../x', '')], OPTIONS), { code: 'USAGE', message: /PATH_ESCAPE/ });
  t.end();
});

test('YAML that could be read in two ways is refused, with line and column', (t) => {
  const cases: [string, string, RegExp][] = [
    ['no YAML', 'schema: [', /MALFORMED_MBOM/],
    ['another schema', TEXT.replace('mbom/1', 'mbom/2'), /1:9: schema: /],
    ['an unknown key', `${TEXT}more: 1\n`, /MALFORMED_MBOM.*more/],
    ['a key twice', `${TEXT}schema: steelyard/mbom/1\n`, /\d+:1: the key is there twice/],
    ['an alias', TEXT.replace('"org/lora"', '&a x').replace('"org/base"', '*a'), /MALFORMED_MBOM/],
    ['an anchor', TEXT.replace('"org/lora"', '&a x'), /9:12: no tags and no anchors/],
    ['a tag', TEXT.replace('"org/lora"', '!!str x'), /no tags and no anchors/],
    ['a directive', `%YAML 1.1\n---\n${TEXT}`, /directives/],
    ['two documents', `${TEXT}---\n${TEXT}`, /MALFORMED_MBOM/],
    ['a merge key', TEXT.replace('adapter:\n', 'adapter:\n  <<: {}\n'), /MALFORMED_MBOM/],
    ['a number for a size', TEXT.replace('size: 2', 'size: 2.0'), /:\d+: files.0.size: an integer/],
    ['an octal size', TEXT.replace('size: 2', 'size: 02'), /an integer/],
    ['a digest in capitals', TEXT.replace(hex('{}'), hex('{}').toUpperCase()), /64 lower-case/],
    ['an image by tag', TEXT.replace(/runtime_image: .*/, 'runtime_image: server:latest'), /11:16: .*pinned/],
    ['no file', TEXT.replace(/files:[\s\S]*/, 'files: []\n'), /files/],
    ['a path above', TEXT.replace('"config.json"', '"../config.json"'), /PATH_ESCAPE/],
    ['a path twice', TEXT.replace('"config.json"', '"model.safetensors"'), /DUPLICATE_NAME/],
    ['another root', TEXT.replace(/(name: "tiny"\n {2}digest: ).*/, `$1${DIGEST}`), /ROOT_MISMATCH/],
    ['a list', '- 1\n', /MALFORMED_MBOM/],
    ['nothing', '', /MALFORMED_MBOM/],
    ['a bomb', `a: &a [x,x,x,x]\nb: &b [${'*a,'.repeat(9)}]\nc: [${'*b,'.repeat(9)}]\n`, /MALFORMED_MBOM/],
    ['__proto__', `${TEXT}__proto__: {}\n`, /MALFORMED_MBOM/],
  ];
  const lines: string[] = [];
  for (const [name, text, message] of cases) {
    lines.push(`${name}:`, `    ${told(verifyMbom(bytes(text), FILES))}`);
    t.not(text, TEXT, name);
    t.throws(() => readMbom(bytes(text)), { name: 'SteelyardError', code: 'INVALID_MBOM', message }, name);
    t.equal(codes(verifyMbom(bytes(text), FILES)).length, 1, `${name}: a refusal, not an exception`);
  }
  golden(t, 'refusals-mbom.txt', lines);
  t.throws(() => readMbom(Buffer.from([0xff, 0xfe])), { code: 'INVALID_MBOM', message: /UTF-8/ });
  t.throws(() => readMbom(Buffer.alloc(67_108_865, 0x20)), { code: 'INVALID_MBOM', message: /larger/ });
  t.equal(readMbom(bytes(`# a comment\n${TEXT}`)).files.length, 3);
  t.end();
});

test('files that are not those of the MBOM: expected and actual', (t) => {
  const [config, weights, text] = FILES as [Anything, Anything, Anything];
  const signature = { bundle: SIGNATURE, trust: TRUST };
  const proof = verifyMbom(bytes(TEXT), FILES, { signature });
  t.match(proof, { verified: true, fileCount: 3, signer: { method: 'key' }, unsigned: [] });
  t.match(verifyMbom(bytes(TEXT), FILES), { verified: true, signer: null }, 'nobody was asked who wrote it');
  const cases: [string[], Anything[]][] = [
    [['DIGEST_MISMATCH config.json'], [{ ...config, sha256: weights.sha256 }, weights, text]],
    [['DIGEST_MISMATCH config.json'], [{ ...config, size: 3 }, weights, text]],
    [['MISSING_FILE model.safetensors'], [config, text]],
    [['EXTRA_FILE added.md'], [...FILES, file('added.md', '')]],
    [['EXTRA_FILE added.py'], [...FILES, file('added.py', '')]],
    [['RENAMED_FILE moved/w.safetensors'], [config, { ...weights, path: 'moved/w.safetensors' }, text]],
    [['IGNORED_WEIGHTS .cache/huggingface/x.bin'], [...FILES, file('.cache/huggingface/x.bin', '')]],
  ];
  for (const [expected, files] of cases)
    t.same(codes(verifyMbom(bytes(TEXT), files, { signature })), expected);
  const renamed = verifyMbom(bytes(TEXT), cases[5]![1]);
  t.match(renamed, { refusals: [{ expected: 'model.safetensors', actual: 'moved/w.safetensors' }] });
  const evidence = [file('x.mbom.yaml', TEXT), file('x.sig', '')];
  t.ok(verifyMbom(bytes(TEXT), [...FILES, ...evidence], { ignore: ['x.mbom.yaml', 'x.sig'] }).verified);
  t.end();
});

test('the signature is looked at first', (t) => {
  t.same(codes(verifyMbom(bytes(`${TEXT}\n`), FILES, { signature: { bundle: SIGNATURE, trust: TRUST } })), [
    'BAD_SIGNATURE',
  ]);
  const unsigned = { bundle: Buffer.alloc(0), trust: TRUST };
  t.same(codes(verifyMbom(bytes('garbage: ['), FILES, { signature: unsigned })), ['UNSIGNED']);
  const stranger: Trust = { method: 'key', publicKey: pair().public };
  t.same(codes(verifyMbom(bytes(TEXT), FILES, { signature: { bundle: SIGNATURE, trust: stranger } })), [
    'WRONG_KEY',
  ]);
  t.end();
});

test('hostile MBOMs: refused, and nothing else is thrown', (t) => {
  const looked = (text: string): void => {
    verifyMbom(bytes(text), FILES);
  };
  fc.assert(fc.property(fc.string(), looked));
  fc.assert(fc.property(fc.json(), looked));
  fc.assert(
    fc.property(fc.nat(TEXT.length), fc.nat(20), fc.string({ maxLength: 8 }), (at, cut, put) =>
      looked(TEXT.slice(0, at) + put + TEXT.slice(at + cut)),
    ),
  );
  t.end();
});

const tensor = (name: string, change: object = {}) => ({
  name,
  dtype: 'BF16',
  shape: [2, 3],
  sha256: hex(name) as string | null,
  ...change,
});
const TENSORS = [tensor('b'), tensor('a'), tensor('😀'), tensor('\ufffd', { sha256: null, shape: [] })];

test('one digest over all tensors, in whatever files and order', (t) => {
  const lines = [
    `["a","BF16",[2,3],"${hex('a')}"]\n`,
    `["b","BF16",[2,3],"${hex('b')}"]\n`,
    '["\ufffd","BF16",[],null]\n',
    `["😀","BF16",[2,3],"${hex('😀')}"]\n`,
  ];
  t.same(tensorsDigest(TENSORS), { count: 4, digest: `sha256:${hex(lines.join(''))}` });
  t.same(tensorsDigest([...TENSORS].reverse()), tensorsDigest(TENSORS));
  t.same(tensorsDigest([]), { count: 0, digest: `sha256:${hex('')}` });
  for (const change of [{ name: 'c' }, { dtype: 'F16' }, { shape: [3, 2] }, { sha256: hex('c') }])
    t.not(tensorsDigest([tensor('a', change)]).digest, tensorsDigest([tensor('a')]).digest);
  const text = createMbom(FILES, { ...OPTIONS, tensors: TENSORS });
  t.same(readMbom(bytes(text)).tensors, tensorsDigest(TENSORS));
  t.ok(verifyMbom(bytes(text), FILES, { tensors: TENSORS }).verified);
  t.ok(verifyMbom(bytes(text), FILES).verified, 'tensors that nobody has read are not compared');
  t.ok(verifyMbom(bytes(TEXT), FILES, { tensors: TENSORS }).verified, 'nor with an MBOM that has none');
  const expected = `${tensorsDigest(TENSORS).digest} over 4`;
  const outcome = verifyMbom(bytes(text), FILES, { tensors: TENSORS.slice(1) });
  const actual = `${tensorsDigest(TENSORS.slice(1)).digest} over 3`;
  t.match(outcome, { verified: false, refusals: [{ code: 'DIGEST_MISMATCH', expected, actual }] });
  const miscounted = bytes(text.replace('count: 4', 'count: 5'));
  t.same(codes(verifyMbom(miscounted, FILES, { tensors: TENSORS })), ['DIGEST_MISMATCH']);
  t.end();
});

const PROFILE = {
  digest: DIGEST,
  files: [
    { path: 'config.json', format: null, sha256: `sha256:${hex('before')}`, metadata: [] },
    {
      path: 'model.safetensors',
      format: 'safetensors',
      sha256: FILES[1]!.sha256,
      metadata: [
        { key: 'general.name', type: 'string', value: 'tiny' },
        { key: 'general.architecture', type: 'string', value: 'llama' },
      ],
    },
  ],
  tensors: TENSORS.map((one) => ({
    ...one,
    sha256: one.sha256 === null ? null : `sha256:${one.sha256}`,
    file: 'model.safetensors',
  })),
} as Anything;

test('the profile is named by its digest, if it is one of these weights', (t) => {
  const text = createMbom(FILES, { ...OPTIONS, profile: PROFILE });
  t.equal(readMbom(bytes(text)).profile, DIGEST);
  const other = { ...PROFILE, files: [{ ...PROFILE.files[1], sha256: hex('other') }] };
  for (const profile of [other, { ...other, files: [{ ...PROFILE.files[1], path: 'x.gguf' }] }])
    t.throws(() => createMbom(FILES, { ...OPTIONS, profile }), {
      code: 'USAGE',
      message: /profile is of another model/,
      file: profile.files[0].path,
    });
  const hinted = createMbom(FILES, { ...OPTIONS, signingKey: DIGEST });
  t.equal(readMbom(bytes(hinted)).signingKey, DIGEST, 'a key by its fingerprint');
  t.throws(() => createMbom(FILES, { ...OPTIONS, signingKey: 'sha256:abc' }), { code: 'USAGE' });
  t.end();
});

test('CycloneDX: a model card, and a component for each tensor', (t) => {
  const plain = JSON.parse(exportCycloneDx(readMbom(bytes(TEXT))));
  t.same(plain.metadata.component.modelCard, { properties: [] });
  t.equal(plain.metadata.component.components[1].components, undefined);
  const mbom = readMbom(bytes(createMbom(FILES, { ...OPTIONS, profile: PROFILE, tensors: TENSORS })));
  const { component } = JSON.parse(exportCycloneDx(mbom, { profile: PROFILE })).metadata;
  t.same(component.modelCard, {
    modelParameters: { modelArchitecture: 'llama' },
    properties: [
      { name: 'steelyard:profile', value: DIGEST },
      { name: 'steelyard:tensors', value: tensorsDigest(TENSORS).digest },
      { name: 'steelyard:tensor-count', value: '4' },
    ],
  });
  const [, weights] = component.components;
  t.same(weights.components[0], {
    type: 'data',
    'bom-ref': 'tensor:0',
    name: 'b',
    hashes: [{ alg: 'SHA-256', content: hex('b') }],
    properties: [
      { name: 'steelyard:dtype', value: 'BF16' },
      { name: 'steelyard:shape', value: '[2,3]' },
    ],
  });
  t.same([weights.components.length, weights.components[3].hashes], [4, undefined]);
  const unnamed = JSON.parse(exportCycloneDx(mbom, { profile: { ...PROFILE, files: [] } })).metadata
    .component;
  t.same(
    unnamed.modelCard,
    { properties: component.modelCard.properties },
    'an architecture that is not said',
  );
  t.throws(() => exportCycloneDx(mbom, { profile: { ...PROFILE, digest: `sha256:${hex('')}` } }), {
    code: 'USAGE',
    message: /not the one that the MBOM names/,
  });
  t.end();
});

test('word for word: an MBOM and its CycloneDX, with everything and with nothing', (t) => {
  const options = { ...OPTIONS, signingKey: DIGEST, profile: PROFILE, tensors: TENSORS };
  const unsorted = [FILES[2]!, FILES[0]!, FILES[1]!];
  const [whole, plain] = [createMbom(unsorted, options), createMbom(unsorted, { name: 'plain' })];
  golden(t, 'model.mbom.yaml', [whole, plain]);
  const exported = [
    exportCycloneDx(readMbom(bytes(whole)), { profile: PROFILE }),
    exportCycloneDx(readMbom(bytes(plain)), { version: '1.7' }),
  ];
  golden(t, 'model.cdx.json', exported);
  t.equal(exportCycloneDx(readMbom(bytes(plain))), exported[1]!.replaceAll('1.7', '1.6'), '1.6 unless said');
  t.same(Object.keys(readMbom(bytes(plain))), ['schema', 'model', 'files'], 'what is not said is not there');
  // Whoever writes one by hand may list the files in any order.
  const [head, ...entries] = plain.trimEnd().split('  - path');
  const reordered = `${[head, ...entries.map((one) => `${one.trimEnd()}\n`).reverse()].join('  - path')}`;
  t.not(reordered, plain);
  t.equal(readMbom(bytes(reordered)).model.digest, readMbom(bytes(plain)).model.digest);
  t.end();
});

test('what is wrong with an MBOM, said in one line', (t) => {
  const said = (text: string): string => {
    try {
      readMbom(bytes(text));
      return 'read';
    } catch (error) {
      return (error as Error).message;
    }
  };
  t.equal(
    said(TEXT.replace('"config.json"', '"../config.json"')),
    'the MBOM cannot be used (PATH_ESCAPE): a name in the document is no plain relative path: "../config.json"',
  );
  t.equal(
    said(TEXT.replace(/files:[\s\S]*/, 'files: []\n')),
    'the MBOM cannot be used (MALFORMED_MBOM): 13:8: files: Too small: expected array to have >=1 items',
  );
  const long = 'x'.repeat(1000);
  t.equal(said(`${TEXT}${long}: 1\n`).length < 400, true, 'an unknown key is not repeated in full');
  t.equal(said(`${TEXT}"${long}\n`).length < 400, true, 'nor what is no YAML');
  t.equal(said(TEXT.replace('config.json"', `config.json" # % \n`)), 'read', 'a percent sign in a comment');
  t.match(said(`# a comment\n%YAML 1.2\n---\n${TEXT}`), /1:1: no directives/);
  t.match(said(`? [a]\n: 1\n${TEXT}`), /MALFORMED_MBOM\): 1:3: /, 'keys are strings');
  t.match(said(TEXT.replace('"tiny"', '&x "tiny"')), /3:12: no tags and no anchors/);
  t.match(said(TEXT.replace('"tiny"', '!x "tiny"')), /MALFORMED_MBOM\): 3:9: /);
  t.match(said(Buffer.alloc(67_108_864, 0x20).toString('latin1')), /1:1: Invalid input/, 'not too large');
  t.throws(() => readMbom(Buffer.alloc(67_108_865, 0x20)), {
    message: 'the MBOM cannot be used (MALFORMED_MBOM): the MBOM is larger than 67108864 bytes',
  });
  t.throws(() => readMbom(Buffer.from([0xff, 0xfe])), {
    message: 'the MBOM cannot be used (MALFORMED_MBOM): the MBOM is not UTF-8',
  });
  t.match(said(`\ufeff${TEXT}`), /^read$|MALFORMED_MBOM/);
  const larger = FILES.map((one) => ({ ...one, size: one.size + 1 }));
  t.equal(
    told(verifyMbom(bytes(TEXT), larger)).split('\n')[0],
    'DIGEST_MISMATCH | config.json | the size that was declared is not that of the file | 2 bytes | 3 bytes',
  );
  t.throws(() => createMbom([], OPTIONS), { message: 'the model holds no file to list' });
  const unpinned = { ...OPTIONS, runtimeImage: 'server:latest' };
  t.throws(() => createMbom(FILES, unpinned), { code: 'USAGE', cause: { code: 'INVALID_MBOM' } });
  const other = verifyMbom(bytes(createMbom(FILES, { ...OPTIONS, tensors: TENSORS })), FILES, {
    tensors: [tensor('c'), ...TENSORS.slice(1)],
  });
  t.match(
    told(other),
    /^DIGEST_MISMATCH \| the tensors are not those that were declared \| .* over 4 \| .* over 4$/,
  );
  t.end();
});

const require = createRequire(import.meta.url);
const SCHEMAS = schemaFolder();

function schemaFolder(): string | undefined {
  const folder = join(packageRoot, 'node_modules', '@cyclonedx', 'cyclonedx-library', 'res', 'schema');
  return existsSync(folder) ? folder : undefined;
}

test('CycloneDX 1.6 and 1.7', {
  skip: SCHEMAS === undefined && '@cyclonedx/cyclonedx-library is not installed',
}, (t) => {
  const Ajv = require('ajv').default ?? require('ajv');
  const schema = (name: string): Anything => JSON.parse(readFileSync(join(SCHEMAS!, name), 'utf8'));
  for (const version of ['1.6', '1.7'] as const) {
    const ajv = new Ajv({ strict: false, validateFormats: false });
    const others = [
      'spdx.SNAPSHOT.schema.json',
      'jsf-0.82.SNAPSHOT.schema.json',
      'cryptography-defs.SNAPSHOT.schema.json',
    ];
    for (const name of others)
      if (existsSync(join(SCHEMAS!, name)))
        ajv.addSchema(schema(name), `http://cyclonedx.org/schema/${name}`);
    const validate = ajv.compile(schema(`bom-${version}.SNAPSHOT.schema.json`));
    valid(t, validate, exportCycloneDx(readMbom(bytes(TEXT)), { version }), version);
    valid(
      t,
      validate,
      exportCycloneDx(readMbom(bytes(createMbom(FILES, { name: 'x' }))), { version }),
      version,
    );
    t.notOk(
      validate({ bomFormat: 'CycloneDX', specVersion: version, components: [{}] }),
      'the schema refuses what is none',
    );
  }
  t.end();
});

function valid(t: Test, validate: Anything, text: string, version: string): void {
  t.ok(validate(JSON.parse(text)), `${version} ${JSON.stringify(validate.errors)}`);
}

test('CycloneDX: every file with its hash, the base model as ancestor', (t) => {
  const bom = JSON.parse(exportCycloneDx(readMbom(bytes(TEXT))));
  const { component } = bom.metadata;
  t.equal(component.type, 'machine-learning-model');
  t.same(
    component.components.map(({ name, hashes }: Anything) => [name, hashes[0].content]),
    FILES.map(({ path, sha256 }) => [path, sha256.slice(7)]),
  );
  t.equal(component.pedigree.ancestors[0].name, 'org/base');
  t.same(
    bom.components.map(({ type }: Anything) => type),
    ['machine-learning-model', 'container'],
  );
  t.equal(exportCycloneDx(readMbom(bytes(TEXT))), exportCycloneDx(readMbom(bytes(TEXT))), 'without a clock');
  t.end();
});
