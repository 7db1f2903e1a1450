// The spine on real files: digests, determinism, progress, abort, and a world that fails while we look.
import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  closeSync,
  copyFileSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { Worker } from 'node:worker_threads';
import t from 'tap';
import { type Report, SteelyardError, scan } from '../../src/index.ts';
import { renderJson } from '../../src/report/report-json.ts';
import { DTYPES } from '../../src/scan/dtype.ts';
import { native } from '../../src/scan/measure/native.ts';
import { divide } from '../../src/scan/measure/record/share.ts';
import { referenceStats } from '../kit/reference/stats.ts';
import { packageRoot } from '../kit/root.ts';

const REAL = join(packageRoot, 'fixtures', 'real');
const MIB = 2 ** 20;

/** A safetensors file with one U8 tensor of zeros, as large as asked and sparse on disk. */
function writeSparse(path: string, size: number): void {
  const json = JSON.stringify({ zeros: { dtype: 'U8', shape: [size], data_offsets: [0, size] } });
  const header = Buffer.alloc(8 + json.length);
  header.writeBigUInt64LE(BigInt(json.length));
  header.write(json, 8);
  writeFileSync(path, header);
  truncateSync(path, header.length + size);
}

const rejection = async (promise: Promise<unknown>): Promise<SteelyardError> => {
  const error = await promise.then(
    () => undefined,
    (reason) => reason,
  );
  if (!(error instanceof SteelyardError)) throw new Error(`not a SteelyardError: ${error}`);
  return error;
};

t.test('real files: digests equal to another implementation, nothing at medium or above', async (t) => {
  const report = await scan(REAL);
  for (const { path, sha256, size } of report.files) {
    const bytes = readFileSync(join(REAL, path));
    t.equal(sha256, `sha256:${createHash('sha256').update(bytes).digest('hex')}`, path);
    t.equal(size, bytes.length, path);
  }
  for (const { name, file, start, end, sha256 } of report.tensors) {
    if (file === 'threatflux-three-tensors.gguf' && name !== 'output_norm.weight') continue;
    const bytes = readFileSync(join(REAL, file)).subarray(start, end);
    t.equal(sha256, `sha256:${createHash('sha256').update(bytes).digest('hex')}`, `${file} ${name}`);
  }
  // One file is not what it seems: its writer gave all three tensors the offset 0, so they overlap and most of the data is
  // said to belong to nobody. ggml refuses it too.
  const serious = report.findings.filter(({ severity }) => severity !== 'info' && severity !== 'low');
  t.same(new Set(serious.map(({ file }) => file)), new Set(['threatflux-three-tensors.gguf']));
  t.same(
    serious.map(({ rule, offset }) => [rule, offset]),
    [
      ['data/overlap', 416],
      ['data/overlap', 416],
      ['data/trailing-bytes', 512_416],
    ],
  );
  t.equal(report.complete, true);
  t.equal(report.tensors.length, 41);
});

t.test('real tensors: every number equal to the slow twin', async (t) => {
  const close = (found: unknown, wanted: unknown, tolerance: number, path: string): void => {
    if (typeof found === 'number' && typeof wanted === 'number' && !Number.isInteger(wanted)) {
      t.ok(Math.abs(found - wanted) <= tolerance * Math.abs(wanted), `${path}: ${found}, twin ${wanted}`);
    } else if (typeof found === 'object' && found !== null && typeof wanted === 'object' && wanted !== null) {
      for (const key of Object.keys(wanted)) {
        const at = (value: object): unknown => (value as Record<string, unknown>)[key];
        close(at(found), at(wanted), tolerance, `${path}.${key}`);
      }
    } else if (found !== wanted) t.fail(`${path}: ${found}, twin ${wanted}`);
  };
  const report = await scan(REAL);
  for (const { name, file, dtype, start, end, stats } of report.tensors) {
    if (stats === null) continue;
    const bytes = readFileSync(join(REAL, file)).subarray(start, end);
    const isWide = bytes.length / stats.count > 2;
    close(stats, referenceStats(new Uint8Array(bytes), dtype), isWide ? 1e-9 : 1e-12, `${file} ${name}`);
  }
});

t.test('the report is the same, byte for byte, for any threads and way of reading', async (t) => {
  const expected = renderJson(await scan(REAL, { threads: 1, rows: true }));
  for (const threads of [2, 4]) t.equal(renderJson(await scan(REAL, { threads, rows: true })), expected);
  for (const io of ['mmap', 'pread'] as const) {
    t.equal(renderJson(await scan(REAL, { io, rows: true })), expected, io);
  }
});

t.test('a file that two workers share: the same report as from one', async (t) => {
  const path = join(t.testdir({}), 'long.safetensors');
  const sizes = [40, 30, 20].map((size) => size * MIB);
  const starts = [0, sizes[0]!, sizes[0]! + sizes[1]!];
  const tensors = sizes.map((size, i) => [
    `m.${i}.weight`,
    { dtype: 'U8', shape: [size], data_offsets: [starts[i]!, starts[i]! + size] },
  ]);
  const json = JSON.stringify(Object.fromEntries(tensors));
  const header = Buffer.alloc(8 + json.length);
  header.writeBigUInt64LE(BigInt(json.length));
  header.write(json, 8);
  writeFileSync(path, header);
  truncateSync(path, header.length + starts[2]! + sizes[2]!);
  const file = openSync(path, 'r+');
  for (const start of starts) writeSync(file, `tensor at ${start}`, header.length + start + 1000);
  closeSync(file);

  const alone = await scan(path, { threads: 1 });
  t.equal(new Set(alone.tensors.map(({ sha256 }) => sha256)).size, 3, 'three tensors, none like another');
  t.equal(renderJson(await scan(path, { threads: 2 })), renderJson(alone));
});

t.test(
  'so many tensors that what was measured is moved between threads: each has its own digest',
  async (t) => {
    const COUNT = 30_000;
    const data = Buffer.from(Uint32Array.from({ length: COUNT }, (_, i) => i).buffer);
    const tensors = Array.from({ length: COUNT }, (_, i) => [
      `m.${i}.weight`,
      { dtype: 'U8', shape: [4], data_offsets: [4 * i, 4 * i + 4] },
    ]);
    const json = JSON.stringify(Object.fromEntries(tensors));
    const size = Buffer.alloc(8);
    size.writeBigUInt64LE(BigInt(json.length));
    const path = join(t.testdir({}), 'many.safetensors');
    writeFileSync(path, Buffer.concat([size, Buffer.from(json), data]));

    const report = await scan(path, { threads: 1 });
    const wanted = (start: number) =>
      createHash('sha256')
        .update(data.subarray(start, start + 4))
        .digest('hex');
    const wrong = report.tensors.filter(({ sha256 }, i) => sha256 !== `sha256:${wanted(4 * i)}`);
    t.equal(report.tensors.length, COUNT);
    t.strictSame(wrong, []);
    t.ok(report.tensors.every(({ stats }) => stats?.count === 4));
  },
);

t.test('where a file is divided between two workers', (t) => {
  const bf16 = DTYPES.findIndex(({ name }) => name === 'BF16');
  const divided = (count: number, size: number): number => {
    const ranges = Array.from({ length: count }, (_, i) => [i * size, (i + 1) * size, bf16, 0, 0, 0, 0]);
    return divide(Float64Array.from(ranges.flat()), count * size) / count;
  };
  // Both digests take as long as the digest and statistics of long tensors; what small ones cost is hardly their digests.
  t.ok(divided(100, 64 * MIB) > 0.85, 'long tensors are left to the other worker');
  t.ok(Math.abs(divided(100_000, 1024) - 0.5) < 0.05, 'small ones are halved');
  t.end();
});

t.test('what is named decides what is scanned', async (t) => {
  const folder = t.testdir({ sub: {}, 'config.json': '{}' });
  copyFileSync(join(REAL, 'reference-f16.safetensors'), join(folder, 'a.safetensors'));
  copyFileSync(join(REAL, 'r-writer.safetensors'), join(folder, 'sub', 'b.safetensors'));
  symlinkSync('a.safetensors', join(folder, 'link.safetensors'));
  const paths = (report: Report): string[] => report.files.map(({ path }) => path);
  t.same(paths(await scan(folder)), [
    'a.safetensors',
    'config.json',
    'link.safetensors',
    'sub/b.safetensors',
  ]);
  t.same(paths(await scan(join(folder, 'sub', 'b.safetensors'))), ['b.safetensors']);
  t.same(paths(await scan([join(folder, 'a.safetensors'), join(folder, 'sub')])), [
    'a.safetensors',
    'sub/b.safetensors',
  ]);

  const index = join(folder, 'model.safetensors.index.json');
  writeFileSync(
    index,
    JSON.stringify({ weight_map: { e: 'a.safetensors', y: 'gone.safetensors', z: '../../etc/passwd' } }),
  );
  const report = await scan(index);
  t.same(paths(report), ['a.safetensors', 'model.safetensors.index.json']);
  t.same(report.findings.map(({ rule }) => rule).sort(), ['shard/missing', 'shard/path']);
  t.equal(report.verdict.outcome, 'fail');
});

t.test('nothing to scan is never a pass', async (t) => {
  const folder = t.testdir({ empty: {}, text: { 'README.md': '#' } });
  t.equal((await rejection(scan([]))).code, 'USAGE');
  t.equal((await rejection(scan(join(folder, 'gone')))).code, 'NOT_FOUND');
  t.equal((await rejection(scan(join(folder, 'empty')))).code, 'NOT_FOUND');
  t.equal((await rejection(scan(join(folder, 'text')))).code, 'NOT_FOUND');
  t.equal((await rejection(scan(REAL, { threads: 0 }))).code, 'USAGE');
});

t.test(
  'a name that is not UTF-8 is an error at listing, whatever is called like what it is shown as',
  async (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'steelyard-'));
    t.teardown(() => rmSync(folder, { recursive: true }));
    const good = readFileSync(join(REAL, 'reference-f16.safetensors'));
    const odd = (...parts: (string | number)[]): Buffer =>
      Buffer.concat([
        Buffer.from(`${folder}/`),
        ...parts.map((one) => (typeof one === 'number' ? Buffer.from([one]) : Buffer.from(one))),
      ]);
    writeFileSync(join(folder, 'model-\ufffd.safetensors'), good);
    try {
      writeFileSync(odd('model-', 0xff, '.safetensors'), Buffer.concat([good, Buffer.from('\x7fELF')]));
      mkdirSync(odd('folder', 0xfe));
    } catch {
      t.comment('SKIPPED: this file system takes no such names');
      return;
    }
    const report = await scan(folder);
    t.equal(report.verdict.outcome, 'error');
    t.same(
      report.errors.map(({ file, message }) => [file, /not UTF-8/.test(message)]),
      [
        ['folder\\xfe', true],
        ['model-\\xff.safetensors', true],
      ],
    );
    t.equal((await rejection(scan(join(folder, 'model-\ufffd.safetensors')))).code, 'USAGE', 'or named so');
  },
);

t.test('names of files and folders that are not what they seem', async (t) => {
  const weights = readFileSync(join(REAL, 'reference-f16.safetensors'));
  const rules = async (tree: Record<string, string | Record<string, string>>) =>
    (await scan(t.testdir({ ...tree, 'm.safetensors': weights }))).findings.map(({ rule }) => rule).sort();
  t.same(await rules({ 'k\u200b.md': 'x', 'k.md': 'x' }), ['name/invisible', 'path/collision']);
  t.same(await rules({ 'n\u043edel.md': 'x' }), ['name/confusable']);
  t.same(await rules({ 'n\u043e.md': 'x', 'no.md': 'x' }), ['name/confusable', 'path/collision']);
  t.same(await rules({ 'evil\u202egnp.md': 'x' }), ['name/invisible']);
  t.same(await rules({ a: { 'x.md': 'x' }, A: { 'y.md': 'y' } }), ['path/collision']);
  t.same(await rules({ 'n.md': 'x', 'n.md.': 'x', 'n.md ': 'x' }), [
    'name/invisible',
    'path/collision',
    'path/collision',
    'path/collision',
  ]);
  t.same(await rules({ 'e\u0301.md': 'x', '\u00e9.md': 'x' }), ['path/collision']);
  t.same(
    await rules({
      '\u043f\u0440\u0438\u0432\u0435\u0442.md': 'x',
      '\u65e5\u672c.md': 'x',
      'a b.md': 'x',
      'na\u00efve.md': 'x',
    }),
    [],
    'honest',
  );
});

t.test('what cannot be looked at is an error, and hides no finding', async (t) => {
  // A socket's path has room for about 100 bytes, so not in the test's own folder.
  const folder = mkdtempSync(join(tmpdir(), 'steelyard-'));
  t.teardown(() => rmSync(folder, { recursive: true }));
  writeFileSync(join(folder, 'bad.safetensors'), 'not a header');
  execFileSync('mkfifo', [join(folder, 'pipe.safetensors')]);
  symlinkSync('nowhere', join(folder, 'dangling'));
  const server = createServer().listen(join(folder, 'socket'));
  t.teardown(() => server.close());
  const report = await scan(folder);
  t.same(
    report.errors.map(({ code, file }) => [code, file]),
    [
      ['NOT_REGULAR', 'dangling'],
      ['NOT_REGULAR', 'pipe.safetensors'],
      ['NOT_REGULAR', 'socket'],
    ],
  );
  t.equal(report.complete, false);
  t.equal(report.verdict.outcome, 'fail', 'fail beats error');
  t.equal(
    (await scan(folder, { failOn: 'none' })).verdict.outcome,
    'error',
    'and no threshold hides the error',
  );

  const named = await scan(join(folder, 'pipe.safetensors'));
  t.match(named.errors, [{ code: 'NOT_REGULAR' }], 'a named pipe does not hang the scan');
});

t.test('a file without permission', (t) => {
  const folder = t.testdir({});
  const file = join(folder, 'secret.safetensors');
  copyFileSync(join(REAL, 'reference-f16.safetensors'), file);
  chmodSync(file, 0);
  // Root reads everything, so the scan runs as nobody then.
  const nobody = process.getuid?.() === 0 ? { uid: 65_534, gid: 65_534 } : {};
  const cli = join(packageRoot, 'out/src/cli/main.js');
  const run = spawnSync(process.execPath, [cli, 'scan', '--format', 'json', file], {
    encoding: 'utf8',
    ...nobody,
  });
  t.equal(run.status, 2, run.stderr);
  t.match(JSON.parse(run.stdout).errors, [{ code: 'IO', errno: 'EACCES', file: 'secret.safetensors' }]);
  t.end();
});

t.test('rows of embeddings', async (t) => {
  const rows = 5;
  const columns = 3;
  const values = Float32Array.from({ length: rows * columns }, (_, i) => i - 4);
  const header = Buffer.from(
    JSON.stringify({ 'lm_head.weight': { dtype: 'F32', shape: [rows, columns], data_offsets: [0, 60] } }),
  );
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(header.length));
  const file = join(t.testdir({}), 'head.safetensors');
  writeFileSync(file, Buffer.concat([length, header, Buffer.from(values.buffer)]));
  t.equal((await scan(file)).tensors[0]!.stats!.rows, null);
  const measured = (await scan(file, { rows: true })).tensors[0]!.stats!.rows!;
  for (let row = 0; row < rows; row++) {
    const slice = values.slice(row * columns, (row + 1) * columns);
    t.equal(measured.norms[row], Math.sqrt(slice.reduce((sum, x) => sum + x * x, 0)));
    t.equal(
      measured.digests[row],
      `sha256:${createHash('sha256').update(Buffer.from(slice.buffer)).digest('hex')}`,
    );
  }
});

t.test('progress reaches the end; abort is obeyed', async (t) => {
  const file = join(t.testdir({}), 'large.safetensors');
  writeSparse(file, 256 * MIB);
  let last = { bytesDone: 0, bytesTotal: 0, filesDone: 0, filesTotal: 0 };
  const { size } = (
    await scan(file, {
      onProgress: (progress) => {
        t.ok(progress.bytesDone >= last.bytesDone);
        last = progress;
      },
    })
  ).files[0]!;
  t.same(last, { bytesDone: size, bytesTotal: size, filesDone: 1, filesTotal: 1 });

  const controller = new AbortController();
  const going = rejection(scan(file, { signal: controller.signal }));
  await new Promise((resolve) => setTimeout(resolve, 60));
  const asked = performance.now();
  controller.abort();
  t.equal((await going).code, 'ABORTED');
  t.comment(`aborted after ${(performance.now() - asked).toFixed(0)} ms`);
  t.equal((await rejection(scan(file, { signal: AbortSignal.abort() }))).code, 'ABORTED');
});

t.test('a file that is truncated during the scan', async (t) => {
  const file = join(t.testdir({}), 'shrinking.safetensors');
  const size = 48 * MIB;
  for (const io of ['mmap', 'pread'] as const) {
    let caught = 0;
    let late = 0;
    for (let round = 0; caught < 20 && round < 200; round++) {
      writeSparse(file, size);
      const delay = 5 + ((round * 37) % 80);
      const timer = setTimeout(
        () => truncateSync(file, Math.floor((size * ((round * 13) % 97)) / 97)),
        delay,
      );
      const report = await scan(file, { io });
      clearTimeout(timer);
      if (report.verdict.outcome === 'pass') late++;
      else {
        caught++;
        t.equal(report.verdict.outcome, 'error');
        t.match(report.errors, [{ code: 'FILE_CHANGED', file: 'shrinking.safetensors' }]);
      }
    }
    t.ok(caught >= 20, `${io}: ${caught} caught, ${late} scans were over before`);
  }
});

t.test('a file that is rewritten, replaced or touched during the scan', async (t) => {
  const folder = t.testdir({});
  const file = join(folder, 'model.safetensors');
  const change: Record<string, () => void> = {
    grown: () => truncateSync(file, 300 * MIB),
    replaced: () => renameSync(join(folder, 'other.safetensors'), file),
    touched: () => utimesSync(file, 1, 1),
  };
  for (const [how, act] of Object.entries(change)) {
    writeSparse(file, 200 * MIB);
    writeSparse(join(folder, 'other.safetensors'), 200 * MIB);
    const scanning = scan(file);
    await new Promise((resolve) => setTimeout(resolve, 60));
    act();
    t.match((await scanning).errors, [{ code: 'FILE_CHANGED' }], how);
  }
});

t.test('two copies of the library and short-lived workers in one process', async (t) => {
  const copy = join(t.testdir({}), 'copy');
  mkdirSync(copy);
  for (const part of ['package.json', 'build/Release/steelyard.node', 'node_modules', 'out/src']) {
    if (part === 'node_modules') symlinkSync(join(packageRoot, part), join(copy, part));
    else cpSync(join(packageRoot, part), join(copy, part), { recursive: true });
  }
  const other = (await import(pathToFileURL(join(copy, 'out/src/index.js')).href)) as { scan: typeof scan };
  const file = join(copy, 'large.safetensors');
  writeSparse(file, 64 * MIB);
  const reports = await Promise.all([
    scan(file),
    other.scan(file),
    scan(file, { io: 'pread' }),
    other.scan(REAL),
  ]);
  t.same(new Set(reports.slice(0, 3).map((report) => report.files[0]!.sha256)).size, 1);

  // Both have a SIGBUS handler in the chain now; each must know its own faults.
  const timer = setTimeout(() => truncateSync(file, MIB), 20);
  const truncated = await Promise.all([scan(file, { io: 'mmap' }), other.scan(file, { io: 'mmap' })]);
  clearTimeout(timer);
  for (const report of truncated) t.match(report.errors, [{ code: 'FILE_CHANGED' }]);

  // A worker that ends during a native call must not take the process along.
  writeSparse(file, 512 * MIB);
  const source = `
    import { openSync, fstatSync } from 'node:fs';
    import { parentPort, workerData } from 'node:worker_threads';
    const { native } = await import(workerData.module);
    const fd = openSync(workerData.file);
    parentPort.postMessage('measuring');
    native().measure(fd, fstatSync(fd).size, new Float64Array(0), null, 1, 'mmap', null);`;
  const module = pathToFileURL(join(packageRoot, 'out/src/scan/measure/native.js')).href;
  for (let round = 0; round < 5; round++) {
    const url = new URL(`data:text/javascript,${encodeURIComponent(source)}`);
    const worker = new Worker(url, { workerData: { module, file } });
    await new Promise((resolve) => worker.once('message', resolve));
    t.equal(await worker.terminate(), 1);
  }
  t.equal((await scan(join(REAL, 'tiny-lora'))).verdict.outcome, 'pass', 'and the next scan works');
});

t.test('without the addon there is an error with advice, no slow path', (t) => {
  const copy = t.testdir({});
  cpSync(join(packageRoot, 'package.json'), join(copy, 'package.json'));
  cpSync(join(packageRoot, 'out/src'), join(copy, 'out/src'), { recursive: true });
  symlinkSync(join(packageRoot, 'node_modules'), join(copy, 'node_modules'));
  const cli = join(copy, 'out/src/cli/main.js');
  const { status, stdout, stderr } = spawnSync(process.execPath, [cli, 'scan', REAL], { encoding: 'utf8' });
  t.equal(status, 2);
  t.equal(stdout, '');
  t.match(stderr, /native addon cannot be loaded[\s\S]*npm run build:native/);
  t.end();
});

t.test('TypeScript and C++ know the same dtypes', (t) => {
  t.same(
    native().dtypes(),
    DTYPES.map(({ name, blockCount, blockSize }) => [name, blockCount, blockSize]),
  );
  t.end();
});

t.test('the example', (t) => {
  const example = join(packageRoot, 'out/examples/allowlist.js');
  const file = join(REAL, 'reference-f16.safetensors');
  const digest = '473393ed4425f74665925f71dfd71e32e0c60d6916c7fcdae20f7bb660f7979c';
  const run = (...args: string[]) => spawnSync(process.execPath, [example, ...args], { encoding: 'utf8' });
  t.match(run(file, `sha256:${digest}`), { status: 0, stdout: /verdict pass/ });
  t.match(run(file), { status: 1, stdout: /is not approved/ });
  t.match(run(join(REAL, 'gone')), { status: 2, stderr: /NOT_FOUND/ });
  t.end();
});
