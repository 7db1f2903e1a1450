// The files of a model as signing and verifying see them: digests, tensors, what could not be read, and where paths begin.
import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'tap';
import { digestModel, modelRoot } from '../../../src/index.ts';
import { hex } from '../../kit/specimen/forgery.ts';

const scratch = realpathSync(mkdtempSync(join(tmpdir(), 'steelyard-content-')));
process.on('exit', () => rmSync(scratch, { recursive: true, force: true }));

/** A folder with these files. */
function folder(name: string, files: Readonly<Record<string, string | Uint8Array>>): string {
  const path = join(scratch, name);
  mkdirSync(path);
  for (const [file, content] of Object.entries(files)) writeFileSync(join(path, file), content);
  return path;
}

/** A safetensors file of one-byte tensors over these bytes. */
function safetensors(tensors: Readonly<Record<string, readonly [number, number]>>, data: string): Buffer {
  const entries = Object.entries(tensors).map(([name, [start, end]]) => [
    name,
    { dtype: 'U8', shape: [end - start], data_offsets: [start, end] },
  ]);
  const header = JSON.stringify(Object.fromEntries(entries));
  const size = Buffer.alloc(8);
  size.writeBigUInt64LE(BigInt(header.length));
  return Buffer.concat([size, Buffer.from(header + data)]);
}

const WEIGHTS = safetensors({ a: [0, 2], b: [2, 5] }, 'xxyyy');
const MODEL = folder('model', { 'config.json': '{}', 'model.safetensors': WEIGHTS });
const CONFIG = {
  path: 'config.json',
  sha256: `sha256:${hex('{}')}`,
  size: 2,
  format: null,
  kind: 'json',
  state: 'examined',
};
const MEASURED = {
  path: 'model.safetensors',
  sha256: `sha256:${hex(WEIGHTS)}`,
  size: WEIGHTS.length,
  format: 'safetensors',
  kind: 'safetensors',
  state: 'examined',
};

test('every file with its digest, and the tensors of the weights', async (t) => {
  const content = {
    root: MODEL,
    files: [CONFIG, MEASURED],
    tensors: [
      { name: 'a', dtype: 'U8', shape: [2], sha256: `sha256:${hex('xx')}` },
      { name: 'b', dtype: 'U8', shape: [3], sha256: `sha256:${hex('yyy')}` },
    ],
    errors: [],
    findings: [],
  };
  t.same(await digestModel(MODEL), content);
  const named = [join(MODEL, 'config.json'), join(MODEL, 'model.safetensors')];
  t.same(await digestModel(named), content, 'the same, named one by one');
});

test('of tensors that overlap, the first has a digest', async (t) => {
  const path = folder('overlap', { 'x.safetensors': safetensors({ a: [0, 2], b: [1, 3] }, 'xyz') });
  const { tensors } = await digestModel(path);
  t.same(tensors, [
    { name: 'a', dtype: 'U8', shape: [2], sha256: `sha256:${hex('xy')}` },
    { name: 'b', dtype: 'U8', shape: [2], sha256: null },
  ]);
});

test('digests that are known are taken as they are', async (t) => {
  const sha256 = `sha256:${hex('what it held when it was signed')}`;
  const known = new Map([['model.safetensors', sha256]]);
  const { files, tensors } = await digestModel(MODEL, { known });
  const taken = { path: 'model.safetensors', sha256, size: WEIGHTS.length, format: null, state: 'hashed' };
  t.same(files, [CONFIG, taken]);
  t.same(tensors, [], 'the file was not read');
});

test('what cannot be read is told, and is no file of the model', async (t) => {
  const device = await digestModel('/dev/null');
  t.same(device.files, []);
  t.match(device, { root: '/dev', errors: [{ code: 'NOT_REGULAR', file: 'null' }] });
  const linked = folder('linked', {});
  symlinkSync(join(MODEL, 'config.json'), join(linked, 'link'));
  const never = await digestModel(linked, { followSymlinks: 'never' });
  t.match(never, { root: '', files: [], errors: [{ code: 'NOT_REGULAR', file: 'link' }] });
});

test('where paths begin', (t) => {
  t.equal(modelRoot([MODEL]), MODEL);
  t.equal(modelRoot([join(MODEL, 'config.json')]), MODEL);
  t.equal(modelRoot([MODEL, join(scratch, 'overlap', 'x.safetensors')]), scratch);
  t.equal(modelRoot(['/dev/null', join(MODEL, 'config.json')]), '/', 'of nothing in common');
  t.end();
});
