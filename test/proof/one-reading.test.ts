// One reading of the model, several answers: scan --sign, verify --scan, sign --reuse, attest, and the MBOM's own references.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  appendFileSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Test, test } from 'tap';
import { digestModel, readMbom, tensorsDigest } from '../../src/index.ts';
import { packageRoot } from '../kit/root.ts';
import { type Anything, pair } from '../kit/specimen/forgery.ts';
import { steelyard } from '../kit/steelyard.ts';

const LORA = join(packageRoot, 'fixtures', 'real', 'tiny-lora');
const COSIGN = join(packageRoot, 'fixtures', 'compat', 'cosign');
const scratch = mkdtempSync(join(tmpdir(), 'steelyard-evidence-'));
process.on('exit', () => rmSync(scratch, { recursive: true, force: true }));
const at = (...names: string[]): string => join(scratch, ...names);
const written = (name: string, content: string): string => {
  writeFileSync(at(name), content);
  return at(name);
};
const [KEY, PUBLIC, OTHER] = (() => {
  const key = pair();
  return [
    written('key.pem', key.secret),
    written('pub.pem', key.public),
    written('other.pem', pair().public),
  ];
})();

function copyOf(model: string, name: string): string {
  cpSync(model, at(name), { recursive: true });
  return at(name);
}

async function says(t: Test, args: readonly string[], exit: number, out: RegExp, env = {}): Promise<string> {
  const { code, stdout, stderr } = await steelyard(args, env);
  t.match(`${stdout}${stderr}`, out, `${args[0]}: ${out}`);
  t.equal(code, exit, `${args[0]} ${out} exits with ${exit}: ${stdout}${stderr}`);
  return stdout;
}

const statementIn = (path: string): Anything =>
  JSON.parse(
    Buffer.from(JSON.parse(readFileSync(path, 'utf8')).dsseEnvelope.payload, 'base64').toString('utf8'),
  );

test('scan --sign: a report and a signature from one reading', async (t) => {
  const model = copyOf(LORA, 'scanned');
  const [sig, report] = [join(model, 'model.sig'), at('report.json')];
  const sign = ['--sign', sig, '--key', KEY];
  await says(t, ['scan', model, ...sign, '--format', 'json', '-o', report], 0, /signed sha256:\w+, 2 files/);
  const { files } = JSON.parse(readFileSync(report, 'utf8'));
  const { subject, predicate } = statementIn(sig);
  t.same(
    predicate.resources.map(({ name, digest }: Anything) => [name, digest]),
    files.map(({ path, sha256 }: Anything) => [path, sha256.slice(-64)]),
    'the signature has the digests of the report',
  );
  const check = ['verify', model, '--signature', sig, '--public-key', PUBLIC];
  await says(t, check, 0, new RegExp(`root {3}sha256:${subject[0].digest.sha256}`));

  const policy = written('strict.yaml', 'schema: steelyard/policy/1\ndtypes: [F64]\n');
  rmSync(sig);
  const strict = ['scan', model, ...sign, '--policy', policy];
  await says(t, strict, 1, /not signed: the scan failed/);
  t.throws(() => readFileSync(sig), { code: 'ENOENT' });
  await says(t, ['scan', model, '--sign', sig], 2, /USAGE: --sign and --key go together/);
  await says(t, ['scan', model, '--key', KEY], 2, /USAGE: --sign and --key go together/);
  await says(t, ['scan', model, ...sign, '--follow-symlinks', 'always'], 2, /links cannot be signed/);
  symlinkSync('adapter_config.json', join(model, 'link.json'));
  await says(t, ['scan', model, ...sign], 2, /not signed: not everything could be looked at/);
});

test('verify --scan: signed, and still refused', async (t) => {
  const model = copyOf(LORA, 'verified');
  const sig = at('verified.sig');
  await says(t, ['sign', model, '--key', KEY, '-o', sig], 0, /signed/);
  const check = ['verify', model, '--signature', sig, '--public-key', PUBLIC, '--scan'];
  await says(t, check, 0, /PASS[\s\S]*\nfiles {2}2 files unchanged\nVERIFIED/);
  writeFileSync(join(model, 'x.safetensors'), Buffer.from([255, 255, 0, 0, 0, 0, 0, 0, 123]));
  await says(t, check, 1, /FAIL[\s\S]*EXTRA_FILE[\s\S]*REFUSED {2}EXTRA_FILE/);
  await says(t, ['sign', model, '--key', KEY, '-o', sig, '--fail-on', 'none'], 0, /signed/);
  await says(t, check, 1, /critical[\s\S]*REFUSED {2}FAILED_SCAN: .*signed, and their scan failed {3}exit 1/);
});

test('sign --reuse: only what changed is read', async (t) => {
  const model = copyOf(LORA, 'reused');
  const [old, sig] = [at('old.sig'), at('new.sig')];
  await says(t, ['sign', model, '--key', KEY, '-o', old], 0, /signed/);
  const again = ['sign', model, '--key', KEY, '-o', sig, '--reuse', old];
  const check = ['verify', model, '--signature', sig, '--public-key', PUBLIC];
  const config = join(model, 'adapter_config.json');
  appendFileSync(config, '\n');
  writeFileSync(join(model, 'README.md'), 'new');
  const changed = ['--public-key', PUBLIC, '--changed', config];
  await says(
    t,
    [...again, ...changed],
    0,
    /3 files; .*\n.*not scanned as a whole: 2 files read, 1 digest taken from .*old\.sig, signed by key/,
  );
  await says(t, check, 0, /3 files unchanged/);
  await says(t, [...again, '--public-key', PUBLIC], 0, /1 file read, 2 digests taken/);
  await says(t, check, 1, /^DIGEST_MISMATCH {2}adapter_config\.json/);
  rmSync(config);
  await says(t, [...again, '--public-key', PUBLIC], 0, /2 files; /);
  await says(t, check, 0, /2 files unchanged/);

  await says(t, again, 2, /USAGE: --reuse needs --public-key/);
  await says(t, [...again, '--public-key', OTHER], 1, /^WRONG_KEY/);
  await says(t, [...again, '--public-key', PUBLIC, '--fail-on', 'low'], 2, /--reuse does not scan/);
  await says(
    t,
    [...again, '--public-key', PUBLIC, '--changed', config],
    2,
    /NOT_FOUND: --changed .*no such file/,
  );
  await says(t, [...again, '--public-key', PUBLIC, '--changed', KEY], 2, /NOT_FOUND: --changed/);
  await says(t, ['sign', model, '--key', KEY, '-o', sig, '--changed', config], 2, /go with --reuse/);
  const none = [...again.slice(0, -1), at('none.sig'), '--public-key', PUBLIC];
  await says(t, none, 1, /^UNSIGNED/);
});

test('keys of cosign, and certificates for the key', async (t) => {
  const model = copyOf(LORA, 'keys');
  const sig = at('keys.sig');
  const sign = ['sign', model, '-o', sig, '--key', join(COSIGN, 'p384.key')];
  await says(t, sign, 2, /give its password/);
  await says(t, [...sign, '--password-file', written('password', 'hello\n')], 0, /signed/);
  await says(
    t,
    ['verify', model, '--signature', sig, '--public-key', join(COSIGN, 'p384.pub')],
    0,
    /VERIFIED/,
  );
  const subject = ['-subj', '/CN=signer', '-addext', 'keyUsage=digitalSignature'];
  execFileSync('openssl', ['req', '-x509', '-key', KEY, '-out', at('chain.pem'), '-days', '2', ...subject], {
    stdio: 'pipe',
  });
  const chain = ['--certificate-chain', at('chain.pem')];
  await says(t, ['sign', model, '-o', sig, '--key', KEY, ...chain], 0, /signed/);
  await says(
    t,
    ['verify', model, '--signature', sig, ...chain],
    0,
    /signed by certificate sha256:\w+ of CN=signer/,
  );
});

test('attest: both forms, and the policy by its digest', async (t) => {
  const text = 'schema: steelyard/policy/1\n';
  const policy = written('policy.yaml', text);
  const out = at('model.intoto.jsonl');
  const sha256 = createHash('sha256').update(text).digest('hex');
  await says(t, ['attest', LORA, '--key', KEY, '-o', out, '--policy', policy], 0, /attested pass/);
  t.match(statementIn(out), {
    predicateType: 'https://slsa.dev/verification_summary/v1',
    predicate: { verificationResult: 'PASSED', policy: { uri: `urn:sha256:${sha256}`, digest: { sha256 } } },
  });
  await says(t, ['attest', LORA, '--key', KEY, '-o', out, '--predicate', 'svr'], 0, /attested pass/);
  t.match(statementIn(out), {
    predicateType: 'https://in-toto.io/attestation/svr/v0.2',
    predicate: { properties: ['STEELYARD_SCAN_PASSED'], verifier: { policies: [{ uri: /fail-on:high$/ }] } },
  });
});

test('the MBOM names profile and tensors, and the export has them', async (t) => {
  const model = copyOf(LORA, 'bom');
  const [mbom, profile, key] = [
    join(model, 'model.mbom.yaml'),
    at('profile.json'),
    `sha256:${'a'.repeat(64)}`,
  ];
  await says(t, ['profile', model, '-o', profile], 0, /the profile is in/);
  const base = `org/base@${key}`;
  const create = [
    'bom',
    'create',
    model,
    '-o',
    mbom,
    '--model',
    'tiny',
    '--base',
    base,
    '--signing-key',
    key,
  ];
  await says(t, [...create, '--profile', profile], 0, /2 files; the MBOM is in/);
  const { tensors } = await digestModel(LORA);
  const { digest } = JSON.parse(readFileSync(profile, 'utf8'));
  t.match(readMbom(readFileSync(mbom)), {
    model: { name: 'tiny' },
    baseModel: { name: 'org/base', digest: key },
    profile: digest,
    tensors: tensorsDigest(tensors),
    signingKey: key,
  });
  await says(t, ['bom', 'verify', mbom], 0, /VERIFIED/);
  const exported = await says(
    t,
    ['bom', 'export', mbom, '--format', 'cyclonedx', '--profile', profile],
    0,
    /"data"/,
  );
  const { component } = JSON.parse(exported).metadata;
  t.equal(component.components.at(-1).components.length, tensors.length);
  const wrong = readFileSync(mbom, 'utf8').replace(/count: \d+/, 'count: 1');
  writeFileSync(mbom, wrong);
  await says(
    t,
    ['bom', 'verify', mbom],
    1,
    /^DIGEST_MISMATCH {2}the tensors are not those that were declared/,
  );
  mkdirSync(at('elsewhere'));
  await says(t, ['bom', 'verify', mbom, '--root', at('elsewhere')], 2, /NOT_FOUND/);
  writeFileSync(join(model, 'adapter_model.safetensors'), 'x');
  await says(t, [...create, '--profile', profile], 2, /USAGE: .*the profile is of another model/);
});
