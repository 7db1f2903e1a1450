// Tables with one exact answer for each entry: names, exclusions, encodings, and what a person is told.
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'tap';
import {
  reusableDigests,
  signDocument,
  signModel,
  type Trust,
  verify,
  verifyAttestation,
  verifyDocument,
} from '../../../src/index.ts';
import { MAX_DOCUMENT, readBase64, readJson } from '../../../src/proof/sign/bundle/encoding.ts';
import { encode, encodeLegacy } from '../../../src/proof/sign/bundle/envelope.ts';
import { DEFAULT_IGNORED, exclusion, isGit } from '../../../src/proof/sign/files/exclusion.ts';
import { proven, refuse } from '../../../src/proof/sign/refusal.ts';
import { toManifest } from '../../../src/proof/sign/statement/manifest.ts';
import { assertDistinct, byBytes, isPlainPath } from '../../../src/proof/sign/statement/path.ts';
import { isLoadable } from '../../../src/scan/model/loadable.ts';
import { golden, refused, told } from '../../kit/golden.ts';
import { packageRoot } from '../../kit/root.ts';
import { type Anything, file, forge, hex, pair, statement } from '../../kit/specimen/forgery.ts';

const KEY = pair();
const OTHER = pair();
const TRUST: Trust = { method: 'key', publicKey: KEY.public };
const FILES = [file('config.json', '{}'), file('model.safetensors', 'weights', 'safetensors')];

test('paths: plain ones, and all others', (t) => {
  for (const path of [
    'a',
    'a/b',
    'a.b/.c',
    '..a',
    'a..',
    '...',
    'é/😀',
    'CC:x',
    'a/C:b',
    ':',
    'x'.repeat(4096),
  ])
    t.ok(isPlainPath(path), path.slice(0, 40));
  for (const path of [
    ...['', '/', '/a', 'a/', 'a//b', '.', './a', 'a/.', 'a/./b', '..', '../a', 'a/..', 'a/../b'],
    ...['a\\b', '\\', 'a\0', '\ud800', 'a\udc00b', 'C:', 'c:x', 'Z:/x', 'x'.repeat(4097)],
  ])
    t.notOk(isPlainPath(path), JSON.stringify(path).slice(0, 40));
  t.equal(
    refused(() => assertDistinct(['a', 'b'])),
    'verified',
  );
  t.equal(
    refused(() => assertDistinct(['a', 'b', 'a'])),
    'DUPLICATE_NAME | a | the document lists the file twice',
  );
  t.equal(
    refused(() => assertDistinct(['../x'])),
    'PATH_ESCAPE | ../x | a name in the document is no plain relative path',
  );
  t.same(['😀', '\ufffd', 'b', 'a'].sort(byBytes), ['a', 'b', '\ufffd', '😀']);
  t.end();
});

test('what is left out, and what a loader would load or run all the same', (t) => {
  golden(t, 'ignored.txt', DEFAULT_IGNORED);
  const isIgnored = exclusion(['notes', 'a/b']);
  for (const path of ['notes', 'notes/x', 'notes/x/y', 'a/b', 'a/b/c']) t.ok(isIgnored(path), path);
  for (const path of ['note', 'notes2', 'x/notes', 'a', 'a/bc', 'a/c']) t.notOk(isIgnored(path), path);
  for (const path of ['.git/x', '.git/a/b', '.github/x', '.gitattributes', '.gitignore'])
    t.ok(isGit(path), path);
  for (const path of [
    ...[
      '.git',
      '.github',
      '.gitx/a',
      '.githubx/a',
      'a/.git/x',
      'a/.gitignore',
      '.gitignore/x',
      'x.gitignore',
    ],
    ...['.gitignorex', '.gitattributesx', 'xgit/x', 'a.github/x'],
  ])
    t.notOk(isGit(path), path);
  const extensions =
    'safetensors gguf ggml ggmf llamafile bin onnx onnx_data pb tflite mlmodel h5 hdf5 keras msgpack npy npz nemo weights ' +
    'pt pth ckpt pkl pickle joblib dill ptl pt2 mar py pyc pyo pyd pyw pyz so so.1 so.1.2.34 dll dylib node wasm jar class ' +
    'exe com elf sh bash zsh fish bat cmd ps1 js mjs cjs ts rb pl lua php r jl ipynb jinja jinja2 j2 tmpl egg whl lnk desktop';
  for (const extension of extensions.split(' ')) {
    t.ok(isLoadable(`a/b.${extension}`), extension);
    t.ok(isLoadable(`b.${extension.toUpperCase()}`), `${extension} in capitals`);
    t.notOk(isLoadable(`b${extension}`) && !extension.includes('.'), `b${extension} has no extension`);
    t.notOk(isLoadable(`b.${extension}.txt`), `${extension}.txt`);
  }
  for (const path of ['README.md', 'config.json', 'a.so.', 'a.so.x', 'a.sox', 'py', 'a.bin/b.txt'])
    t.notOk(isLoadable(path), path);
  t.end();
});

test('encodings: DSSE, and what Python printed', (t) => {
  t.equal(encode('é', Buffer.from('ab')).toString(), 'DSSEv1 2 é 2 ab');
  t.equal(encode('', Buffer.alloc(0)).toString('latin1'), 'DSSEv1 0  0 ');
  // hashlib.sha256(repr(x).encode()) of CPython 3.
  const all = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte));
  for (const [bytes, printed] of [
    [Buffer.from("it's"), `b"it's"`],
    [Buffer.from('"'), `b'"'`],
    [Buffer.from(`'"`), `b'\\'"'`],
    [Buffer.from('a\\b\t\n\r\x7f ~\x1f\x80', 'latin1'), String.raw`b'a\\b\t\n\r\x7f ~\x1f\x80'`],
    [Buffer.alloc(0), "b''"],
  ] as const)
    t.equal(encodeLegacy('t', bytes).toString(), `DSSEV1 1 t ${bytes.length} ${printed}`);
  const repr = encodeLegacy('t', all).subarray('DSSEV1 1 t 256 '.length);
  t.equal(hex(repr), '896463bd16ea9ebc4e4e16d25aafd2a680d5b19a03a37a2f088161d8b0f1c2e7');
  t.end();
});

test('JSON and base64 of strangers', (t) => {
  t.same(readJson(Buffer.from(' {"a":[1,"é"]}\n'), 'bundle'), { a: [1, 'é'] });
  const shifted = Buffer.from('xx{"a":1}').subarray(2);
  t.same(readJson(shifted, 'bundle'), { a: 1 }, 'bytes that lie inside of others');
  for (const [text, message] of [
    ['{', /^MALFORMED_BUNDLE \| the bundle is not strict JSON: .* at byte 1$/],
    ['{} x', /^MALFORMED_BUNDLE \| something follows the JSON of the bundle at byte 3$/],
    ['{"a":1,"a":1}', /^MALFORMED_BUNDLE \| the bundle is not strict JSON: the key "a" occurs twice/],
    ['"\\ud800"', /^MALFORMED_BUNDLE \| the bundle is not strict JSON: /],
  ] as const)
    t.match(
      refused(() => readJson(Buffer.from(text), 'bundle')),
      message,
      text,
    );
  const largest = Buffer.alloc(MAX_DOCUMENT, ' ');
  largest.write('1');
  t.equal(readJson(largest, 'bundle'), 1, 'as large as may be');
  t.equal(
    refused(() => readJson(Buffer.alloc(MAX_DOCUMENT + 1, '1'), 'bundle')),
    'MALFORMED_BUNDLE | the bundle is larger than 134217728 bytes',
  );
  t.equal(readBase64('AAE=', 'x').toString('hex'), '0001');
  for (const text of ['AAE', 'AAF=', 'AA E=', 'AAE=\n', '-_8='])
    t.equal(
      refused(() => readBase64(text, 'x')),
      'MALFORMED_BUNDLE | the x is not canonical base64',
      text,
    );
  t.end();
});

test('differences between files and signature, word for word', (t) => {
  const bundle = Buffer.from(
    signModel(FILES, { privateKey: KEY.secret }, { name: 'm', ignore: ['notes'] }).bundle,
  );
  const [config, weights] = FILES as [Anything, Anything];
  const lines = (
    [
      ['unchanged', FILES],
      ['another content', [config, { ...weights, sha256: config.sha256 }]],
      ['missing', [config]],
      ['added', [...FILES, file('b.txt', 'x'), file('a.py', 'y'), file('plain', 'z', 'gguf')]],
      ['renamed', [config, { ...weights, path: 'moved.safetensors' }]],
      ['renamed, and one more', [config, { ...weights, path: 'b' }, { ...weights, path: 'a' }]],
      ['hidden', [...FILES, file('notes/x.bin', ''), file('notes/y', '', 'gguf'), file('.git/z.py', '')]],
      ['everything', [{ ...config, sha256: hex('') }, file('notes/x.sh', ''), file('new', '')]],
    ] as [string, Anything[]][]
  ).flatMap(([name, files]) => [`${name}:`, `    ${told(verify(files, bundle, TRUST))}`]);
  golden(t, 'refusals-files.txt', lines);
  const beside = [
    file('notes/😀.md', ''),
    file('notes/\ufffd.md', ''),
    file('.gitignore', ''),
    file('mine', ''),
  ];
  const outcome = verify([...FILES, ...beside], bundle, TRUST, { ignore: ['mine'] });
  t.same(outcome.verified && outcome.unsigned, ['.gitignore', 'notes/\ufffd.md', 'notes/😀.md']);
  t.end();
});

test('documents, attestations and old signatures, word for word', (t) => {
  const document = Buffer.from('document');
  const bundle = Buffer.from(signDocument(document, { privateKey: KEY.secret }));
  const { messageSignature } = JSON.parse(bundle.toString());
  const wrapped = (change: (it: Anything) => void): Buffer => {
    const it = JSON.parse(bundle.toString());
    change(it);
    return Buffer.from(JSON.stringify(it));
  };
  const old = (it: object): Buffer =>
    Buffer.from(JSON.stringify({ base64Signature: messageSignature.signature, ...it }));
  const cert = readFileSync(join(packageRoot, 'fixtures', 'compat', 'model-signing', 'ca.pem'));
  const model = Buffer.from(signModel(FILES, { privateKey: KEY.secret }, { name: 'm' }).bundle);
  const other: Trust = { method: 'key', publicKey: OTHER.public };
  const documents: [string, Buffer, Trust?][] = [
    ['ours', bundle],
    ['without a digest', wrapped((it) => delete it.messageSignature.messageDigest)],
    ['without a hint', wrapped((it) => delete it.verificationMaterial.publicKey.hint)],
    ['an empty hint', wrapped((it) => (it.verificationMaterial.publicKey.hint = ''))],
    ['another key', bundle, other],
    ['another key, no hint', wrapped((it) => delete it.verificationMaterial.publicKey.hint), other],
    ['no signature', wrapped((it) => (it.messageSignature.signature = ''))],
    ['another digest', wrapped((it) => (it.messageSignature.messageDigest.digest = 'AAAA'))],
    ['a digest that is none', wrapped((it) => (it.messageSignature.messageDigest.digest = 'A'))],
    ['another algorithm', wrapped((it) => (it.messageSignature.messageDigest.algorithm = 'MD5'))],
    ['neither', wrapped((it) => delete it.messageSignature)],
    ['no key', wrapped((it) => delete it.verificationMaterial.publicKey)],
    ['a key that is no base64', wrapped((it) => (it.verificationMaterial.publicKey.rawBytes = '!'))],
    ['a model signature', model],
    ['nothing', Buffer.alloc(0)],
    ['blanks', Buffer.from(' \n')],
    ['the signature alone', Buffer.from(messageSignature.signature)],
    ['the signature and a line break', Buffer.from(`${messageSignature.signature}\n`)],
    ['the signature and two', Buffer.from(`${messageSignature.signature}\n\n`)],
    ['cosign, old', old({})],
    ['cosign, old, of another key', old({ cert: Buffer.from(OTHER.public).toString('base64') })],
    ['cosign, old, the key in PEM', old({ cert: KEY.public })],
    ['cosign, old, without signature', old({ base64Signature: '' })],
    ['cosign, old, with a certificate', old({ cert: cert.toString('base64') })],
    ['cosign, old, with a certificate that is none', old({ cert: '-----BEGIN CERTIFICATE-----' })],
    ['cosign, old, cert no base64', old({ cert: '!' })],
    ['cosign, old, signature no base64', old({ base64Signature: '!' })],
    ['cosign, old, an unknown field', old({ more: 1 })],
  ];
  const lines = documents.flatMap(([name, bytes, trust = TRUST]) => [
    `${name}:`,
    `    ${told(verifyDocument(document, bytes, trust))}`,
  ]);
  const claim = forge(
    statement(FILES, (it) => (it.predicateType = 'https://example.org/claim')),
    KEY,
  );
  lines.push('no attestation:', `    ${told(verifyAttestation(claim, TRUST, `sha256:${hex('')}`))}`);
  const single = signModel([FILES[1]!], { privateKey: KEY.secret }, { name: 'm', single: true }).bundle;
  lines.push('a single file:', `    ${told(reusableDigests(Buffer.from(single), TRUST, []))}`);
  golden(t, 'refusals-documents.txt', lines);
  t.end();
});

test('what cannot be signed, word for word', (t) => {
  const key = { privateKey: KEY.secret };
  const cases: [() => unknown, { code: string; message: string; file?: string }][] = [
    [
      () => signModel(FILES, key, { name: 'm', single: true }),
      { code: 'USAGE', message: 'a model of one file was to be signed, and there are 2' },
    ],
    [
      () => signModel([file('a\\b', '')], key, { name: 'm' }),
      {
        code: 'USAGE',
        message: 'a file with a backslash or NUL in its name cannot be signed; rename it',
        file: 'a\\b',
      },
    ],
    [() => toManifest([], []), { code: 'NOT_FOUND', message: 'the model holds no file that is signed' }],
    [
      () => verify(FILES, Buffer.alloc(0), { method: 'key', publicKey: KEY.secret }),
      { code: 'USAGE', message: 'the public key cannot be read: a PEM file with a PUBLIC KEY is needed' },
    ],
    [
      () => verify(FILES, Buffer.alloc(0), { method: 'key', publicKey: pair('secp256k1').public }),
      { code: 'USAGE', message: 'the public key is not on one of the curves P-256, P-384 and P-521' },
    ],
    [
      () => signModel(FILES, { privateKey: pair('secp256k1').secret }, { name: 'm' }),
      { code: 'USAGE', message: 'the private key is not on one of the curves P-256, P-384 and P-521' },
    ],
    [
      () => signModel(FILES, { ...key, certificateChain: 'x' }, { name: 'm' }),
      { code: 'USAGE', message: 'the certificate chain cannot be read: PEM certificates are needed' },
    ],
  ];
  for (const [action, expected] of cases) t.throws(action, expected);
  t.same(
    proven(() => refuse('UNSIGNED', 'x')),
    { verified: false, refusals: [{ code: 'UNSIGNED', message: 'x' }] },
  );
  t.throws(() => proven(() => JSON.parse('{')), { name: 'SyntaxError' }, 'what is no refusal passes through');
  const { bundle } = signModel(FILES, key, { name: 'm', ignore: ['notes', 'notes', 'model.sig'] });
  const { dsseEnvelope, ...rest } = JSON.parse(bundle);
  const der = createHash('sha256').update(KEY.public).digest('hex');
  t.same(rest, {
    mediaType: 'application/vnd.dev.sigstore.bundle.v0.3+json',
    verificationMaterial: { publicKey: { hint: der }, tlogEntries: [] },
  });
  t.match(dsseEnvelope, { payloadType: 'application/vnd.in-toto+json', signatures: [{ keyid: '' }] });
  const { predicate, ...envelope } = JSON.parse(Buffer.from(dsseEnvelope.payload, 'base64').toString());
  t.same(envelope, {
    _type: 'https://in-toto.io/Statement/v1',
    subject: [{ name: 'm', digest: { sha256: envelope.subject[0].digest.sha256 } }],
    predicateType: 'https://model_signing/signature/v1.0',
  });
  t.same(predicate.serialization, {
    method: 'files',
    hash_type: 'sha256',
    allow_symlinks: false,
    ignore_paths: ['notes', ...DEFAULT_IGNORED].filter((path, i, all) => all.indexOf(path) === i),
  });
  t.same(predicate.resources[0], { name: 'config.json', algorithm: 'sha256', digest: hex('{}') });
  t.end();
});

test('statements and bundles of other makers, word for word', (t) => {
  const printed = (type: string, bytes: Buffer): Buffer =>
    Buffer.from(`DSSEV1 ${type.length} ${type} ${bytes.length} b'${bytes.toString('latin1')}'`);
  const old = (change: (it: Anything) => void = () => undefined): Buffer => {
    const it = {
      _type: 'https://in-toto.io/Statement/v1',
      subject: FILES.map(({ path, sha256 }) => ({ name: path, digest: { sha256: sha256.slice(7) } })),
      predicateType: 'https://model_signing/Digests/v0.1',
    };
    change(it);
    return forge(Buffer.from(JSON.stringify(it)), KEY, { encode: printed });
  };
  const now = (change: (it: Anything) => void): Buffer => forge(statement(FILES, change), KEY);
  const sharded = (name: string): Buffer =>
    now(({ predicate }) => {
      predicate.serialization.method = 'shards';
      for (const one of predicate.resources) one.name += ':0:12';
      predicate.resources[0].name = name;
    });
  const outside = (change: (it: Anything) => void): Buffer => forge(statement(FILES), KEY, { change });
  const digests = FILES.map(({ sha256 }) => Buffer.from(sha256.slice(7), 'hex'));
  t.match(verify(FILES, old(), TRUST), {
    verified: true,
    name: '',
    rootDigest: `sha256:${hex(Buffer.concat(digests))}`,
    fileCount: 2,
    unsigned: [],
  });
  const cases: [string, Buffer][] = [
    ['0.2: a name twice', old((it) => (it.subject[0].name = it.subject[1].name))],
    ['0.2: no name', old((it) => delete it.subject[0].name)],
    [
      '0.2: another encoding',
      forge(
        Buffer.from(
          JSON.stringify({
            ...JSON.parse(statement(FILES).toString()),
            predicateType: 'https://model_signing/Digests/v0.1',
          }),
        ),
        KEY,
      ),
    ],
    ['one shard for each file', sharded('config.json:0:2')],
    ['a shard with a line break', sharded('a\nconfig.json:0:2')],
    ['no range', sharded('config.json')],
    ['a range that does not end it', sharded('config.json:0:2x')],
    ['a range without a name', sharded(':0:2')],
    ['a second shard', sharded('config.json:12:24')],
    ['no name of the model', now((it) => delete it.subject[0].name)],
    [
      'a single file that leads out',
      now(({ predicate }) => (predicate.resources = [{ ...predicate.resources[0], name: '../x' }])),
    ],
    ['a statement that is no JSON', forge(Buffer.from('{'), KEY)],
    ['an empty signature', outside((it) => (it.dsseEnvelope.signatures[0].sig = ''))],
    ['a signature that is no base64', outside((it) => (it.dsseEnvelope.signatures[0].sig = '!'))],
    ['a payload that is no base64', outside((it) => (it.dsseEnvelope.payload = '!'))],
    [
      'a certificate that is no base64',
      outside(
        (it) => (it.verificationMaterial = { x509CertificateChain: { certificates: [{ rawBytes: '!' }] } }),
      ),
    ],
    ['null', Buffer.from('null')],
    ['no media type', outside((it) => delete it.mediaType)],
    ['a media type that is a number', outside((it) => (it.mediaType = 1))],
    ['a long name of a field', outside((it) => (it['x'.repeat(1000)] = 1))],
  ];
  golden(
    t,
    'refusals-statements.txt',
    cases.flatMap(([name, bundle]) => [`${name}:`, `    ${told(verify(FILES, bundle, TRUST))}`]),
  );
  t.end();
});
