// Signatures of other implementations: those that are kept in fixtures, and the implementations themselves where they are
// installed.
import { execFileSync } from 'node:child_process';
import {
  copyFileSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { type Test, test } from 'tap';
import { digestModel, signModel, type Trust, type VerifyOptions, verify } from '../../src/index.ts';
import { packageRoot } from '../kit/root.ts';
import { pair } from '../kit/specimen/forgery.ts';

const COMPAT = join(packageRoot, 'fixtures', 'compat');
const FOLDER = join(COMPAT, 'model-signing');
const scratch = mkdtempSync(join(tmpdir(), 'steelyard-compat-'));
process.on('exit', () => rmSync(scratch, { recursive: true, force: true }));

async function verified(
  t: Test,
  model: string,
  bundle: string,
  trust: Trust,
  options: VerifyOptions = {},
): Promise<void> {
  const { files } = await digestModel(model);
  const outcome = verify(files, readFileSync(bundle), trust, options);
  t.ok(outcome.verified, bundle, outcome.verified ? {} : { refusals: outcome.refusals });
}

test('bundles made by releases of the reference', async (t) => {
  const key: Trust = { method: 'key', publicKey: readFileSync(join(FOLDER, 'key.pub.pem')) };
  const root: Trust = { method: 'certificate', certificateChain: readFileSync(join(FOLDER, 'ca.pem')) };
  const bundles = readdirSync(FOLDER).filter((name) => /\d\.sig$/.test(name));
  t.equal(bundles.length, 16);
  for (const name of bundles) {
    const model = name.startsWith('single') ? join(FOLDER, 'model', 'weights.bin') : join(FOLDER, 'model');
    await verified(t, model, join(FOLDER, name), name.startsWith('certificate') ? root : key);
  }
});

const UPSTREAM = join(COMPAT, 'model-transparency');
const CHAIN = ['ca-cert.pem', 'int-ca-cert.pem'].map((name) => readFileSync(join(UPSTREAM, name), 'utf8'));
const UPSTREAM_TRUST: Readonly<Record<string, Trust>> = {
  'elliptic-key': { method: 'key', publicKey: readFileSync(join(UPSTREAM, 'signing-key-pub.pem')) },
  certificate: { method: 'certificate', certificateChain: CHAIN.join('') },
  sigstore: {
    method: 'identity',
    trustedRoot: readFileSync(join(UPSTREAM, 'trusted_root.json')),
    identity: 'stefanb@us.ibm.com',
    issuer: 'https://sigstore.verify.ibm.com/oauth2',
  },
};
const BESIDE = { ignore: ['model.sig', 'ignore-me'] };

test("the reference's own test data: keys, certificates, and identities of the public Sigstore", async (t) => {
  const models = readdirSync(UPSTREAM).filter((name) => /^v\d/.test(name));
  t.equal(models.length, 13);
  for (const name of models) {
    const model = join(UPSTREAM, name);
    const trust = UPSTREAM_TRUST[name.replace(/^v[\d.]+-/, '')]!;
    const single = /v0\.3\.1-e|v1\.0\.0-e/.test(name);
    await verified(t, single ? join(model, 'signme-1') : model, join(model, 'model.sig'), trust, BESIDE);
  }
});

const SPEC = join(COMPAT, 'model-signing-spec');
const VECTORS = join(SPEC, 'vectors');

test('the vectors of the specification', async (t) => {
  for (const [bundle, model] of [
    ['key', 'v1.0.1-elliptic-key'],
    ['certificate', 'v1.0.1-elliptic-key'],
    ['sigstore', 'v1.1.0-sigstore'],
  ] as const) {
    const trust = UPSTREAM_TRUST[bundle === 'key' ? 'elliptic-key' : bundle]!;
    await verified(t, join(UPSTREAM, model), join(VECTORS, 'valid', `${bundle}.bundle.json`), trust, BESIDE);
  }
  const { files } = await digestModel(join(UPSTREAM, 'v1.1.0-sigstore'));
  for (const [bundle, trust, code] of [
    ['invalid/empty', 'elliptic-key', 'UNSIGNED'],
    ['invalid/missing-envelope', 'elliptic-key', 'UNSIGNED'],
    ['invalid/missing-verification-material', 'elliptic-key', 'MALFORMED_BUNDLE'],
    ['invalid/missing-tlog-entries', 'sigstore', 'DOWNGRADED'],
    ['invalid-payload/wrong-predicate', 'elliptic-key', 'BAD_SIGNATURE'],
  ] as const) {
    const bytes = readFileSync(join(VECTORS, `${bundle}.bundle.json`));
    const outcome = verify(files, bytes, UPSTREAM_TRUST[trust]!, BESIDE);
    t.equal(outcome.verified ? 'verified' : outcome.refusals[0].code, code, bundle);
  }
});

test('what is signed here is as the schemas of the specification say', async (t) => {
  const require = createRequire(import.meta.url);
  const Ajv = require('ajv/dist/2020').default;
  const schema = (name: string) =>
    JSON.parse(readFileSync(join(SPEC, 'schemas', `${name}.schema.json`), 'utf8'));
  const ajv = new Ajv({ strict: false, validateFormats: false });
  for (const name of ['envelope', 'predicate']) ajv.addSchema(schema(name), `${name}.schema.json`);
  const [isBundle, isStatement] = [ajv.compile(schema('bundle')), ajv.compile(schema('statement'))];
  const asSpecified = (bytes: Uint8Array): unknown => {
    const bundle = JSON.parse(Buffer.from(bytes).toString());
    if (!isBundle(bundle)) return isBundle.errors;
    const statement = JSON.parse(Buffer.from(bundle.dsseEnvelope.payload, 'base64').toString());
    return isStatement(statement) ? null : isStatement.errors;
  };
  t.ok(
    asSpecified(readFileSync(join(VECTORS, 'invalid-payload', 'wrong-predicate.bundle.json'))),
    'it can fail',
  );
  t.equal(asSpecified(readFileSync(join(VECTORS, 'valid', 'key.bundle.json'))), null, 'and pass');
  const { files } = await digestModel(join(FOLDER, 'model'));
  for (const curve of ['prime256v1', 'secp384r1', 'secp521r1']) {
    const { bundle } = signModel(files, { privateKey: pair(curve).secret }, { name: 'model' });
    t.strictSame(asSpecified(Buffer.from(bundle)), null, curve);
  }
  t.strictSame(asSpecified(readFileSync(join(FOLDER, 'keyless.sig'))), null, 'an identity');
});

const PYTHON = process.env.STEELYARD_PYTHON ?? 'python3';
const VERSION = reference();

function reference(): string | undefined {
  try {
    const code = 'import model_signing, importlib.metadata as m; print(m.version("model-signing"))';
    return execFileSync(PYTHON, ['-c', code], { stdio: 'pipe' }).toString().trim();
  } catch {
    return undefined;
  }
}

test('the reference, both ways', {
  skip: VERSION === undefined && `${PYTHON} has no model_signing`,
}, async (t) => {
  t.comment(`model-signing ${VERSION}`);
  const python = (...args: string[]): string => {
    try {
      return execFileSync(PYTHON, ['-m', 'model_signing', ...args], {
        cwd: scratch,
        stdio: 'pipe',
      }).toString();
    } catch (error) {
      return `failed: ${(error as { stderr?: Buffer }).stderr}`;
    }
  };
  const model = join(scratch, 'model');
  cpSync(join(FOLDER, 'model'), model, { recursive: true });
  mkdirSync(join(model, 'a'));
  // Orders that differ: by bytes "a.b" stands before "a/b", by segments after it.
  for (const name of ['a/b', 'a.b', '😀', '\ufffd']) writeFileSync(join(model, name), name);
  for (const curve of ['prime256v1', 'secp384r1', 'secp521r1']) {
    const key = pair(curve);
    writeFileSync(join(scratch, 'key.pem'), key.secret);
    writeFileSync(join(scratch, 'pub.pem'), key.public);
    const trust: Trust = { method: 'key', publicKey: key.public };
    const { files } = await digestModel(model, { followSymlinks: 'never' });
    const ours = signModel(files, { privateKey: key.secret }, { name: basename(model) });
    writeFileSync(join(scratch, 'ours.sig'), ours.bundle);
    const check = ['verify', 'key', 'model', '--signature', 'ours.sig', '--public_key', 'pub.pem'];
    t.match(python(...check), /Verification succeeded/, `${curve}: ours there`);
    python('sign', 'key', 'model', '--signature', 'theirs.sig', '--private_key', 'key.pem');
    await verified(t, model, join(scratch, 'theirs.sig'), trust);
    if (curve !== 'prime256v1') continue;
    writeFileSync(join(model, 'model.mbom.yaml'), 'evidence that is added later breaks nothing');
    t.match(python(...check), /Verification succeeded/, `${curve}: ours there, with evidence beside it`);
    rmSync(join(model, 'model.mbom.yaml'));
    copyFileSync(join(model, 'weights.bin'), join(scratch, 'kept'));
    writeFileSync(join(model, 'weights.bin'), 'other');
    t.match(python(...check), /failed/, `${curve}: ours there, tampered`);
    copyFileSync(join(scratch, 'kept'), join(model, 'weights.bin'));

    const one = await digestModel(join(model, 'weights.bin'));
    const single = signModel(one.files, { privateKey: key.secret }, { name: 'weights.bin', single: true });
    writeFileSync(join(scratch, 'ours.sig'), single.bundle);
    const alone = join('model', 'weights.bin');
    t.match(
      python('verify', 'key', alone, '--signature', 'ours.sig', '--public_key', 'pub.pem'),
      /Verification succeeded/,
    );
    python('sign', 'key', alone, '--signature', 'single.sig', '--private_key', 'key.pem');
    await verified(t, join(scratch, alone), join(scratch, 'single.sig'), trust);
  }
});
