// sign, verify, bom and attest as a user meets them: files, messages, exit codes.
import { spawnSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Test, test } from 'tap';
import { packageRoot } from '../kit/root.ts';
import { pair } from '../kit/specimen/forgery.ts';

const MAIN = join(packageRoot, 'out', 'src', 'cli', 'main.js');
const EXAMPLE = join(packageRoot, 'out', 'examples', 'verify-before-load.js');
const LORA = join(packageRoot, 'fixtures', 'real', 'tiny-lora');

const scratch = mkdtempSync(join(tmpdir(), 'steelyard-proof-'));
process.on('exit', () => rmSync(scratch, { recursive: true, force: true }));
const at = (name: string): string => join(scratch, name);
const write = (name: string, content: string | Buffer): string => {
  writeFileSync(at(name), content);
  return name;
};

const KEY = pair();
const ENCRYPTED = KEY.privateKey.export({
  type: 'pkcs8',
  format: 'pem',
  cipher: 'aes-256-cbc',
  passphrase: 'hello',
});
const [KEY_FILE, PUBLIC, OTHER] = [
  write('key.pem', KEY.secret),
  write('pub.pem', KEY.public),
  write('other.pem', pair().public),
];

function run(script: string, args: readonly string[], env: NodeJS.ProcessEnv = {}) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [script, ...args], {
    cwd: scratch,
    encoding: 'utf8',
    env: { PATH: process.env.PATH, ...env },
  });
  return { code: status, stdout, stderr };
}
const steelyard = (...args: string[]) => run(MAIN, args);

function says(
  t: Test,
  { code, stdout, stderr }: ReturnType<typeof run>,
  exit: number,
  out: RegExp,
  message?: string,
): void {
  t.match(`${stdout}${stderr}`, out, message ?? String(out));
  t.equal(code, exit, `${message ?? out} exits with ${exit}: ${stdout}${stderr}`);
}

/** A folder of its own with the model in it, signed. */
function model(name: string): string {
  cpSync(LORA, at(name), { recursive: true });
  steelyard('sign', name, '--key', KEY_FILE, '-o', join(name, 'model.sig'));
  return name;
}

test('sign and verify a model', (t) => {
  const name = model('plain');
  const verify = (...more: string[]) =>
    steelyard('verify', name, '--signature', join(name, 'model.sig'), ...more);
  const verified =
    /^root {3}sha256:[0-9a-f]{64}\nfiles {2}2 files unchanged\nVERIFIED {2}signed by key sha256:[0-9a-f]{64} {3}exit 0: verified\n$/;
  says(t, verify('--public-key', PUBLIC), 0, verified);
  says(t, verify('--public-key', OTHER), 1, /^WRONG_KEY {2}.*\nREFUSED {2}WRONG_KEY: .* exit 1: refused\n$/);
  says(t, steelyard('verify', name, '--signature', 'none.sig', '--public-key', PUBLIC), 1, /^UNSIGNED/);
  write(join(name, 'evil\u001b[2J.py'), '');
  says(
    t,
    verify('--public-key', PUBLIC),
    1,
    /^EXTRA_FILE {2}evil\\u\{1b\}\[2J\.py: /,
    'an escape sequence is not printed',
  );
  rmSync(at(join(name, 'evil\u001b[2J.py')));
  write(join(name, 'adapter_config.json'), '{}');
  says(
    t,
    verify('--public-key', PUBLIC),
    1,
    /^DIGEST_MISMATCH {2}adapter_config\.json: .*expected sha256:\w+, actual/,
  );
  t.end();
});

test('what could not be looked at is never verified, and never hides what is missing', (t) => {
  const name = model('unread');
  const verify = ['verify', name, '--signature', join(name, 'model.sig'), '--public-key', PUBLIC];
  rmSync(at(join(name, 'adapter_config.json')));
  symlinkSync('nowhere', at(join(name, 'adapter_config.json')));
  says(
    t,
    steelyard(...verify),
    2,
    /^NOT_REGULAR {2}adapter_config\.json: .*\nNOT VERIFIED .* exit 2: no verdict\n$/,
  );
  rmSync(at(join(name, 'adapter_model.safetensors')));
  write(join(name, 'README.md'), '');
  says(
    t,
    steelyard(...verify),
    1,
    /^MISSING_FILE {2}adapter_model\.safetensors: [\s\S]*REFUSED {2}MISSING_FILE/,
  );
  t.end();
});

test('whoever signs or verifies with a key does not wait for packages that this does not need', (t) => {
  const name = model('waiting');
  const signature = join(name, 'model.sig');
  /** What Node says it has loaded, workers included, by import or require. */
  const packages = (...args: string[]): string[] => {
    const folder = mkdtempSync(join(scratch, 'loaded-'));
    run(MAIN, args, { NODE_V8_COVERAGE: folder });
    const loaded = readdirSync(folder).flatMap((one) =>
      JSON.parse(readFileSync(join(folder, one), 'utf8')).result.map(({ url }: { url: string }) => url),
    );
    const names = loaded.map((url: string) => /.*\/node_modules\/((@[^/]+\/)?[^/]+)/.exec(url)?.[1] ?? '');
    return ['zod', '@noble/ciphers', '@sigstore/verify'].filter((one) => names.includes(one));
  };
  const verify = ['verify', name, '--signature', signature, '--public-key', PUBLIC];
  t.same(packages('scan', name, '--sign', signature, '--key', KEY_FILE), []);
  t.same(packages('sign', name, '--key', KEY_FILE, '-o', signature), []);
  t.same(packages('attest', name, '--key', KEY_FILE, '-o', join(name, 'model.intoto.jsonl')), []);
  t.same(packages(...verify), []);
  t.same(packages(...verify, '--scan'), []);
  const cosign = join(packageRoot, 'fixtures', 'compat', 'cosign', 'p256.key');
  const password = ['--password-file', write('cosign.password', 'hello')];
  t.same(packages('sign', name, '--key', cosign, ...password, '-o', 'cosign.sig'), ['@noble/ciphers']);
  write(signature, '{"mediaType":1}');
  t.same(packages(...verify), ['zod'], 'what is wrong with a bundle says its schema');
  t.end();
});

test('how to say who must have signed', (t) => {
  const name = model('trust');
  const verify = (...more: string[]) =>
    steelyard('verify', name, '--signature', join(name, 'model.sig'), ...more);
  says(t, verify(), 2, /error USAGE: say who must have signed/);
  says(t, verify('--public-key', PUBLIC, '--certificate-chain', PUBLIC), 2, /USAGE: say who/);
  says(t, verify('--public-key', PUBLIC, '--identity', 'x'), 2, /go with --trusted-root/);
  says(t, verify('--trusted-root', PUBLIC), 2, /needs --identity and --issuer/);
  says(t, verify('--public-key', 'none.pem'), 2, /error NOT_FOUND: cannot read the public key none\.pem/);
  says(
    t,
    verify('--public-key', KEY_FILE),
    2,
    /error USAGE: the public key cannot be read/,
    'a private key is none',
  );
  says(t, verify('--certificate-chain', PUBLIC), 2, /USAGE: the certificate chain cannot be read/);
  says(t, steelyard('verify', 'none', '--signature', 'x', '--public-key', PUBLIC), 2, /NOT_FOUND/);
  t.end();
});

test('keys: a password from the environment or a file, never from an argument', (t) => {
  cpSync(LORA, at('password'), { recursive: true });
  const key = write('encrypted.pem', ENCRYPTED as string);
  const sign = ['sign', 'password', '--key', key, '-o', 'password.sig'];
  says(t, run(MAIN, sign), 2, /error USAGE: .*give its password/);
  says(t, run(MAIN, sign, { STEELYARD_KEY_PASSWORD: 'olleh' }), 2, /the password is another/);
  t.notOk(existsSync(at('password.sig')));
  says(t, run(MAIN, sign, { STEELYARD_KEY_PASSWORD: 'hello' }), 0, /signed sha256:/);
  says(t, run(MAIN, [...sign, '--password-file', write('password.txt', 'hello\n')]), 0, /signed sha256:/);
  says(t, run(MAIN, [...sign, '--password', 'hello']), 2, /unknown option '--password'/);
  t.end();
});

test('what fails its scan is not signed', (t) => {
  cpSync(LORA, at('broken'), { recursive: true });
  write(join('broken', 'x.safetensors'), Buffer.from([255, 255, 0, 0, 0, 0, 0, 0, 123]));
  const sign = ['sign', 'broken', '--key', KEY_FILE, '-o', 'broken.sig'];
  says(t, steelyard(...sign), 1, /critical: x\.safetensors: .*\n.*not signed: the scan failed/);
  t.notOk(existsSync(at('broken.sig')));
  says(t, steelyard(...sign, '--fail-on', 'none'), 0, /signed sha256:/);
  symlinkSync('adapter_config.json', at(join('broken', 'link.json')));
  says(
    t,
    steelyard(...sign, '--fail-on', 'none'),
    2,
    /not everything could be looked at/,
    'a link is not signed',
  );
  says(
    t,
    steelyard('sign', 'broken', '--key', KEY_FILE, '-o', join('broken', 'x.safetensors')),
    2,
    /would replace/,
  );
  t.end();
});

test('the MBOM: created, signed, verified, exported', (t) => {
  const name = model('bom');
  const mbom = join(name, 'model.mbom.yaml');
  const bundle = `${mbom}.sigstore.json`;
  const image = `server@sha256:${'a'.repeat(64)}`;
  const create = ['bom', 'create', name, '-o', mbom, '--signing-key', PUBLIC];
  says(t, steelyard(...create, '--runtime-image', 'server:latest'), 2, /error USAGE: .*pinned by its digest/);
  says(t, steelyard(...create, '--base', 'org/base'), 2, /pinned by a digest: name@sha256/);
  says(t, steelyard(...create, '--runtime-image', image), 0, /2 files; the MBOM is in/);
  const signed = ['--signature', bundle, '--public-key', PUBLIC];
  says(t, steelyard('bom', 'verify', mbom, ...signed), 1, /^UNSIGNED/);
  says(t, steelyard('sign', mbom, '--key', KEY_FILE, '-o', bundle), 0, /signed the MBOM of sha256:/);
  says(t, steelyard('verify', mbom, ...signed), 0, /^VERIFIED/);
  says(t, steelyard('bom', 'verify', mbom, ...signed), 0, /VERIFIED {2}signed by key/);
  says(t, steelyard('bom', 'verify', mbom), 0, /VERIFIED {2}against the MBOM; nobody was asked who wrote it/);
  says(t, steelyard('bom', 'verify', mbom, '--public-key', PUBLIC), 2, /no --signature is given/);
  says(t, steelyard('bom', 'verify', mbom, '--root', LORA, ...signed), 0, /VERIFIED/, 'a copy elsewhere');
  const { code, stdout } = steelyard('bom', 'export', mbom, '--spec-version', '1.7');
  t.match([code, JSON.parse(stdout)], [0, { specVersion: '1.7' }]);
  says(
    t,
    steelyard('verify', name, '--signature', join(name, 'model.sig'), '--public-key', PUBLIC),
    0,
    /VERIFIED/,
  );

  write(mbom, `${readFileSync(at(mbom), 'utf8')}\n`);
  says(t, steelyard('bom', 'verify', mbom, ...signed), 1, /^BAD_SIGNATURE/);
  write(mbom, 'schema: steelyard/mbom/1\n');
  says(t, steelyard('bom', 'verify', mbom), 1, /^MALFORMED_MBOM {2}1:1: model: /);
  for (const args of [
    ['bom', 'export', mbom],
    ['sign', mbom, '--key', KEY_FILE, '-o', 'x.json'],
  ])
    says(t, steelyard(...args), 2, /error INVALID_MBOM: /);
  t.end();
});

test('attest: one line, whatever the verdict; nothing without one', (t) => {
  const name = model('attest');
  const attest = ['attest', name, '--key', KEY_FILE, '-o', join(name, 'model.intoto.jsonl')];
  says(t, steelyard(...attest), 0, /attested pass for sha256:/);
  const text = readFileSync(at(join(name, 'model.intoto.jsonl')), 'utf8');
  t.equal(text.split('\n').length, 2);
  says(t, steelyard(...attest, '--fail-on', 'low'), 0, /attested pass/, 'it has none so grave');
  write(join(name, 'x.gguf'), 'GGUF');
  says(t, steelyard(...attest), 1, /attested fail for sha256:/);
  t.end();
});

test('the example: a server that starts only with a model that is proven', (t) => {
  const name = model('serve');
  const mbom = join(name, 'model.mbom.yaml');
  says(t, run(EXAMPLE, [name, PUBLIC]), 2, /not started: ENOENT/);
  steelyard('bom', 'create', name, '-o', mbom);
  steelyard('sign', mbom, '--key', KEY_FILE, '-o', `${mbom}.sigstore.json`);
  says(
    t,
    run(EXAMPLE, [name, PUBLIC]),
    0,
    /model\.sig: verified sha256:\w+\nmodel\.mbom\.yaml: verified .*\nscan: pass\n$/,
  );
  says(t, run(EXAMPLE, [name, OTHER]), 1, /"code":"WRONG_KEY"/);
  write(join(name, 'handler.py'), 'import os');
  says(t, run(EXAMPLE, [name, PUBLIC]), 1, /"code":"EXTRA_FILE","file":"handler\.py"/);
  t.end();
});
