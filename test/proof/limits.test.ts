// Where a limit ends and another answer begins: attestations, statements, old bundles, keys, what an MBOM is written in.
import crypto, { createHash } from 'node:crypto';
import { syncBuiltinESMExports } from 'node:module';
import { test } from 'tap';
import {
  type AttestOptions,
  attest,
  createMbom,
  PREDICATES,
  readMbom,
  signDocument,
  signModel,
  type Trust,
  verify,
  verifyAttestation,
  verifyDocument,
} from '../../src/index.ts';
import { mbomSchema } from '../../src/proof/bom/mbom-schema.ts';
import { DEFAULT_IGNORED, exclusion } from '../../src/proof/sign/files/exclusion.ts';
import { readModelStatement } from '../../src/proof/sign/statement/model-statement.ts';
import { readStatement } from '../../src/proof/sign/statement/statement.ts';
import { refused, told } from '../kit/golden.ts';
import { type Anything, examined, file, forge, hex, pair, statement } from '../kit/specimen/forgery.ts';
import { specimenReport } from '../kit/specimen/specimen.ts';

const KEY = pair();
const TRUST: Trust = { method: 'key', publicKey: KEY.public };
const FILES = [file('config.json', '{}'), file('model.safetensors', 'weights', 'safetensors')];
const DIGEST = `sha256:${hex('x')}`;
const secret = { privateKey: KEY.secret };
const payloadOf = (bundle: string | Buffer): Anything =>
  JSON.parse(Buffer.from(JSON.parse(bundle.toString()).dsseEnvelope.payload, 'base64').toString());

test('attestations: what is attested, and every refusal in full', (t) => {
  const report = specimenReport({ files: FILES.map(examined) as Anything, complete: true, errors: [] });
  const [finding] = report.findings;
  const passed = {
    ...report,
    verdict: { ...report.verdict, outcome: 'pass' as const },
    findings: (['header/truncated', 'adapter/config', 'header/truncated'] as Anything[]).map((rule) => ({
      ...finding!,
      rule,
    })),
  };
  const attested = (options: Partial<AttestOptions> = {}, of = passed) =>
    attest(of, secret, { name: 'm', time: new Date(0), ...options });
  const { bundle, rootDigest } = attested();
  t.equal(rootDigest, signModel(FILES, secret, { name: 'm' }).rootDigest);
  const { rules } = payloadOf(bundle).predicate['urn:steelyard:scan:v1'];
  t.equal(JSON.stringify(rules), '{"adapter/config":1,"header/truncated":2}', 'sorted');
  t.same(payloadOf(attested({ predicate: 'svr' }).bundle).predicate.properties, ['STEELYARD_SCAN_PASSED']);
  t.same(PREDICATES, ['vsa', 'svr']);
  for (const predicate of ['vsa', 'svr'] as const) {
    const said = (change: (it: Anything) => void, root = rootDigest): string => {
      const it = payloadOf(attested({ predicate }).bundle);
      change(it);
      return told(verifyAttestation(forge(Buffer.from(JSON.stringify(it)), KEY), TRUST, root));
    };
    const other = { name: 'other', digest: { sha256: hex('other') } };
    t.equal(
      said((it) => it.subject.unshift(other)),
      'verified',
      'one subject of two',
    );
    t.equal(
      told(verifyAttestation(Buffer.from(bundle), TRUST, 'sha256:0')),
      'ROOT_MISMATCH | the attestation is about another model | sha256:0 | sha256:<hex>',
    );
    t.equal(
      said((it) => (it.predicate.verifier.id = 'x')),
      'UNSUPPORTED_BUNDLE | another verifier made the attestation | urn:steelyard:scan:v1 | x',
    );
    const failed = Buffer.from(attested({ predicate }, report as typeof passed).bundle);
    t.equal(
      told(verifyAttestation(failed, TRUST, rootDigest)),
      'FAILED_SCAN | the attestation says that the scan failed',
    );
    const what = predicate === 'vsa' ? 'summary' : 'result';
    t.equal(
      said((it) => delete it.predicate.verifier),
      `MALFORMED_BUNDLE | the ${what}'s verifier is not as it must be: Invalid input: expected object, received undefined`,
    );
  }
  const none = payloadOf(attested({ predicate: 'svr' }).bundle);
  none.predicate.verifier.policies = [];
  const outcome = verifyAttestation(forge(Buffer.from(JSON.stringify(none)), KEY), TRUST, rootDigest);
  t.match(outcome, { verified: true, policyDigest: null });
  t.end();
});

test('statements: what a signer left out, and digests that are none', (t) => {
  const read = (change: (it: Anything) => void) =>
    readModelStatement(readStatement(statement(FILES, change)));
  t.same(read(() => undefined).ignored, []);
  const ignoring = (paths: string[]) => read((it) => (it.predicate.serialization.ignore_paths = paths));
  t.same(ignoring(['a', 'd/e']).ignored, ['a', 'd/e']);
  for (const outside of ['../b', '/c'])
    t.equal(
      refused(() => ignoring(['a', outside, 'd/e'])),
      `PATH_ESCAPE | ${outside} | a path that is left out is no plain relative path`,
      'paths outside leave nothing out',
    );
  const old = readModelStatement({
    subject: FILES.map(({ path, sha256 }) => ({ name: path, digest: { sha256: sha256.slice(7) } })),
    predicateType: 'https://model_signing/Digests/v0.1',
    predicate: undefined,
  });
  t.same([old.name, old.ignored], ['', []]);
  const [digest, wrong] = [hex('x'), 'Invalid string: must match pattern /^[0-9a-f]{64}$/'];
  for (const spoiled of [`0${digest}`, `${digest}0`, digest.toUpperCase()]) {
    t.equal(
      refused(() => read((it) => (it.subject[0].digest.sha256 = spoiled))),
      `MALFORMED_BUNDLE | the statement's subject.0.digest.sha256 is not as it must be: ${wrong}`,
    );
    t.equal(
      refused(() => read((it) => (it.predicate.resources[1].digest = spoiled))),
      `MALFORMED_BUNDLE | the predicate's resources.1.digest is not as it must be: ${wrong}`,
    );
  }
  const algorithm = (name: string): string =>
    refused(() => read((it) => (it.predicate.resources[0].algorithm = name)));
  const sharded = (name: string): string =>
    refused(() =>
      read((it) => {
        it.predicate.serialization.method = 'shards';
        for (const one of it.predicate.resources)
          Object.assign(one, { name: `${one.name}:0:1`, algorithm: name });
      }),
    );
  t.equal(algorithm('sha256'), 'verified');
  for (const name of ['sha256', 'sha256-sharded-16', 'sha256-sharded-1000000.0'])
    t.equal(sharded(name), 'verified', name);
  t.equal(
    algorithm('sha256-sharded-16'),
    'MALFORMED_BUNDLE | a model signed by files lists the digest of a shard',
  );
  for (const name of [
    'sha-256',
    'xsha256',
    'sha256x',
    'sha256-sharded-',
    'sha256-sharded-x',
    'sha256-sharded-1.5',
  ])
    t.match(algorithm(name), /^MALFORMED_BUNDLE \| the predicate's resources.0.algorithm is not/, name);
  const hash = (name: string): string =>
    refused(() => read((it) => (it.predicate.serialization.hash_type = name)));
  t.match(
    hash('x'.repeat(40)),
    /^UNSUPPORTED_BUNDLE \| the model was hashed with x{40}; a scan takes SHA-256$/,
  );
  t.match(hash('x'.repeat(41)), /^MALFORMED_BUNDLE \| the predicate's serialization.hash_type is not/);
  t.end();
});

test('what is recorded as left out', (t) => {
  const recorded = (options: object, files = FILES): Anything =>
    payloadOf(signModel(files, secret, { name: 'm', ...options }).bundle).predicate;
  t.same(recorded({}).serialization.ignore_paths, DEFAULT_IGNORED);
  const alone = recorded({ single: true }, FILES.slice(1));
  t.same([alone.serialization.ignore_paths, alone.resources[0].name], [[], '.']);
  t.equal(exclusion([''])('/x'), false, 'an empty name leaves nothing out');
  const { bundle } = signModel(FILES.slice(1), secret, { name: 'm', single: true });
  t.equal(told(verify([], Buffer.from(bundle), TRUST)), 'MISSING_FILE | . | the file is not there');
  t.end();
});

test('old bundles and hints of keys', (t) => {
  const document = Buffer.from('document');
  const bundle = JSON.parse(signDocument(document, secret));
  const { signature } = bundle.messageSignature;
  const said = (bytes: Buffer | string): string => told(verifyDocument(document, Buffer.from(bytes), TRUST));
  const padded = (length: number): string =>
    said(JSON.stringify({ base64Signature: signature }).padEnd(length, ' '));
  t.equal(padded(1_048_576), 'verified');
  t.match(
    padded(1_048_577),
    /^MALFORMED_BUNDLE \| the bundle's mediaType is not/,
    'too long to be an old one',
  );
  t.equal(said('AAF='), 'MALFORMED_BUNDLE | the signature is not canonical base64');
  t.match(said(`!${signature}`), /^MALFORMED_BUNDLE \| the bundle is not strict JSON: /);
  t.match(said('{"base64Signature"'), /^MALFORMED_BUNDLE \| the bundle is not strict JSON: /);
  t.match(said(' null'), /^MALFORMED_BUNDLE \| the bundle is not as it must be: Invalid input/);
  bundle.messageSignature.signature = '!';
  t.equal(said(JSON.stringify(bundle)), 'MALFORMED_BUNDLE | the signature is not canonical base64');
  const named = (publicKey: object, payload = statement(FILES)): string => {
    const change = (it: Anything): void => {
      it.verificationMaterial.publicKey = publicKey;
      it.dsseEnvelope.payload = payload.toString('base64');
    };
    return told(verify(FILES, forge(statement(FILES), KEY, { change }), TRUST));
  };
  const der = KEY.publicKey.export({ type: 'spki', format: 'der' });
  for (const encoding of ['hex', 'base64'] as const)
    t.equal(named({ hint: createHash('sha256').update(der).digest(encoding) }), 'verified', encoding);
  t.equal(
    named({ rawBytes: der.toString('base64') }, statement(FILES.slice(1))),
    'BAD_SIGNATURE | the signature does not match: something was changed after signing',
    'the key stands in the bundle: it is not another one',
  );
  t.end();
});

test('a signature that went wrong never leaves', (t) => {
  const { verify: real } = crypto;
  crypto.verify = (() => false) as typeof crypto.verify;
  syncBuiltinESMExports();
  try {
    t.throws(() => signModel(FILES, secret, { name: 'm' }), {
      code: 'INTERNAL',
      message: 'the signature that was made does not verify',
    });
  } finally {
    crypto.verify = real;
    syncBuiltinESMExports();
  }
  t.ok(signModel(FILES, secret, { name: 'm' }).bundle);
  t.end();
});

test('an MBOM holds printable ASCII alone', (t) => {
  const text = createMbom([file('a\x7fé', '')], { name: 'm' });
  t.match(text, 'path: "a\\u007f\\u00e9"');
  t.equal(readMbom(Buffer.from(text)).files[0]!.path, 'a\x7fé');
  t.end();
});

test('an MBOM, field by field', (t) => {
  const whole = {
    schema: 'steelyard/mbom/1',
    model: { name: 'm', digest: DIGEST },
    runtime_image: `server@${DIGEST}`,
    tensors: { count: '0', digest: DIGEST },
    files: [{ path: 'a', sha256: hex('x'), size: '1' }],
  };
  const said = (path: string, value: unknown): string => {
    const it = structuredClone(whole) as Anything;
    const keys = path.split('.');
    const last = keys.pop()!;
    keys.reduce((at, key) => at[key], it)[last] = value;
    const result = mbomSchema().safeParse(it);
    return result.success
      ? 'read'
      : `${result.error.issues[0]!.path.join('.')}: ${result.error.issues[0]!.message}`;
  };
  const digest = 'a digest is needed: sha256: and 64 lower-case hex digits';
  const noDigests = [`x${DIGEST}`, `${DIGEST}0`, hex('x'), DIGEST.toUpperCase()];
  const cases: [path: string, message: string, values: readonly unknown[]][] = [
    ['profile', 'read', [DIGEST]],
    ['profile', digest, noDigests],
    ['signing_key', digest, noDigests],
    ['model.digest', digest, noDigests],
    ['tensors.digest', digest, noDigests],
    [
      'files.0.sha256',
      '64 lower-case hex digits are needed',
      [`0${hex('x')}`, `${hex('x')}0`, hex('x').toUpperCase()],
    ],
    ['runtime_image', 'read', [`${'x'.repeat(1000)}@${DIGEST}`]],
    [
      'runtime_image',
      'an image must be pinned by its digest: name@sha256:…',
      [
        `a@b@${DIGEST}`,
        `a b@${DIGEST}`,
        `@${DIGEST}`,
        `${'x'.repeat(1001)}@${DIGEST}`,
        `a@${DIGEST}0`,
        'a:1',
      ],
    ],
    ['files.0.size', 'read', ['0', '1', '10', '9007199254740991']],
    ['files.0.size', 'an integer is needed', ['', '01', '-1', '1.0', '1a', 'a1', '+1', '12345678901234567']],
    ['files.0.size', 'the number is too large', ['9007199254740992']],
    ['tensors.count', 'an integer is needed', ['x']],
    ['model.name', 'read', ['x'.repeat(1000)]],
    ['model.name', 'Too big: expected string to have <=1000 characters', ['x'.repeat(1001)]],
    ['model.name', 'Too small: expected string to have >=1 characters', ['']],
    ['files', 'Too small: expected array to have >=1 items', [[]]],
    ['schema', 'Invalid input: expected "steelyard/mbom/1"', ['steelyard/mbom/2']],
  ];
  for (const [path, message, values] of cases)
    for (const value of values)
      t.equal(
        said(path, value),
        message === 'read' ? message : `${path}: ${message}`,
        `${path} ${String(value).slice(0, 90)}`,
      );
  for (const path of ['more', 'model.more', 'tensors.more', 'files.0.more'])
    t.match(said(path, 1), /Unrecognized key: "more"$/, path);
  t.equal(said('base_model', { ...whole.model, more: 1 }), 'base_model: Unrecognized key: "more"');
  t.end();
});
