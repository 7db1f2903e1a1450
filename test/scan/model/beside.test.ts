// What lies beside the weights and says something of them: digests, unfinished transfers, zeros that never became weights; and what of a
// folder is left out.
import { createHash } from 'node:crypto';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import t from 'tap';
import { type ScanOptions, scan } from '../../../src/index.ts';
import { readDigestList } from '../../../src/scan/model/claim/digest-list.ts';
import { f32, safetensors, type Tensor } from '../../kit/specimen/weights.ts';
import { steelyard } from '../../kit/steelyard.ts';

const MODEL = safetensors({ 'a.weight': f32(8, 8) });
const hash = (algorithm: string, bytes: Buffer): string => createHash(algorithm).update(bytes).digest('hex');
const SHA256 = hash('sha256', MODEL);
const gitOf = (bytes: Buffer): string =>
  hash('sha1', Buffer.concat([Buffer.from(`blob ${bytes.length}\0`), bytes]));
const WRONG = '0'.repeat(64);

type Files = Readonly<Record<string, string | Buffer>>;

function folderOf(t: { testdir(): string }, files: Files): string {
  const root = t.testdir();
  for (const [path, bytes] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), bytes);
  }
  return root;
}

async function told(root: string, rules: RegExp, options: ScanOptions = {}): Promise<string[]> {
  const { findings } = await scan(root, options);
  return findings
    .filter(({ rule }) => rules.test(rule))
    .map(({ rule, severity, file }) => `${rule} ${severity} ${file}`);
}

t.test('lists of digests in every form that programs write', async (t) => {
  const md5 = hash('md5', MODEL);
  const lists: readonly [path: string, text: string][] = [
    ['SHA256SUMS', `${SHA256}  m.safetensors\n`],
    ['sha256sums.txt', `# of today\r\n${SHA256.toUpperCase()} *./m.safetensors\r\n`],
    ['checksums.sha256', `SHA256 (m.safetensors) = ${SHA256}\n`],
    ['m.safetensors.sha256', SHA256],
    ['m.safetensors.sha256sum', `\uFEFF${SHA256}  /srv/build/m.safetensors\n`],
    ['m.safetensors.sha256.txt', `sha256:${SHA256}`],
    ['MD5SUMS', `${md5}  m.safetensors\n`],
    ['m.safetensors.md5', `MD5(m.safetensors)= ${md5}\n`],
    ['m.safetensors.sha1', hash('sha1', MODEL)],
    ['manifest-sha512.txt', `${hash('sha512', MODEL)} m.safetensors\n`],
    ['b2sums', `${hash('blake2b512', MODEL)}  m.safetensors\n`],
  ];
  for (const [path, text] of lists) {
    const right = folderOf(t, { 'm.safetensors': MODEL, [path]: text });
    t.same(await told(right, /^file\/digest/), ['file/digest-match info m.safetensors'], path);
    const other = safetensors({ 'a.weight': f32(8, 8) });
    const wrong = folderOf(t, { 'm.safetensors': other, [path]: text });
    t.same(
      await told(wrong, /^file\/digest/),
      ['file/digest high m.safetensors'],
      `${path}, of another file`,
    );
  }
});

t.test('texts that look like lists say nothing', async (t) => {
  for (const text of [
    'no digest here',
    `${SHA256} other.safetensors`,
    'deadbeef  m.safetensors',
    `x${SHA256}  m.safetensors`,
  ])
    t.same(await told(folderOf(t, { 'm.safetensors': MODEL, SHA256SUMS: text }), /^file\/digest/), [], text);
  t.same(readDigestList(`\\${SHA256}  a\\nb`, 'SHA256SUMS')[0]?.name, 'a\nb');
  t.same(readDigestList(`${'a'.repeat(64)}  m`, 'x.b3sum.txt blake3'), []);
});

t.test('blobs that are named by their digest', async (t) => {
  const config = Buffer.from('{"model_type":"x"}');
  const linked = (name: string, bytes: Buffer, as: string): string => {
    const root = folderOf(t, { [`models--o--m/blobs/${name}`]: bytes });
    const snapshot = join(root, 'models--o--m', 'snapshots', 'a'.repeat(40));
    mkdirSync(snapshot, { recursive: true });
    symlinkSync(`../../blobs/${name}`, join(snapshot, as));
    if (as !== 'model.safetensors') writeFileSync(join(snapshot, 'model.safetensors'), MODEL);
    return snapshot;
  };
  const cases: readonly [() => string, string[]][] = [
    [() => linked(SHA256, MODEL, 'model.safetensors'), ['file/digest-match info model.safetensors']],
    [() => linked(WRONG, MODEL, 'model.safetensors'), ['file/digest critical model.safetensors']],
    [() => linked(gitOf(config), config, 'config.json'), ['file/digest-match info config.json']],
    [() => linked('1'.repeat(40), config, 'config.json'), ['file/digest critical config.json']],
    [
      () => folderOf(t, { 'm.safetensors': MODEL, [`blobs/sha256-${SHA256}`]: MODEL }),
      [`file/digest-match info blobs/sha256-${SHA256}`],
    ],
    [
      () => folderOf(t, { 'm.safetensors': MODEL, [`sha256-${WRONG}`]: MODEL }),
      [`file/digest critical sha256-${WRONG}`],
    ],
    [
      () => folderOf(t, { 'm.safetensors': MODEL, [`blobs/sha256/${WRONG}`]: MODEL }),
      [`file/digest critical blobs/sha256/${WRONG}`],
    ],
    [() => folderOf(t, { 'm.safetensors': MODEL, [`${WRONG}.safetensors`]: MODEL }), []],
  ];
  for (const [make, expected] of cases) t.same(await told(make(), /^file\/digest/), expected);
});

t.test('what hf download --local-dir notes', async (t) => {
  const note = (etag: string): string => `${'b'.repeat(40)}\n${etag}\n1716000000.0\n`;
  const at = '.cache/huggingface/download';
  const config = Buffer.from('{"model_type":"x"}');
  const notes = (weights: string, settings: string): Files => ({
    'model.safetensors': MODEL,
    'sub/config.json': config,
    [`${at}/model.safetensors.metadata`]: note(weights),
    [`${at}/sub/config.json.metadata`]: note(settings),
    [`${at}/model.safetensors.lock`]: '',
    '.cache/huggingface/.gitignore': '*',
  });
  const right = folderOf(t, notes(SHA256, gitOf(config)));
  t.same(await told(right, /^file\//), ['file/digest-match info model.safetensors']);
  const { leftOut, files } = await scan(right);
  t.same(leftOut, [{ pattern: '.cache/huggingface', files: 4 }]);
  t.same(
    files.map(({ path }) => path),
    ['model.safetensors', 'sub/config.json'],
  );
  const wrong = folderOf(t, notes(WRONG, '1'.repeat(40)));
  t.same(await told(wrong, /^file\//), [
    'file/digest high model.safetensors',
    'file/digest high sub/config.json',
  ]);
});

t.test('transfers that were not finished', async (t) => {
  const cases: readonly [Files, readonly string[]][] = [
    ...[
      'aria2',
      'part',
      'partial',
      'incomplete',
      'crdownload',
      'download',
      'download.state',
      'opdownload',
      '!qB',
      '1a2B3c4D',
    ].map((ending): [Files, string[]] => [
      { 'm.safetensors': MODEL, [`m.safetensors.${ending}`]: 'x' },
      [`file/unfinished high m.safetensors.${ending}`],
    ]),
    [{ 'm.safetensors': MODEL, 'n.gguf.part': 'x' }, ['file/unfinished high n.gguf.part']],
    [{ 'm.safetensors': MODEL, '.n.gguf.Ab3dEf': 'x' }, ['file/unfinished high .n.gguf.Ab3dEf']],
    [{ 'm.safetensors': MODEL, '._____temp/n.gguf': 'x' }, ['file/unfinished high ._____temp/n.gguf']],
    [
      { 'm.safetensors': MODEL, [`blobs/sha256-${WRONG}-partial`]: 'x' },
      [`file/unfinished high blobs/sha256-${WRONG}-partial`],
    ],
    [
      { 'm.safetensors': MODEL, [`.cache/huggingface/download/x.${WRONG}.incomplete`]: 'x' },
      [`file/unfinished high .cache/huggingface/download/x.${WRONG}.incomplete`],
    ],
    // Begun once, and downloaded after all; notes and archives of other programs.
    [
      {
        'm.safetensors': MODEL,
        [`.cache/huggingface/download/x.${SHA256}.incomplete`]: 'x',
        '.cache/huggingface/download/m.safetensors.metadata': `${'b'.repeat(40)}\n${SHA256}\n1.0\n`,
      },
      [],
    ],
    [
      {
        'm.safetensors': MODEL,
        'notes.part': 'x',
        'README.md.tmp': 'x',
        'README.md': 'x',
        'v1.2.tar.gz': 'x',
      },
      [],
    ],
    [
      {
        'm.safetensors': MODEL,
        'm.safetensors.gz': 'x',
        'm.safetensors.sig': 'x',
        'm.safetensors.sha256': SHA256,
      },
      [],
    ],
  ];
  for (const [files, expected] of cases)
    t.same(await told(folderOf(t, files), /unfinished/), expected, Object.keys(files).join(' '));
});

t.test('a snapshot whose blob has not arrived', async (t) => {
  const root = folderOf(t, {
    [`models--o--m/snapshots/${'a'.repeat(40)}/model.safetensors`]: MODEL,
    [`models--o--m/blobs/${WRONG}.incomplete`]: 'x',
    [`models--o--m/blobs/${SHA256}.incomplete`]: 'x',
    [`models--o--m/blobs/${SHA256}`]: MODEL,
  });
  const snapshot = join(root, 'models--o--m', 'snapshots', 'a'.repeat(40));
  t.same(await told(snapshot, /unfinished/), [`file/unfinished high ../../blobs/${WRONG}.incomplete`]);
});

t.test('a piece of a file is told as a piece, not as damage', async (t) => {
  for (const name of ['m.safetensors.part1of2', 'm.safetensors.aa', 'm.safetensors.001', 'm.gguf-split-a']) {
    const root = folderOf(t, { 'ok.safetensors': MODEL, [name]: MODEL.subarray(0, MODEL.length - 100) });
    t.same(await told(root, /./), [`file/unfinished high ${name}`], name);
  }
});

const zeroed = (tensor: Tensor, start: number, size: number): Tensor => {
  const bytes = Buffer.from(tensor[2]);
  bytes.fill(0, start, start + size);
  return [tensor[0], tensor[1], bytes];
};

t.test('zeros inside of a tensor', async (t) => {
  const matrix = f32(512, 300); // rows of 1,200 bytes, 614,400 in all
  const cases: readonly [string, Record<string, Tensor>, readonly string[]][] = [
    ['a hole', { 'l.weight': zeroed(matrix, 100_004, 70_000) }, ['stats/zero-run medium']],
    ['the end', { 'l.weight': zeroed(matrix, 400_004, 214_396) }, ['stats/zero-run medium']],
    ['the beginning', { 'l.weight': zeroed(matrix, 0, 100_004) }, ['stats/zero-run medium']],
    [
      'an embedding that is torn',
      { 'embed_tokens.weight': zeroed(matrix, 400_004, 214_396) },
      ['stats/zero-run medium'],
    ],
    ['rows of tokens that nobody uses', { 'embed_tokens.weight': zeroed(matrix, 480_000, 134_400) }, []],
    ['whole rows', { 'l.weight': zeroed(matrix, 480_000, 134_400) }, ['stats/zero-run low']],
    ['too short', { 'l.weight': zeroed(matrix, 100_004, 60_000) }, []],
    ['a mask', { 'attn.mask': zeroed(matrix, 100_004, 70_000) }, []],
    ['many zeros, no run', { 'l.weight': sparse() }, []],
  ];
  for (const [name, tensors, expected] of cases) {
    const { findings } = await scan(folderOf(t, { 'm.safetensors': safetensors(tensors) }));
    const runs = findings.filter(({ rule }) => rule === 'stats/zero-run');
    t.same(
      runs.map(({ rule, severity }) => `${rule} ${severity}`),
      expected,
      name,
    );
  }
  const [at] = (
    await scan(folderOf(t, { 'm.safetensors': safetensors({ 'l.weight': zeroed(matrix, 100_004, 70_000) }) }))
  ).findings;
  t.match(at?.message, /^70000 bytes in a row are zero, 11 %/);
});

function sparse(): Tensor {
  const [dtype, shape, bytes] = f32(512, 300);
  for (let at = 0; at + 4096 <= bytes.length; at += 4096) bytes.fill(0, at, at + 3800);
  return [dtype, shape, bytes];
}

t.test('what is left out is recorded, and never weights, code or settings', async (t) => {
  const files = {
    'm.safetensors': MODEL,
    'logs/train.log': 'step 1',
    'a/b/notes.log': 'x',
    'model.py': 'import os',
    'weights.dat': MODEL,
    'config.json': '{}',
    '.git/HEAD': 'ref: refs/heads/main',
    '.git/objects/aa': MODEL,
    '.git/x.safetensors': MODEL,
  };
  const root = folderOf(t, files);
  symlinkSync('/usr/bin/env', join(root, 'logs', 'python'));
  const report = await scan(root, { exclude: ['*.log', 'logs/'] });
  t.same(report.leftOut, [
    { pattern: '.git', files: 2 },
    { pattern: '*.log', files: 2, paths: ['a/b/notes.log', 'logs/train.log'] },
    { pattern: 'logs', files: 1, paths: ['logs/python'] },
  ]);
  t.ok(
    report.files.some(({ path }) => path === '.git/x.safetensors'),
    'called like weights, it stays',
  );
  for (const glob of ['*.safetensors', 'model.py', 'config.json', '**', 'weights.dat'])
    await t.rejects(scan(root, { exclude: [glob] }), { code: 'USAGE', message: /cannot be left out/ }, glob);
});

t.test('a signature records what was left out, and leaves out what verify accepts', async (t) => {
  const root = folderOf(t, { 'm/m.safetensors': MODEL, 'm/README.md': 'x', 'm/train.log': 'y' });
  const key = join(root, 'k.pem');
  const { generateKeyPairSync } = await import('node:crypto');
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  writeFileSync(key, privateKey.export({ type: 'pkcs8', format: 'pem' }));
  writeFileSync(join(root, 'k.pub'), publicKey.export({ type: 'spki', format: 'pem' }));
  const model = join(root, 'm');
  const sig = join(root, 'm.sig');
  const refused = await steelyard(['sign', model, '--key', key, '-o', sig, '--exclude', '*.log']);
  t.equal(refused.code, 2);
  t.match(refused.stderr, /train\.log cannot be left out of what is signed/);
  const signed = await steelyard(['sign', model, '--key', key, '-o', sig, '--exclude', '*.md']);
  t.equal(signed.code, 0, signed.stderr);
  writeFileSync(join(model, 'README.md'), 'changed');
  const verified = await steelyard([
    'verify',
    model,
    '--signature',
    sig,
    '--public-key',
    join(root, 'k.pub'),
  ]);
  t.equal(verified.code, 0, verified.stdout + verified.stderr);
});
