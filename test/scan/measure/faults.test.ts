// Hostile files and a failing world, through the command line: whatever happens ends in a finding or in exit code 2, never in
// 0 for something that was not looked at, never in a signal.
import { execFileSync, spawnSync } from 'node:child_process';
import {
  appendFileSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import type { Report } from '../../../src/index.ts';
import { patience } from '../../kit/patience.ts';
import { packageRoot } from '../../kit/root.ts';
import { type Ended, MAIN, pause, run, steelyard, untilOpened, writeSparse } from '../../kit/steelyard.ts';

const REAL = join(packageRoot, 'fixtures', 'real');
const WEIGHTS = join(REAL, 'reference-f16.safetensors');
const MIB = 2 ** 20;
const GIB = 2 ** 30;
const isRoot = process.getuid?.() === 0;
const onLinux = process.platform === 'linux' ? false : 'NOT TESTED: needs Linux';

t.setTimeout(patience(900_000)); // a hundred runs under strace take minutes where others work too

const scratch = mkdtempSync(join(realpathSync(tmpdir()), 'steelyard-faults-'));
process.on('exit', () => rmSync(scratch, { recursive: true, force: true }));
const json = (ended: Ended): Report => JSON.parse(ended.stdout) as Report;
const codesOf = (ended: Ended) => json(ended).errors.map(({ code, file }) => [code, file]);
const scanJson = (path: string, ...args: string[]) => steelyard(['scan', '--format', 'json', ...args, path]);

/** Exit code and peak resident memory (MiB) of a scan. */
async function weighed(path: string): Promise<Ended & { peak: number; rules: string[] }> {
  // The high-water mark of this very program: ru_maxrss begins with that of the process which started it.
  const peak =
    "Number(/VmHWM:\\s+(\\d+)/.exec(require('node:fs').readFileSync('/proc/self/status', 'utf8'))[1])";
  const hook = `import { createRequire } from 'node:module'; const require = createRequire('/');
    process.on('exit', () => process.stderr.write(String(${peak})));`;
  const ended = await run([
    process.execPath,
    '--import',
    `data:text/javascript,${encodeURIComponent(hook)}`,
    MAIN,
    'scan',
    '--format',
    'json',
    path,
  ]);
  const rules = [...new Set(json(ended).findings.map(({ rule }) => rule))];
  return { ...ended, rules, peak: Number(ended.stderr) / 1024 };
}

const u64 = (value: bigint | number): Buffer => {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(BigInt.asUintN(64, BigInt(value)));
  return bytes;
};
const safetensors = (header: string | Buffer, size: bigint | number = Buffer.byteLength(header)): Buffer =>
  Buffer.concat([u64(size), Buffer.from(header)]);
const gguf = (tensors: bigint, metadata: bigint, ...rest: Buffer[]): Buffer =>
  Buffer.concat([Buffer.from('GGUF'), Buffer.from([3, 0, 0, 0]), u64(tensors), u64(metadata), ...rest]);

t.test('headers that ask for everything get nothing', { skip: onLinux }, async (t) => {
  const folder = t.testdir({});
  const idle = (await weighed(WEIGHTS)).peak;
  const most = 2n ** 64n - 1n;
  const key = (name: string, type: number, ...rest: Buffer[]) =>
    Buffer.concat([u64(name.length), Buffer.from(name), Buffer.from([type, 0, 0, 0]), ...rest]);
  const fill = (bytes: Buffer, size = 160) =>
    Buffer.concat([bytes, Buffer.alloc(Math.max(0, size - bytes.length))]);
  const files: [name: string, bytes: Buffer, budget: number][] = [
    ['tensors.gguf', fill(gguf(most, 0n)), 64],
    ['metadata.gguf', fill(gguf(0n, most)), 64],
    ['both.gguf', fill(gguf(most, most)), 64],
    ['key.gguf', fill(gguf(0n, 1n, u64(most))), 64],
    ['string.gguf', fill(gguf(0n, 1n, key('a', 8, u64(most)))), 64],
    ['array.gguf', fill(gguf(0n, 1n, key('a', 9, Buffer.from([4, 0, 0, 0]), u64(most)))), 64],
    ['length.safetensors', fill(safetensors('{}', most)), 64],
    [
      'shape.safetensors',
      fill(safetensors(`{"a":{"dtype":"U8","shape":[${most},${most}],"data_offsets":[0,${most}]}}`)),
      64,
    ],
    ['deep.safetensors', safetensors(`{"a":${'['.repeat(100_000)}${']'.repeat(100_000)}}`), 64],
    ['objects.safetensors', safetensors('{"a":'.repeat(100_000)), 64],
    [
      'keys.safetensors',
      safetensors(`{"a":{${Array.from({ length: 200_000 }, (_, i) => `"${i}":0`).join()}}}`),
      128,
    ],
    ['deep.safetensors.index.json', Buffer.from('{"weight_map":'.repeat(100_000)), 64],
    // As large as the format allows, and every byte of it a tensor.
    ['tensors.safetensors', safetensors(`{${tensorsOf(99_999_000)}}`), 512],
  ];
  for (const [name, bytes, budget] of files) {
    const path = join(folder, name);
    writeFileSync(path, bytes);
    const companion = name.endsWith('.json') ? [copyFileSync(WEIGHTS, join(folder, 'a.safetensors'))] : [];
    const ended = await weighed(companion.length > 0 ? folder : path);
    t.same([ended.code, ended.signal], [1, null], name);
    t.ok(ended.rules.length > 0, 'has findings');
    t.ok(ended.peak - idle < budget, `${name}: ${(ended.peak - idle).toFixed(0)} MiB above idle`);
    t.comment(
      `${name} (${bytes.length} bytes): ${ended.rules.join(', ')}; ${(ended.peak - idle).toFixed(0)} MiB above idle (${idle.toFixed(0)}), ${ended.seconds.toFixed(1)} s`,
    );
    rmSync(path);
  }
});

function tensorsOf(size: number): string {
  const entries: string[] = [];
  for (let i = 0, used = 0; used < size; i++) {
    const entry = `"${i}":{"dtype":"U8","shape":[0],"data_offsets":[1,1]}`;
    used += entry.length + 1;
    if (used <= size) entries.push(entry);
  }
  return entries.join();
}

t.test('what is no file, named and in a folder', async (t) => {
  const folder = mkdtempSync(join(scratch, 'kinds-'));
  execFileSync('mkfifo', [join(folder, 'fifo.gguf')]);
  const server = createServer().listen(join(folder, 'socket'));
  t.teardown(() => server.close());
  writeFileSync(join(folder, 'empty.safetensors'), '');
  writeFileSync(join(folder, 'empty.gguf'), '');
  mkdirSync(join(folder, 'folder.safetensors'));
  symlinkSync(folder, join(folder, 'folder.safetensors', 'up'));
  symlinkSync('/dev/zero', join(folder, 'zero.safetensors'));
  const inFolder = await scanJson(folder);
  t.same(codesOf(inFolder), [
    ['NOT_REGULAR', 'fifo.gguf'],
    ['NOT_REGULAR', 'folder.safetensors/up'],
    ['NOT_REGULAR', 'socket'],
    ['NOT_REGULAR', 'zero.safetensors'],
  ]);
  t.same(
    new Set(json(inFolder).findings.map(({ file }) => file)),
    new Set(['empty.gguf', 'empty.safetensors']),
  );
  t.equal(inFolder.code, 1, 'an empty weight file is malformed');
  rmSync(join(folder, 'empty.safetensors'));
  rmSync(join(folder, 'empty.gguf'));
  t.equal((await scanJson(folder, '--fail-on', 'none')).code, 2);

  const named: [path: string, code: string][] = [
    [join(folder, 'fifo.gguf'), 'NOT_REGULAR'],
    [join(folder, 'socket'), 'IO'],
    ['/dev/zero', 'NOT_REGULAR'],
    ['/dev/full', 'NOT_REGULAR'],
    ['/dev/tty', 'IO|NOT_REGULAR'],
  ];
  for (const [path, code] of named.filter(([path]) => existsSync(path))) {
    const ended = await scanJson(path);
    t.equal(ended.code, 2, path);
    t.match(codesOf(ended)[0]![0], new RegExp(`^(${code})$`), path);
  }
  const empty = join(folder, 'nothing');
  mkdirSync(empty);
  t.match(await steelyard(['scan', empty]), { code: 2, stdout: '', stderr: /NOT_FOUND/ });
  t.equal((await steelyard(['scan', join(folder, 'folder.safetensors')])).code, 2);
});

t.test('files that are not what stat says', { skip: onLinux }, async (t) => {
  // Of size 0 with content, of no end, or that refuse to be read at all.
  for (const path of [
    '/proc/self/mem',
    '/proc/self/maps',
    '/proc/kmsg',
    '/sys/kernel/mm/transparent_hugepage/enabled',
  ]) {
    const link = join(scratch, 'odd.safetensors');
    symlinkSync(path, link);
    const ended = await steelyard(['scan', '--timeout', patience(20).toFixed(0), link]);
    rmSync(link);
    t.ok(ended.code === 1 || ended.code === 2, `${path}: exit ${ended.code}`);
    t.comment(`${path}: ${ended.stdout.trim().split('\n').at(-1) || ended.stderr.trim()}`);
  }
});

t.test('names that are no text', { skip: onLinux }, async (t) => {
  const folder = mkdtempSync(join(scratch, 'names-'));
  for (const byte of [0xfe, 0xff]) {
    writeFileSync(
      Buffer.concat([Buffer.from(`${folder}/a`), Buffer.from([byte]), Buffer.from('.safetensors')]),
      readFileSync(WEIGHTS),
    );
  }
  const unreadable = await steelyard(['scan', folder]);
  t.equal(unreadable.code, 2, 'a file that cannot be opened by the name we have is an error');
  copyFileSync(WEIGHTS, join(folder, 'a\n::error::x\u001b[2J.safetensors'));
  const ended = await steelyard(['scan', folder]);
  t.equal(ended.code, 1, 'and a name that talks to the terminal is a finding');
  // biome-ignore lint/suspicious/noControlCharactersInRegex: what must not come out
  t.notMatch(ended.stdout + ended.stderr, /\u001b|^::error/m);
});

const strace =
  spawnSync('strace', ['-V']).status === 0
    ? false
    : 'NOT TESTED: strace is not installed (apt-get install strace)';

t.test('the Nth system call fails', { skip: strace || onLinux }, async (t) => {
  const folder = mkdtempSync(join(scratch, 'strace-'));
  const path = join(folder, 'model.safetensors');
  writeSparse(path, 5 * MIB);
  const inject = (what: string, ...args: string[]) =>
    run([
      'strace',
      '-f',
      '-qq',
      '-o',
      '/dev/null',
      '-P',
      path,
      '-P',
      folder,
      '-e',
      `inject=${what}`,
      process.execPath,
      MAIN,
      'scan',
      '--format',
      'json',
      ...args,
    ]);

  t.equal(
    (await inject('pread64:error=EIO:when=999', '--io', 'pread', path)).code,
    0,
    'strace alone changes nothing',
  );
  for (const [call, errno, args] of [
    ['pread64', 'EIO', ['--io', 'pread', path]],
    ['pread64', 'EIO', ['--io', 'mmap', path]],
    ['pread64', 'ENOMEM', [path]],
    ['openat', 'EMFILE', [path]],
    ['openat', 'EACCES', [folder]],
    ['getdents64', 'EIO', [folder]],
    ['fstat,statx,newfstatat', 'EIO', [path]],
    ['mmap', 'ENODEV', ['--io', 'mmap', path]],
  ] as const) {
    // Until no call is left to fail.
    let failed = 0;
    for (let n = 1; n < 64; n++) {
      const ended = await inject(`${call}:error=${errno}:when=${n}`, ...args);
      if (ended.code === 0) break;
      failed++;
      t.same([ended.code, ended.signal], [2, null], `${call} ${n}`);
      if (ended.stdout !== '')
        t.match(json(ended).errors, [{ code: /^(IO|NOT_FOUND)$/, errno }], `${call} ${n}`);
      else t.match(ended.stderr, new RegExp(errno), `${call} ${n}`);
    }
    t.ok(failed > 0, `${call} ${errno} ${args.length > 1 ? args[1] : ''}: failed ${failed} times`);
    t.comment(
      `${call} ${errno} ${args.slice(0, -1).join(' ')}: ${failed} calls, each made to fail once: exit 2`,
    );
  }
  const digest = json(await scanJson(path)).files[0]!.sha256;
  for (const [what, args] of [
    ['mmap:error=ENODEV', ['--io', 'auto', path]],
    ['pread64:error=EINTR:when=2', ['--io', 'pread', path]],
    ['madvise:error=EINVAL', [path]],
  ] as const) {
    const ended = await inject(what, ...args);
    t.equal(ended.code, 0, `${what}: another way, or again`);
    t.equal(json(ended).files[0]!.sha256, digest);
  }
});

const WAYS = [
  ['--io', 'mmap'],
  ['--io', 'pread'],
  ['--isolate', 'process'],
];

t.test('a file that changes during the scan', async (t) => {
  const folder = t.testdir({});
  const file = join(folder, 'model.safetensors');
  const other = join(folder, 'other');
  const size = 2 * GIB;
  const changes: Record<string, () => void> = {
    truncated: () => truncateSync(file, 3 * MIB),
    emptied: () => truncateSync(file, 0),
    grown: () => appendFileSync(file, 'more'),
    replaced: () => renameSync(other, file),
    removed: () => rmSync(file),
    touched: () => utimesSync(file, 1, 1),
    rewritten: () =>
      execFileSync('dd', [
        `of=${file}`,
        'if=/dev/urandom',
        'bs=64',
        'count=1',
        'seek=1000',
        'conv=notrunc',
        'status=none',
      ]),
  };
  let turn = 0;
  for (const [how, change] of Object.entries(changes)) {
    const modes = how === 'truncated' ? WAYS : [WAYS[turn++ % WAYS.length]!];
    for (const args of modes) {
      writeSparse(file, size);
      writeSparse(other, size);
      const ended = await steelyard(['scan', ...args, file], {}, (child) => {
        void untilOpened(child.pid!, file).then(change);
      });
      t.same([ended.code, ended.signal], [2, null], `${how} ${args.join(' ')}`);
      t.match(
        ended.stdout,
        how === 'removed' ? /NOT_FOUND|FILE_CHANGED/ : /FILE_CHANGED[\s\S]*changed during the scan/,
        how,
      );
      t.match(ended.stdout, /NOT COMPLETE\nERROR/, how);
    }
  }
});

t.test('interrupted: nothing is half', async (t) => {
  const big = join(scratch, 'big.safetensors');
  writeSparse(big, 64 * GIB);
  const folder = mkdtempSync(join(scratch, 'interrupted-'));
  for (const [signal, code] of [
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const) {
    for (const args of [
      ['--io', 'mmap'],
      ['--io', 'pread'],
    ]) {
      const times: number[] = [];
      for (let round = 0; round < 3; round++) {
        let sent = 0;
        const ended = await steelyard(
          ['scan', ...args, big, '-o', join(folder, 'report')],
          {},
          async (child) => {
            await untilOpened(child.pid!, big);
            await pause(97 * round);
            sent = performance.now();
            child.kill(signal);
          },
        );
        times.push(performance.now() - sent);
        t.same([ended.code, ended.stdout], [code, ''], `${signal} ${args.join(' ')}`);
        t.same(readdirSync(folder), []);
      }
      // The best of three: this machine may have other things to do.
      t.ok(
        Math.min(...times) < patience(500),
        `${signal}: ${times.map((ms) => ms.toFixed(0)).join(', ')} ms`,
      );
      t.comment(`${signal} ${args.join(' ')}: ${times.map((ms) => ms.toFixed(0)).join(', ')} ms`);
    }
  }
});

const unmountable = !isRoot || spawnSync('unshare', ['-m', 'true']).status !== 0;
t.test(
  'the disk is full where the report goes',
  { skip: unmountable ? 'NOT TESTED: needs root to mount a small file system' : false },
  async (t) => {
    const disk = mkdtempSync(join(scratch, 'disk-'));
    const model = join(scratch, 'many.safetensors');
    const tensors = Array.from(
      { length: 1000 },
      (_, i) => `"t${i}":{"dtype":"U8","shape":[1],"data_offsets":[${i},${i + 1}]}`,
    );
    writeFileSync(model, Buffer.concat([safetensors(`{${tensors.join()}}`), Buffer.alloc(1000)]));
    const script = `mount -t tmpfs -o size=64k none "$0" && echo old > "$0/report" && "$@" ; echo "exit $?" && cat "$0/report" && ls -A "$0"`;
    const ended = await run([
      'unshare',
      '-m',
      'sh',
      '-c',
      script,
      disk,
      process.execPath,
      MAIN,
      'scan',
      '--format',
      'json',
      model,
      '-o',
      join(disk, 'report'),
    ]);
    t.equal(ended.stdout, 'exit 2\nold\nreport\n', 'the old report is whole, no temporary file stays');
    t.match(ended.stderr, /error IO: cannot write the report to .*ENOSPC/);
  },
);

t.test('ten thousand files, few descriptors', async (t) => {
  const folder = mkdtempSync(join(scratch, 'tree-'));
  const bytes = readFileSync(WEIGHTS);
  for (let i = 0; i < 100; i++) {
    const sub = join(folder, `${i % 10}`, `${i}`);
    mkdirSync(sub, { recursive: true });
    for (let k = 0; k < 100; k++) writeFileSync(join(sub, `${k}.safetensors`), bytes);
  }
  const ended = await run([
    'sh',
    '-c',
    'ulimit -n 256 && exec "$@"',
    'sh',
    process.execPath,
    MAIN,
    'scan',
    '--format',
    'json',
    '--threads',
    '4',
    folder,
  ]);
  t.equal(ended.code, 0);
  t.equal(json(ended).files.length, 10_000);
  t.comment(`10,000 files, 256 descriptors: ${ended.seconds.toFixed(1)} s`);

  const deep = mkdtempSync(join(scratch, 'deep-'));
  const depth = spawnSync('sh', [
    '-c',
    `cd "$0" && i=0; while [ $i -lt 3000 ] && mkdir d && cd d; do i=$((i+1)); done; cp "$1" a.safetensors`,
    deep,
    WEIGHTS,
  ]);
  t.equal(depth.status, 0);
  const lost = await steelyard(['scan', deep]);
  t.equal(lost.code, 2, 'what lies too deep to be named is an error');
  t.match(lost.stdout, /ENAMETOOLONG/);
  spawnSync('rm', ['-rf', deep]);
});
