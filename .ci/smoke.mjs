// What a user of the packed package does first, with the Node that runs this: scan, diff, sign, verify, abort. Run in a folder where the
// package is installed: `node smoke.mjs FIXTURES`.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const fixtures = process.argv[2];
const require = createRequire(pathToFileURL(join(process.cwd(), 'here.js')));
const library = await import(pathToFileURL(require.resolve('steelyard')).href);
const cli = join(process.cwd(), 'node_modules', 'steelyard', 'dist', 'cli', 'main.js');
const folder = mkdtempSync(join(tmpdir(), 'smoke-'));
const model = join(fixtures, 'tiny-lora');

const run = (code, ...args) => {
  const { status, stdout, stderr } = spawnSync(process.execPath, [cli, ...args], { encoding: 'utf8' });
  assert.equal(status, code, `steelyard ${args.join(' ')}\n${stdout}\n${stderr}`);
  assert.doesNotMatch(stderr, /Warning/);
  return stdout;
};

assert.match(run(0, 'scan', model), /PASS/);
run(0, 'scan', '--isolate', 'process', model);

const altered = join(folder, 'altered');
cpSync(model, altered, { recursive: true });
const weights = join(altered, 'adapter_model.safetensors');
const bytes = readFileSync(weights);
bytes[500_000] ^= 1;
writeFileSync(weights, bytes);
const diff = JSON.parse(run(1, 'diff', model, altered, '--format', 'json'));
assert.deepEqual([diff.complete, diff.tensors.length], [true, 1]);
run(0, 'diff', model, model, '--format', 'html', '-o', join(folder, 'diff.html'));

const [key, publicKey, signature] = ['key.pem', 'pub.pem', 'model.sig'].map((name) => join(folder, name));
const { generateKeyPairSync } = await import('node:crypto');
const pair = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
writeFileSync(key, pair.privateKey.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600 });
writeFileSync(publicKey, pair.publicKey.export({ type: 'spki', format: 'pem' }));
run(0, 'sign', model, '--key', key, '-o', signature);
run(0, 'verify', model, '--signature', signature, '--public-key', publicKey);
run(1, 'verify', altered, '--signature', signature, '--public-key', publicKey);

// The library: by import and by require, and a signal that is heard by workers.
const report = await library.scan(model);
assert.equal(report.verdict.outcome, 'pass');
assert.match(library.renderText(report), /PASS/);
assert.equal(require('steelyard').VERSION, library.VERSION);
for (const face of ['diff', 'sign', 'bom', 'policy', 'schema'])
  assert.ok(
    Object.keys(await import(pathToFileURL(require.resolve(`steelyard/${face}`)).href)).length > 0,
    face,
  );
const large = join(folder, 'large.safetensors');
const size = 1 << 28;
const header = Buffer.from(
  JSON.stringify({ a: { dtype: 'F32', shape: [size / 4], data_offsets: [0, size] } }),
);
const length = Buffer.alloc(8);
length.writeBigUInt64LE(BigInt(header.length));
writeFileSync(large, Buffer.concat([length, header, Buffer.alloc(size)]));
const controller = new AbortController();
const scanning = library.scan(large, { signal: controller.signal, onProgress: () => controller.abort() });
await assert.rejects(scanning, { code: 'ABORTED' });
console.log(`Node ${process.version}: smoke passed`);
