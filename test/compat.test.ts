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
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { type Test, test } from 'tap';
import { digestModel, signModel, type Trust, type VerifyOptions, verify } from '../src/index.ts';
import { pair } from './forgery.ts';
import { packageRoot } from './root.ts';

const FOLDER = join(packageRoot, 'fixtures', 'compat', 'model-signing');
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

const UPSTREAM = process.env.STEELYARD_MODEL_TRANSPARENCY;

test("the reference's own test data", {
  skip: UPSTREAM === undefined && 'STEELYARD_MODEL_TRANSPARENCY names no checkout',
}, async (t) => {
  const folder = join(UPSTREAM!, 'scripts', 'tests');
  const keys = join(folder, 'keys', 'certificate');
  const chain = ['ca-cert.pem', 'int-ca-cert.pem'].map((name) => readFileSync(join(keys, name), 'utf8'));
  const trusts: Record<string, Trust> = {
    'elliptic-key': { method: 'key', publicKey: readFileSync(join(keys, 'signing-key-pub.pem')) },
    certificate: { method: 'certificate', certificateChain: chain.join('') },
  };
  for (const name of readdirSync(folder).filter((one) => /^v\d/.test(one))) {
    const trust = trusts[name.replace(/^v[\d.]+-/, '')];
    if (trust === undefined) continue; // keyless: the public trusted root is no data of ours
    const model = join(folder, name);
    const single = /v0\.3\.1-e|v1\.0\.0-e/.test(name);
    const path = single ? join(model, 'signme-1') : model;
    await verified(t, path, join(model, 'model.sig'), trust, { ignore: ['model.sig', 'ignore-me'] });
  }
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
