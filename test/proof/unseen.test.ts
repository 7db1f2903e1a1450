// What nobody looked into is neither signed nor attested as passed, unless somebody accepts exactly these bytes.
import { createHash, generateKeyPairSync } from 'node:crypto';
import { existsSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { attest, digestModel, parsePolicy, SteelyardError, scan, signModel } from '../../src/index.ts';
import { packageRoot } from '../kit/root.ts';
import { steelyard } from '../kit/steelyard.ts';

const weights = readFileSync(join(packageRoot, 'fixtures', 'real', 'reference-f16.safetensors'));
/** What a Trainer leaves: medium, so that the scan alone passes. */
const state = Buffer.from('\x80\x02}q\x00X\x01\x00\x00\x00aq\x01K\x01s.', 'latin1');
const key = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({
  type: 'pkcs8',
  format: 'pem',
});

const FOLDER = {
  model: { 'm.safetensors': weights, 'optimizer.pt': state, 'README.md': '# x' },
  'key.pem': key,
};

const claim = (bundle: string) =>
  JSON.parse(Buffer.from(JSON.parse(bundle).dsseEnvelope.payload, 'base64').toString()).predicate;

t.test('a scan passes and says what was only hashed', async (t) => {
  const report = await scan(join(t.testdir(FOLDER), 'model'));
  t.equal(report.verdict.outcome, 'pass');
  t.same(
    report.files.map(({ path, kind, state }) => [path, kind, state]),
    [
      ['README.md', 'text', 'identified'],
      ['m.safetensors', 'safetensors', 'examined'],
      ['optimizer.pt', 'pickle', 'identified'],
    ],
  );
  t.same(
    report.findings.map(({ rule, severity, file }) => [rule, severity, file]),
    [['file/pickle', 'medium', 'optimizer.pt']],
  );
  const predicate = claim(attest(report, { privateKey: key }, { name: 'm' }).bundle);
  t.equal(predicate.verificationResult, 'FAILED', 'nobody accepted the pickle');
  t.match(predicate['urn:steelyard:scan:v1'], {
    files: 3,
    examined: 1,
    identified: 2,
    hashed: 0,
    unexamined: 1,
    canRun: 1,
  });
});

t.test('forbid, listed, allow', async (t) => {
  const model = join(t.testdir(FOLDER), 'model');
  const { sha256 } = (await scan(model)).files.find(({ path }) => path === 'optimizer.pt')!;
  const outcome = async (options: Parameters<typeof scan>[1]) => (await scan(model, options)).verdict;
  const policy = (text: string) => parsePolicy(`schema: steelyard/policy/1\n${text}\n`);
  t.match(await outcome({ unexamined: 'listed' }), { outcome: 'fail', unexamined: 'listed' });
  t.match(await outcome({ unexamined: 'listed', accept: [sha256] }), { outcome: 'pass' });
  t.match(await outcome({ unexamined: 'forbid', accept: [sha256] }), { outcome: 'fail' });
  t.match(await outcome({ policy: policy('unexamined: forbid') }), { outcome: 'fail' });
  t.match(await outcome({ policy: policy(`accept: [${sha256}]`) }), {
    outcome: 'pass',
    unexamined: 'listed',
  });
  t.match(
    await outcome({
      policy: policy(`accept: [${sha256.replace(/.$/, '!').replace('!', sha256.endsWith('0') ? '1' : '0')}]`),
    }),
    { outcome: 'fail' },
  );
  t.match(
    await outcome({ unexamined: 'listed', policy: policy('unexamined: allow') }),
    { outcome: 'pass' },
    'the policy decides',
  );
  t.match(
    await outcome({ unexamined: 'forbid', policy: policy('unexamined: allow') }),
    { outcome: 'fail' },
    'but for forbid',
  );
  const report = await scan(model, { unexamined: 'listed', accept: [sha256] });
  t.equal(claim(attest(report, { privateKey: key }, { name: 'm' }).bundle).verificationResult, 'PASSED');
});

t.test('sign and attest ask for a list', async (t) => {
  const root = t.testdir(FOLDER);
  const args = [join(root, 'model'), '--key', join(root, 'key.pem'), '-o', join(root, 'out')];
  const { sha256 } = (await scan(join(root, 'model'))).files.find(({ path }) => path === 'optimizer.pt')!;
  for (const more of [[], ['--fail-on', 'none']]) {
    const { code, stderr } = await steelyard(['sign', ...args, ...more]);
    t.equal(code, 1);
    t.match(stderr, /optimizer\.pt: the file is a pickle .*--accept sha256:…\n.*not signed/s);
  }
  t.match(await steelyard(['attest', ...args]), { code: 1, stderr: /optimizer\.pt: .*attested fail/s });
  t.match(await steelyard(['sign', ...args, '--accept', sha256]), { code: 0 });
  t.match(await steelyard(['scan', join(root, 'model'), '--require-examined']), { code: 1 });
  t.match(await steelyard(['scan', join(root, 'model'), '--accept', 'optimizer.pt']), { code: 2 });
});

t.test('sign --reuse asks for the same list, but for what the old signature vouches for', async (t) => {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const root = t.testdir({
    ...FOLDER,
    'key.pem': privateKey.export({ type: 'pkcs8', format: 'pem' }),
    'key.pub': publicKey.export({ type: 'spki', format: 'pem' }),
  });
  const [model, old, out] = ['model', 'old.sig', 'new.sig'].map((name) => join(root, name)) as string[] as [
    string,
    string,
    string,
  ];
  const pickle = join(model, 'optimizer.pt');
  const digest = (bytes: Uint8Array | string) => `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
  const sign = ['sign', model, '--key', join(root, 'key.pem'), '-o'];
  t.match(await steelyard([...sign, old, '--accept', digest(state)]), { code: 0 });
  const again = [...sign, out, '--reuse', old, '--public-key', join(root, 'key.pub')];
  writeFileSync(join(model, 'README.md'), '# y');
  const changed = ['--changed', join(model, 'README.md'), '--changed', pickle];
  t.match(await steelyard([...again, ...changed]), { code: 0, stderr: /2 files read, 1 digest taken/ });
  renameSync(pickle, join(model, 'o.pt'));
  t.match(await steelyard(again), { code: 0 }, 'the bytes are those that were signed');
  rmSync(out);
  const next = Buffer.from('\x80\x02}q\x00X\x01\x00\x00\x00bq\x01K\x01s.', 'latin1');
  const files: [string, Uint8Array | string, RegExp][] = [
    ['optimizer.pt', next, /optimizer\.pt: the file is a pickle .*sha256:.*\n[\s\S]*not signed: /],
    ['run.sh', '#!/bin/sh\ntrue\n', /run\.sh: the file is a script .*\n[\s\S]*not signed: /],
    ['ls', '\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0\x03\0>\0', /ls: the file is a program /],
  ];
  for (const [name, bytes, why] of files) {
    const path = join(model, name);
    writeFileSync(path, bytes);
    t.match(await steelyard([...again, '--changed', path]), { code: 1, stderr: why }, name);
    t.notOk(existsSync(out));
    t.match(await steelyard([...again, '--changed', path, '--accept', digest(bytes)]), { code: 0 }, name);
    rmSync(path);
    rmSync(out);
  }
  t.match(await steelyard([...again, '--policy', 'p.yaml']), { code: 2, stderr: /leave --policy out/ });
});

// Everything that people found signed and attested beside a good model.
const SYSTEM = "cposix\nsystem\n(S'true'\ntR.";
const ELF = Buffer.from('\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0\x03\0>\0', 'latin1');
const MIXED: Record<string, string | Buffer> = {
  'model.safetensors': weights,
  'README.md': '# x',
  'config.json': JSON.stringify({ auto_map: { AutoModel: 'modeling_x.X' } }),
  'modeling_x.py': 'import os\nos.system("true")\n',
  'training_args.bin': SYSTEM,
  'vocab.json.pkl': SYSTEM,
  'ops.so': ELF,
  'run.exe': Buffer.concat([Buffer.from('MZ'), Buffer.alloc(99)]),
};
const RUNS = ['modeling_x.py', 'ops.so', 'run.exe', 'training_args.bin', 'vocab.json.pkl'];

t.test(
  'sign, attest and verify --scan refuse a good model with code beside it, and say what to do',
  async (t) => {
    const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const pem = privateKey.export({ type: 'pkcs8', format: 'pem' });
    const folder = { ...MIXED, '.git': { hooks: { 'post-checkout': '#!/bin/sh\ntrue\n' } } };
    const root = t.testdir({
      mixed: folder,
      'key.pem': pem,
      'key.pub': publicKey.export({ type: 'spki', format: 'pem' }),
    });
    const model = join(root, 'mixed');
    const out = join(root, 'out');
    const keyed = [model, '--key', join(root, 'key.pem'), '-o', out];
    const signature = join(root, 'model.sig');
    /** As another tool signs, that looks at nothing. */
    const vouched = async () =>
      writeFileSync(
        signature,
        signModel((await digestModel(model)).files, { privateKey: pem }, { name: 'm' }).bundle,
      );
    await vouched();
    const verify = ['verify', model, '--signature', signature, '--public-key', join(root, 'key.pub')];
    const named = (text: string, files: readonly string[], title: string): void => {
      for (const file of files)
        t.match(
          text,
          new RegExp(`^steelyard: ${file}: .*\\(sha256:[0-9a-f]{64}\\)$`, 'm'),
          `${title}: ${file}`,
        );
      t.match(
        text,
        /delete them, or accept exactly these bytes: accept in a policy, or --accept sha256:…/,
        title,
      );
    };
    for (const more of [[], ['--fail-on', 'none']]) {
      const { code, stderr } = await steelyard(['sign', ...keyed, ...more]);
      t.equal(code, 1, 'sign');
      named(stderr, RUNS, `sign ${more}`);
      t.notOk(existsSync(out), 'and nothing is written');
    }
    const attested = await steelyard(['attest', ...keyed]);
    t.equal(attested.code, 1, 'attest');
    named(attested.stderr, RUNS, 'attest');
    t.equal(claim(readFileSync(out, 'utf8')).verificationResult, 'FAILED');
    t.match(await steelyard(verify), { code: 0 }, 'the files are those that were signed');
    const refused = await steelyard([...verify, '--scan']);
    t.match(refused, { code: 1, stdout: /REFUSED {2}FAILED_SCAN: .*their scan failed/ });
    named(refused.stderr, RUNS, 'verify --scan');

    // What alone fails no scan is refused all the same, each of them.
    for (const file of RUNS) if (file !== 'modeling_x.py') rmSync(join(model, file));
    for (const [file, bytes] of [
      ['modeling_x.py', MIXED['modeling_x.py']!],
      ['optimizer.pt', state],
      ['run.sh', '#!/bin/sh\ntrue\n'],
      ['model.onnx', '\x08\x07\x12\x07pytorch:\x00graph'],
      ['weights.h5', '\x89HDF\r\n\x1a\n\0\0\0\0'],
    ] as const) {
      rmSync(join(model, 'modeling_x.py'), { force: true });
      writeFileSync(join(model, file), bytes);
      await vouched();
      const ended = await steelyard([...verify, '--scan']);
      t.match(ended, { code: 1, stdout: /REFUSED {2}FAILED_SCAN: .*some of them nobody looked into/ }, file);
      named(ended.stderr, [file], file);
      const accept = `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
      t.match(
        await steelyard([...verify, '--scan', '--accept', accept]),
        { code: 0, stdout: /^VERIFIED/m },
        file,
      );
      t.match(await steelyard([...verify, '--accept', accept]), {
        code: 2,
        stderr: /--accept goes with --scan/,
      });
      rmSync(join(model, file));
    }
    await vouched();
    t.match(await steelyard([...verify, '--scan']), { code: 0 }, "a clone's hooks are nobody's to load");
  },
);

t.test('sign --reuse signs no file that it reads again and that would fail a scan', async (t) => {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const root = t.testdir({
    model: { 'm.safetensors': weights, 'README.md': '#' },
    'key.pem': privateKey.export({ type: 'pkcs8', format: 'pem' }),
    'key.pub': publicKey.export({ type: 'spki', format: 'pem' }),
  });
  const [model, old, out] = ['model', 'old.sig', 'new.sig'].map((name) => join(root, name)) as [
    string,
    string,
    string,
  ];
  t.match(await steelyard(['sign', model, '--key', join(root, 'key.pem'), '-o', old]), { code: 0 });
  const again = [
    'sign',
    model,
    '--key',
    join(root, 'key.pem'),
    '-o',
    out,
    '--reuse',
    old,
    '--public-key',
    join(root, 'key.pub'),
  ];
  const header = { 'weird.op_x': { dtype: 'F32', shape: [1], data_offsets: [0, 4] } };
  const cases: [string, Record<string, string | Buffer>, RegExp][] = [
    [
      'a header that no loader takes',
      { 'n.safetensors': Buffer.from('\xff'.repeat(64), 'latin1') },
      /critical: n\.safetensors: /,
    ],
    [
      'a pickle by the name of weights',
      { 'n.safetensors': SYSTEM },
      /critical: n\.safetensors: .*\(file\/pickle\)/,
    ],
    ['a template that runs code', { 'chat_template.jinja': "{{ ''.__class__ }}" }, /chat_template\.jinja: /],
    [
      'an adapter of a kind that is not known',
      {
        'adapter_model.safetensors': safetensors(header),
        'adapter_config.json': JSON.stringify({ peft_type: 'NEWKIND', r: 8, target_modules: ['q_proj'] }),
      },
      /adapter_model\.safetensors: .*\n.*--accept sha256:…\n.*not signed/s,
    ],
  ];
  for (const [title, files, why] of cases) {
    for (const [name, bytes] of Object.entries(files)) writeFileSync(join(model, name), bytes);
    t.match(await steelyard(again), { code: 1, stderr: why }, title);
    t.notOk(existsSync(out), 'and nothing is written');
    for (const name of Object.keys(files)) rmSync(join(model, name));
  }
  writeFileSync(join(model, 'README.md'), 'new');
  t.match(await steelyard([...again, '--changed', join(model, 'README.md')]), { code: 0 });
});

function safetensors(header: object): Buffer {
  const text = Buffer.from(JSON.stringify(header));
  const size = Buffer.alloc(8);
  size.writeBigUInt64LE(BigInt(text.length));
  return Buffer.concat([size, text, Buffer.alloc(4, 0x3c)]);
}

t.test('a folder without weights', async (t) => {
  const folder = t.testdir({ text: { 'README.md': '#' }, bad: { 'a.bin': "cos\nsystem\n(S'true'\ntR." } });
  const nothing = await scan(join(folder, 'text')).catch((error) => error);
  t.ok(nothing instanceof SteelyardError);
  t.match(nothing, { code: 'NOT_FOUND', message: /nothing to examine/ });
  t.match((await scan(join(folder, 'bad'))).verdict, { outcome: 'fail' });
  writeFileSync(join(folder, 'bad', 'a.bin'), state);
  t.match(
    await scan(join(folder, 'bad')).catch((error) => error),
    { code: 'NOT_FOUND' },
    'medium does not fail',
  );
  t.match((await scan(join(folder, 'bad'), { failOn: 'medium' })).verdict, { outcome: 'fail' });
});
