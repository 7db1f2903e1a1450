// Signing and verifying by key: what is proven, every refusal by its name, and hostile documents.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { type Test, test } from 'tap';
import {
  attest,
  type Outcome,
  type RefusalCode,
  type Report,
  reusableDigests,
  SteelyardError,
  signDocument,
  signModel,
  type Trust,
  verify,
  verifyAttestation,
  verifyDocument,
} from '../../../src/index.ts';
import { golden, told } from '../../kit/golden.ts';
import {
  type Anything,
  examined,
  file,
  forge,
  hex,
  pae,
  pair,
  root,
  statement,
} from '../../kit/specimen/forgery.ts';
import { specimenReport } from '../../kit/specimen/specimen.ts';

const scratch = mkdtempSync(join(tmpdir(), 'steelyard-sign-'));
process.on('exit', () => rmSync(scratch, { recursive: true, force: true }));

const KEY = pair();
const OTHER = pair();
const TRUST: Trust = { method: 'key', publicKey: KEY.public };
const FILES = [
  file('config.json', '{}'),
  file('model.safetensors', 'weights', 'safetensors'),
  file('sub/😀.txt', 'emoji sorts after U+FFFD in bytes'),
  file('sub/\ufffd.txt', 'and before it in UTF-16'),
];
const signed = (key = KEY.secret, options = {}): Buffer =>
  Buffer.from(signModel(FILES, { privateKey: key }, { name: 'm', ...options }).bundle);
const codes = (outcome: Outcome<object>): RefusalCode[] =>
  outcome.verified ? [] : outcome.refusals.map(({ code }) => code);

/** Codes that a test of this file has seen; bom.test.ts, certificate.test.ts and identity.test.ts see the others. */
const seen = new Set<RefusalCode>();
const refusal = (t: Test, outcome: Outcome<object>, code: RefusalCode, message: string): void => {
  for (const one of codes(outcome)) seen.add(one);
  t.equal(codes(outcome)[0], code, message);
};

test('a model is signed and verified with each curve', (t) => {
  for (const curve of ['prime256v1', 'secp384r1', 'secp521r1']) {
    const key = pair(curve);
    const { bundle, rootDigest, fileCount } = signModel(FILES, { privateKey: key.secret }, { name: 'm' });
    const outcome = verify(FILES, Buffer.from(bundle), { method: 'key', publicKey: key.public });
    t.ok(outcome.verified, curve);
    if (!outcome.verified) continue;
    const der = key.publicKey.export({ type: 'spki', format: 'der' });
    t.same(outcome.signer, { method: 'key', fingerprint: `sha256:${hex(der)}` });
    t.same([outcome.rootDigest, outcome.fileCount, outcome.name], [rootDigest, fileCount, 'm']);
    // The specification's own order, and the root over the raw digests in that order.
    const order = ['config.json', 'model.safetensors', 'sub/\ufffd.txt', 'sub/😀.txt'];
    const digests = order.map((path) => FILES.find((one) => one.path === path)!.sha256.slice(7));
    t.equal(rootDigest, `sha256:${root(digests)}`);
    const { payload } = (JSON.parse(bundle) as Anything).dsseEnvelope;
    const { predicate } = JSON.parse(Buffer.from(payload, 'base64').toString());
    t.same(
      predicate.resources.map(({ name }: Anything) => name),
      order,
    );
  }
  t.end();
});

test('what we sign, openssl verifies over the DSSE encoding', (t) => {
  for (const [curve, hash] of [
    ['prime256v1', 'sha256'],
    ['secp384r1', 'sha384'],
    ['secp521r1', 'sha512'],
  ] as const) {
    const key = pair(curve);
    const { payload, payloadType, signatures } = (JSON.parse(signed(key.secret).toString()) as Anything)
      .dsseEnvelope;
    const at = (name: string, content: string | Buffer): string => {
      const path = join(scratch, name);
      writeFileSync(path, content);
      return path;
    };
    const said = execFileSync('openssl', [
      ...['dgst', `-${hash}`, '-verify', at('pub.pem', key.public)],
      ...['-signature', at('sig', Buffer.from(signatures[0].sig, 'base64'))],
      at('encoded', pae(payloadType, Buffer.from(payload, 'base64'))),
    ]);
    t.equal(said.toString(), 'Verified OK\n', curve);
  }
  t.end();
});

test('keys: encrypted ones with their password, and errors that say what is wrong', (t) => {
  const encrypted = KEY.privateKey
    .export({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'hello' })
    .toString();
  const sec1 = KEY.privateKey.export({ type: 'sec1', format: 'pem' }).toString();
  const sign = (key: string, password?: string): string =>
    signModel(FILES, { privateKey: key, ...(password === undefined ? {} : { password }) }, { name: 'm' })
      .bundle;
  for (const bundle of [sign(encrypted, 'hello'), sign(sec1)])
    t.ok(verify(FILES, Buffer.from(bundle), TRUST).verified);
  for (const [key, password, message] of [
    [encrypted, undefined, /give its password/],
    [encrypted, 'olleh', /the password is another/],
    [pair('secp256k1').secret, undefined, /not on one of the curves/],
    ['', undefined, /no PEM key/],
  ] as const) {
    t.throws(() => sign(key, password), { name: 'SteelyardError', code: 'USAGE', message });
  }
  const wrong = [KEY.secret, pair('secp256k1').public, 'no key', ''];
  for (const publicKey of wrong)
    t.throws(
      () => verify(FILES, signed(), { method: 'key', publicKey }),
      { code: 'USAGE' },
      'not a public key',
    );
  t.end();
});

test('every difference between the files and the signature is told', (t) => {
  const [config, weights, ...rest] = FILES as [Anything, Anything];
  const cases: [RefusalCode, Anything[], string][] = [
    ['DIGEST_MISMATCH', [config, { ...weights, sha256: config.sha256 }, ...rest], 'model.safetensors'],
    ['MISSING_FILE', [config, ...rest], 'model.safetensors'],
    ['EXTRA_FILE', [...FILES, file('added.txt', 'x')], 'added.txt'],
    ['RENAMED_FILE', [config, { ...weights, path: 'other.safetensors' }, ...rest], 'other.safetensors'],
  ];
  for (const [code, files, name] of cases) {
    const outcome = verify(files, signed(), TRUST);
    refusal(t, outcome, code, code);
    if (!outcome.verified) t.equal(outcome.refusals[0].file, name);
  }
  const all = verify([{ ...config, sha256: weights.sha256 }, file('x.py', '')], signed(), TRUST);
  t.same(codes(all), ['DIGEST_MISMATCH', 'MISSING_FILE', 'MISSING_FILE', 'MISSING_FILE', 'EXTRA_FILE']);
  t.same(codes(verify([], signed(), TRUST)), new Array(4).fill('MISSING_FILE'));
  t.end();
});

test('what is left out is told; weights and code that are left out are refused', (t) => {
  const bundle = signed(KEY.secret, { ignore: ['notes'] });
  const beside = [
    file('.git/HEAD', 'x'),
    file('.git/lfs/objects/weights', 'x', 'gguf'),
    file('notes/a.md', 'x'),
  ];
  const outcome = verify([...FILES, ...beside, file('sig', '')], bundle, TRUST, { ignore: ['sig'] });
  t.same(outcome.verified && outcome.unsigned, ['.git/HEAD', '.git/lfs/objects/weights', 'notes/a.md']);
  for (const hidden of [
    file('notes/evil.py', ''),
    file('notes/plain', '', 'gguf'),
    file('notes/a.so.1', ''),
    file('model.sig/x.pt', ''),
    // What decides what a model does is not named by a list of endings.
    ...[
      'config.json',
      'tokenizer.model',
      'tokenizer.json',
      'vocab.txt',
      'x.plan',
      'x.distcp',
      'x.bin.bak',
      '.metadata',
      'plain',
    ].map((name) => file(`notes/${name}`, '')),
    file('.git/evil.py', ''),
    file('.github/evil.safetensors', '', 'safetensors'),
  ])
    refusal(t, verify([...FILES, hidden], bundle, TRUST), 'IGNORED_WEIGHTS', hidden.path);
  // A file that is named is compared although the signer also leaves it out.
  const both = forge(
    statement(FILES, ({ predicate }) => {
      predicate.serialization.ignore_paths = ['config.json'];
    }),
    KEY,
  );
  refusal(t, verify([...FILES.slice(1), file('config.json', 'x')], both, TRUST), 'DIGEST_MISMATCH', 'named');
  refusal(t, verify([...FILES, file('a.txt', 'x')], both, TRUST), 'EXTRA_FILE', 'beside');
  for (const path of ['../..', '/', '', '.', '..', 'a/../b'])
    refusal(
      t,
      verify(
        FILES,
        forge(
          statement(FILES, ({ predicate }) => (predicate.serialization.ignore_paths = [path])),
          KEY,
        ),
        TRUST,
      ),
      'PATH_ESCAPE',
      `a path outside is left out: ${path}`,
    );
  t.end();
});

test('one file may be signed without a name', (t) => {
  const one = [file('a.gguf', 'x', 'gguf')];
  const { bundle } = signModel(one, { privateKey: KEY.secret }, { name: 'a.gguf', single: true });
  t.ok(verify([file('renamed.gguf', 'x')], Buffer.from(bundle), TRUST).verified);
  refusal(t, verify([file('a.gguf', 'y')], Buffer.from(bundle), TRUST), 'DIGEST_MISMATCH', 'another content');
  refusal(
    t,
    verify([...one, file('b', 'x')], Buffer.from(bundle), TRUST),
    'RENAMED_FILE',
    'another file beside it',
  );
  t.throws(() => signModel(FILES, { privateKey: KEY.secret }, { name: 'm', single: true }), {
    code: 'USAGE',
  });
  t.throws(() => signModel([file('a\\b', '')], { privateKey: KEY.secret }, { name: 'm' }), { code: 'USAGE' });
  t.throws(() => signModel([file('.git/x', '')], { privateKey: KEY.secret }, { name: 'm' }), {
    code: 'NOT_FOUND',
  });
  t.end();
});

test('every refusal of a bundle or a statement, by its name', (t) => {
  const payload = statement(FILES);
  const spoiled = (change: (it: Anything) => void): Buffer => forge(statement(FILES, change), KEY);
  const wrapped = (change: (bundle: Anything) => void): Buffer => forge(payload, KEY, { change });
  const named = (name: string): Buffer => spoiled(({ predicate }) => (predicate.resources[0].name = name));
  const legacy = (type: string, bytes: Buffer): Buffer =>
    Buffer.from(`DSSEV1 ${type.length} ${type} ${bytes.length} b'${bytes.toString('latin1')}'`);
  const p384 = pair('secp384r1');
  const cases: [RefusalCode, Buffer, string][] = [
    ['UNSIGNED', Buffer.from(' \n'), 'an empty file'],
    ['UNSIGNED', wrapped((it) => (it.dsseEnvelope.signatures = [])), 'no signature'],
    ['UNSIGNED', wrapped((it) => delete it.dsseEnvelope), 'no envelope'],
    [
      'BAD_SIGNATURE',
      wrapped((it) => (it.dsseEnvelope.payload = statement([FILES[0]!]).toString('base64'))),
      'payload',
    ],
    ['BAD_SIGNATURE', wrapped((it) => (it.dsseEnvelope.payloadType += ' ')), 'type'],
    [
      'BAD_SIGNATURE',
      forge(payload, OTHER, { change: (it) => (it.verificationMaterial.publicKey.hint = hex(KEY.public)) }),
      'claims to be the key',
    ],
    ['WRONG_KEY', forge(payload, OTHER), 'another key'],
    [
      'WRONG_KEY',
      forge(payload, OTHER, {
        change: (it) =>
          (it.verificationMaterial.publicKey = { rawBytes: Buffer.from(OTHER.public).toString('base64') }),
      }),
      'another key, in the bundle',
    ],
    [
      'WRONG_METHOD',
      wrapped(
        (it) => (it.verificationMaterial = { x509CertificateChain: { certificates: [{ rawBytes: '' }] } }),
      ),
      'a certificate',
    ],
    [
      'WRONG_METHOD',
      wrapped((it) => (it.verificationMaterial = { certificate: { rawBytes: '' } })),
      'an identity',
    ],
    [
      'UNSUPPORTED_BUNDLE',
      wrapped((it) => (it.mediaType = 'application/vnd.dev.sigstore.bundle+json;version=0.1')),
      'version',
    ],
    ['UNSUPPORTED_BUNDLE', forge(payload, KEY, { payloadType: 'text/plain' }), 'no in-toto'],
    [
      'UNSUPPORTED_BUNDLE',
      spoiled((it) => (it.predicateType = 'https://slsa.dev/provenance/v1')),
      'another predicate',
    ],
    [
      'UNSUPPORTED_BUNDLE',
      spoiled((it) => (it.predicate.serialization.hash_type = 'blake3')),
      'another hash',
    ],
    [
      'UNSUPPORTED_BUNDLE',
      Buffer.from(signDocument(Buffer.from('x'), { privateKey: KEY.secret })),
      'a document',
    ],
    ['MALFORMED_BUNDLE', Buffer.from('{'), 'no JSON'],
    ['MALFORMED_BUNDLE', wrapped((it) => (it.more = 1)), 'an unknown field'],
    ['MALFORMED_BUNDLE', wrapped((it) => (it.messageSignature = { signature: 'AAAA' })), 'two contents'],
    [
      'MALFORMED_BUNDLE',
      wrapped((it) => it.dsseEnvelope.signatures.push(it.dsseEnvelope.signatures[0])),
      'two signatures',
    ],
    [
      'MALFORMED_BUNDLE',
      wrapped((it) => (it.verificationMaterial.certificate = { rawBytes: '' })),
      'two keys',
    ],
    ['MALFORMED_BUNDLE', wrapped((it) => (it.dsseEnvelope.signatures[0].sig += '\n')), 'base64'],
    ['MALFORMED_BUNDLE', Buffer.concat([wrapped(() => undefined), Buffer.from('{}')]), 'something follows'],
    [
      'MALFORMED_BUNDLE',
      Buffer.from(
        wrapped(() => undefined)
          .toString()
          .replace('{"mediaType"', '{"dsseEnvelope":{},"mediaType"'),
      ),
      'a key twice',
    ],
    ['MALFORMED_BUNDLE', Buffer.alloc(134_217_729, 0x20).fill('{', 0, 1), 'huge'],
    ['MALFORMED_BUNDLE', Buffer.from('['.repeat(100_000)), 'deep'],
    [
      'MALFORMED_BUNDLE',
      spoiled((it) => (it._type = 'https://in-toto.io/Statement/v0.1')),
      'an old statement',
    ],
    ['MALFORMED_BUNDLE', spoiled((it) => (it.subject = [...it.subject, ...it.subject])), 'two subjects'],
    ['MALFORMED_BUNDLE', spoiled((it) => (it.predicate.resources = [])), 'no file'],
    ['MALFORMED_BUNDLE', spoiled((it) => (it.predicate.resources[0].digest = 'ABC')), 'a digest'],
    ['MALFORMED_BUNDLE', spoiled((it) => (it.predicate = null)), 'no predicate'],
    [
      'DOWNGRADED',
      forge(statement([FILES[0]!]), KEY, { encode: legacy }),
      'the old encoding of a new statement',
    ],
    ['DOWNGRADED', forge(payload, p384, { hash: 'sha256' }), 'a weak hash'],
    ['PATH_ESCAPE', named('../secret'), 'above'],
    ['PATH_ESCAPE', named('/etc/passwd'), 'absolute'],
    ['PATH_ESCAPE', named('a/./b'), 'a dot'],
    ['PATH_ESCAPE', named('a//b'), 'an empty segment'],
    ['PATH_ESCAPE', named('..\\secret'), 'a backslash'],
    ['PATH_ESCAPE', named('C:secret'), 'a drive'],
    ['PATH_ESCAPE', named('a\0b'), 'NUL'],
    ['PATH_ESCAPE', named('.'), 'the model itself among others'],
    ['DUPLICATE_NAME', named('model.safetensors'), 'twice'],
    ['ROOT_MISMATCH', spoiled((it) => (it.subject[0].digest.sha256 = hex(''))), 'the root'],
  ];
  const lines: string[] = [];
  for (const [code, bundle, message] of cases) {
    const publicKey = message === 'a weak hash' ? p384.public : KEY.public;
    const outcome = verify(FILES, bundle, { method: 'key', publicKey });
    refusal(t, outcome, code, `${code}: ${message}`);
    lines.push(`${message}:`, `    ${told(outcome)}`);
  }
  golden(t, 'refusals.txt', lines);
  t.ok(verify(FILES, forge(payload, KEY), TRUST).verified, 'and the same without the fault is verified');
  const unknown = spoiled((it) => Object.assign(it.predicate, { new: 1 }));
  t.ok(verify(FILES, unknown, TRUST).verified, 'in-toto: unknown fields of what is signed are ignored');
  t.end();
});

test('shards: whole files are verified, parts are not', (t) => {
  const sharded = (name: string): Buffer =>
    forge(
      statement(FILES, ({ predicate }) => {
        predicate.serialization = {
          method: 'shards',
          hash_type: 'sha256',
          shard_size: 16.0,
          allow_symlinks: false,
        };
        for (const one of predicate.resources)
          Object.assign(one, { name: `${one.name}:0:7`, algorithm: 'sha256-sharded-16' });
        predicate.resources[1].name = name;
      }),
      KEY,
    );
  t.ok(verify(FILES, sharded('model.safetensors:0:7'), TRUST).verified);
  refusal(t, verify(FILES, sharded('model.safetensors:7:14'), TRUST), 'UNSUPPORTED_BUNDLE', 'a part');
  refusal(t, verify(FILES, sharded('model.safetensors'), TRUST), 'MALFORMED_BUNDLE', 'no range');
  t.end();
});

test('hostile documents: refused, and nothing else is thrown', (t) => {
  const refusedOnly = (bundle: Buffer): void => {
    const outcome = verify(FILES, bundle, TRUST);
    if (outcome.verified) throw new Error('verified');
  };
  fc.assert(fc.property(fc.json(), (text) => refusedOnly(Buffer.from(text))));
  fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => refusedOnly(Buffer.from(bytes))));
  // Any value in the place of any field, in the bundle and, signed by the right key, in the statement.
  const spoil = (it: Anything, path: number[], value: unknown): void => {
    const keys = Object.keys(it);
    const key = keys[path[0]! % keys.length]!;
    if (path.length > 1 && typeof it[key] === 'object' && it[key] !== null && Object.keys(it[key]).length > 0)
      spoil(it[key], path.slice(1), value);
    else it[key] = value;
  };
  const path = fc.array(fc.nat(20), { minLength: 1, maxLength: 5 });
  const value = fc.oneof(fc.jsonValue(), fc.constantFrom('__proto__', '../x', 'constructor', -1, 1e308));
  fc.assert(
    fc.property(path, value, fc.boolean(), (path, value, inside) => {
      const bundle = inside
        ? forge(
            statement(FILES, (it) => spoil(it, path, value)),
            KEY,
          )
        : forge(statement(FILES), KEY, { change: (it) => spoil(it, path, value) });
      const outcome = verify(FILES, bundle, TRUST);
      // Fields that the signature need not have are free: the subject's name, keyid, what logs say.
      if (outcome.verified) fc.pre(false);
    }),
    { numRuns: 500, maxSkipsPerRun: 1000 },
  );
  const polluted = Buffer.from(
    signed().toString().replace('"tlogEntries":[]', '"__proto__":{"verified":true},"tlogEntries":[]'),
  );
  refusedOnly(polluted);
  t.equal(({} as Anything).verified, undefined);
  t.end();
});

test('documents: the exact bytes, and bundles of cosign', (t) => {
  const document = Buffer.from('schema: steelyard/mbom/1\n');
  for (const key of [KEY, pair('secp384r1'), pair('secp521r1')]) {
    const trust: Trust = { method: 'key', publicKey: key.public };
    const bundle = Buffer.from(signDocument(document, { privateKey: key.secret }));
    t.ok(verifyDocument(document, bundle, trust).verified);
    const flipped = Buffer.from(document);
    flipped[0]! ^= 1;
    refusal(t, verifyDocument(flipped, bundle, trust), 'BAD_SIGNATURE', 'another document');
  }
  // What cosign wrote before version 3: a bundle of its own, or the signature alone.
  const { signature } = (JSON.parse(signDocument(document, { privateKey: KEY.secret })) as Anything)
    .messageSignature;
  const old = (more: object): Buffer => Buffer.from(JSON.stringify({ base64Signature: signature, ...more }));
  const cert = (key: string): string => Buffer.from(key).toString('base64');
  for (const bundle of [
    old({}),
    old({ cert: cert(KEY.public), rekorBundle: {} }),
    Buffer.from(`${signature}\n`),
  ])
    t.ok(verifyDocument(document, bundle, TRUST).verified);
  refusal(t, verifyDocument(document, old({ cert: cert(OTHER.public) }), TRUST), 'WRONG_KEY', 'another key');
  refusal(t, verifyDocument(Buffer.from('x'), old({}), TRUST), 'BAD_SIGNATURE', 'another document');
  refusal(t, verifyDocument(document, old({ more: 1 }), TRUST), 'MALFORMED_BUNDLE', 'an unknown field');
  refusal(t, verifyDocument(document, signed(), TRUST), 'UNSUPPORTED_BUNDLE', 'a statement');
  t.end();
});

test('attestations: the verdict of a scan, for the root digest that a signature has', (t) => {
  const clean: Report = specimenReport({
    files: FILES.map(examined) as Anything,
    complete: true,
    errors: [],
  });
  const pass = { ...clean, findings: [], verdict: { ...clean.verdict, outcome: 'pass' as const } };
  const key = { privateKey: KEY.secret };
  const attested = (report: Report, options = {}): Buffer =>
    Buffer.from(attest(report, key, { name: 'm', time: new Date(0), ...options }).bundle);
  const inside = (bundle: Buffer): Anything =>
    JSON.parse(
      Buffer.from((JSON.parse(bundle.toString()) as Anything).dsseEnvelope.payload, 'base64').toString(),
    );
  const { rootDigest, fileCount } = signModel(FILES, key, { name: 'm' });
  t.match(attest(pass, key, { name: 'm', ignore: ['config.json'] }), { fileCount: fileCount - 1 });
  const own = {
    version: '0.1.0',
    outcome: 'fail',
    failOn: 'high',
    complete: true,
    counts: clean.verdict.counts,
    rules: { 'header/truncated': 44 },
    files: 4,
    examined: 4,
    identified: 0,
    hashed: 0,
    unexamined: 0,
    canRun: 0,
    tensors: clean.tensors.length,
    bytes: FILES.reduce((sum, { size }) => sum + size, 0),
  };
  const policyDigest = `sha256:${hex('policy')}`;
  const plain = { uri: 'urn:steelyard:scan:v1:fail-on:high' };
  const pinned = { uri: `urn:sha256:${hex('policy')}`, digest: { sha256: hex('policy') } };
  const subject = [{ name: 'm', digest: { sha256: rootDigest.slice(7) } }];
  const forms = {
    vsa: 'https://slsa.dev/verification_summary/v1',
    svr: 'https://in-toto.io/attestation/svr/v0.2',
  };
  for (const [policy, options] of [
    [plain, {}],
    [pinned, { policyDigest }],
  ] as const) {
    const summary = inside(attested(clean, options));
    t.same(summary, {
      _type: 'https://in-toto.io/Statement/v1',
      subject,
      predicateType: forms.vsa,
      predicate: {
        verifier: { id: 'urn:steelyard:scan:v1', version: { steelyard: '0.1.0' } },
        timeVerified: '1970-01-01T00:00:00.000Z',
        resourceUri: `urn:sha256:${rootDigest.slice(7)}`,
        policy,
        verificationResult: 'FAILED',
        verifiedLevels: [],
        slsaVersion: '1.0',
        'urn:steelyard:scan:v1': own,
      },
    });
    const result = inside(attested(clean, { ...options, predicate: 'svr' }));
    t.same([result.subject, result.predicateType], [subject, forms.svr]);
    t.same(result.predicate, {
      verifier: { id: 'urn:steelyard:scan:v1', policies: [policy] },
      timeCreated: '1970-01-01T00:00:00.000Z',
      properties: [],
      'urn:steelyard:scan:v1': own,
    });
  }
  for (const predicate of ['vsa', 'svr'] as const) {
    const verified = (report: Report, root = rootDigest, options = {}) =>
      verifyAttestation(attested(report, { predicate, ...options }), TRUST, root);
    const proof = { verified: true, rootDigest, time: '1970-01-01T00:00:00.000Z', tool: '0.1.0' };
    t.match(verified(pass), { ...proof, policyDigest: null, signer: { method: 'key' } }, predicate);
    t.match(verified(pass, rootDigest, { policyDigest }), { ...proof, policyDigest });
    refusal(t, verified(clean), 'FAILED_SCAN', `${predicate}: failed`);
    refusal(t, verified({ ...pass, complete: false }), 'FAILED_SCAN', `${predicate}: could not look`);
    refusal(t, verified(pass, `sha256:${hex('')}`), 'ROOT_MISMATCH', `${predicate}: another model`);
    const spoiled = (change: (it: Anything) => void): Buffer => {
      const it = inside(attested(pass, { predicate, policyDigest }));
      change(it.predicate);
      return forge(Buffer.from(JSON.stringify(it)), KEY);
    };
    const code = (change: (it: Anything) => void, expected: RefusalCode, message: string): void =>
      refusal(t, verifyAttestation(spoiled(change), TRUST, rootDigest), expected, `${predicate}: ${message}`);
    t.ok(
      verifyAttestation(
        spoiled(() => undefined),
        TRUST,
        rootDigest,
      ).verified,
      'unspoiled',
    );
    code((it) => (it.verifier.id = 'https://example.org'), 'UNSUPPORTED_BUNDLE', 'another verifier');
    code((it) => delete it.verifier, 'MALFORMED_BUNDLE', 'no verifier');
    const time = predicate === 'vsa' ? 'timeVerified' : 'timeCreated';
    code((it) => (it[time] = 'yesterday'), 'MALFORMED_BUNDLE', 'no time');
    const policyOf = (it: Anything): Anything => (predicate === 'vsa' ? it.policy : it.verifier.policies[0]);
    for (const wrong of [`${hex('')}0`, `0${hex('')}`, 'ABC'])
      code((it) => (policyOf(it).digest.sha256 = wrong), 'MALFORMED_BUNDLE', 'no digest');
  }
  const other = inside(attested(pass));
  const maybe = { ...other, predicate: { ...other.predicate, verificationResult: 'MAYBE' } };
  const forged = forge(Buffer.from(JSON.stringify(maybe)), KEY);
  refusal(t, verifyAttestation(forged, TRUST, rootDigest), 'MALFORMED_BUNDLE', 'another result');
  refusal(t, verifyAttestation(signed(), TRUST, rootDigest), 'UNSUPPORTED_BUNDLE', 'a signature');
  refusal(t, verify(FILES, attested(pass), TRUST), 'UNSUPPORTED_BUNDLE', 'an attestation is no signature');
  t.end();
});

test('digests of an old signature, to be signed again', (t) => {
  const old = signed(KEY.secret, { ignore: ['notes'] });
  const byPath = new Map(FILES.map(({ path, sha256 }) => [path, sha256]));
  const outcome = reusableDigests(old, TRUST, []);
  t.match(outcome, { verified: true, signer: { method: 'key' } });
  t.same(outcome.verified && outcome.digests, byPath);
  const without = reusableDigests(old, TRUST, ['sub', 'config.json', 'model']);
  t.same(without.verified && [...without.digests.keys()], ['model.safetensors'], 'what changed is not taken');
  refusal(
    t,
    reusableDigests(old, { method: 'key', publicKey: OTHER.public }, []),
    'WRONG_KEY',
    'of a stranger',
  );
  const escaping = forge(
    statement(FILES, ({ predicate }) => (predicate.resources[0].name = '../secret')),
    KEY,
  );
  refusal(t, reusableDigests(escaping, TRUST, []), 'PATH_ESCAPE', 'a name that leads out');
  const single = signModel([FILES[1]!], { privateKey: KEY.secret }, { name: 'm', single: true }).bundle;
  refusal(t, reusableDigests(Buffer.from(single), TRUST, []), 'UNSUPPORTED_BUNDLE', 'of a single file');
  t.end();
});

test('every code that a key can be refused with was seen', (t) => {
  const elsewhere: RefusalCode[] = [
    'WRONG_IDENTITY',
    'REVOKED_KEY',
    'EXPIRED_KEY',
    'UNTRUSTED_CERTIFICATE',
    'MALFORMED_MBOM',
    'UNTRUSTED_SOURCE',
  ];
  const all: Record<RefusalCode, true> = {
    UNSIGNED: true,
    BAD_SIGNATURE: true,
    WRONG_KEY: true,
    REVOKED_KEY: true,
    EXPIRED_KEY: true,
    WRONG_IDENTITY: true,
    WRONG_METHOD: true,
    UNTRUSTED_CERTIFICATE: true,
    UNSUPPORTED_BUNDLE: true,
    MALFORMED_BUNDLE: true,
    DOWNGRADED: true,
    PATH_ESCAPE: true,
    DUPLICATE_NAME: true,
    ROOT_MISMATCH: true,
    DIGEST_MISMATCH: true,
    MISSING_FILE: true,
    EXTRA_FILE: true,
    RENAMED_FILE: true,
    IGNORED_WEIGHTS: true,
    MALFORMED_MBOM: true,
    UNTRUSTED_SOURCE: true,
    FAILED_SCAN: true,
  };
  t.same(new Set([...seen, ...elsewhere]), new Set(Object.keys(all)));
  t.ok(new SteelyardError('USAGE', '') instanceof Error);
  t.end();
});
