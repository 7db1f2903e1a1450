// The command line as a user meets it: what goes to stdout, what to stderr, and what it exits with.
import { type ChildProcess, spawn } from 'node:child_process';
import {
  closeSync,
  existsSync,
  ftruncateSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'tap';
import type { Report } from '../../src/baseline/report.ts';
import { progressDisplay } from '../../src/cli/terminal/progress.ts';
import { renderJson } from '../../src/report/report-json.ts';
import { packageRoot } from '../kit/root.ts';

const MAIN = join(packageRoot, 'out', 'src', 'cli', 'main.js');
const REAL = join(packageRoot, 'fixtures', 'real');
const FILE = join(REAL, 'reference-f16.safetensors');
const LORA = join(REAL, 'tiny-lora');
const SHA256 = '473393ed4425f74665925f71dfd71e32e0c60d6916c7fcdae20f7bb660f7979c';

interface Ended {
  readonly stdout: string;
  readonly stderr: string;
  readonly code: number | null;
}

/** Runs steelyard; `stdout` may be a file of the caller's, `started` may interfere. */
function steelyard(
  args: readonly string[],
  env: NodeJS.ProcessEnv = {},
  stdout: number | 'pipe' = 'pipe',
  started: (child: ChildProcess) => void = () => undefined,
): Promise<Ended> {
  const { NO_COLOR: _no, FORCE_COLOR: _force, ...rest } = process.env;
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [MAIN, ...args], {
      env: { ...rest, ...env },
      cwd: packageRoot,
      stdio: ['ignore', stdout, 'pipe'],
    });
    const said = { stdout: '', stderr: '' };
    for (const name of ['stdout', 'stderr'] as const)
      child[name]?.setEncoding('utf8').on('data', (text: string) => {
        said[name] += text;
      });
    child.on('error', reject).on('close', (code) => resolve({ ...said, code }));
    started(child);
  });
}

const scratch = mkdtempSync(join(tmpdir(), 'steelyard-cli-'));
process.on('exit', () => rmSync(scratch, { recursive: true, force: true }));

/** Well formed, of zeros, sparse: costs no disk and takes long enough to be interrupted. */
function bigModel(gigabytes: number): string {
  const path = join(scratch, `big-${gigabytes}.safetensors`);
  const size = gigabytes * 2 ** 30;
  const tensor = { dtype: 'U8', shape: [size], data_offsets: [0, size] };
  const header = JSON.stringify({ zeros: tensor }).padEnd(120);
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(header.length));
  writeFileSync(path, Buffer.concat([length, Buffer.from(header)]));
  const file = openSync(path, 'r+');
  ftruncateSync(file, 8 + header.length + size);
  closeSync(file);
  return path;
}

test('scan: the report goes to stdout, nothing to stderr', async (t) => {
  const { stdout, stderr, code } = await steelyard(['scan', FILE]);
  t.match(stdout, SHA256);
  t.match(stdout, /^PASS {2}no finding at or above high {3}exit 0: pass\n$/m);
  t.match(stdout, /^1 of 1 file examined, 103\/103 B, 1 tensor measured$/m);
  t.equal(stderr, '');
  t.equal(code, 0);
});

test('scan --format json: parses, and is the same from run to run and for any number of threads', async (t) => {
  const runs = await Promise.all(
    ['1', '4'].map((threads) => steelyard(['scan', '--format', 'json', '--threads', threads, REAL])),
  );
  const report = JSON.parse(runs[0]!.stdout) as Report;
  t.equal(report.schema, 'steelyard/report/1');
  t.equal(
    report.files.find(({ path }) => path.endsWith('reference-f16.safetensors'))?.sha256.slice(-64),
    SHA256,
  );
  t.equal(renderJson(report), runs[0]!.stdout);
  t.equal(runs[0]!.stdout, runs[1]!.stdout);
  const code = { pass: 0, fail: 1, error: 2 }[report.verdict.outcome];
  for (const run of runs) t.same([run.stderr, run.code], ['', code]);
});

test('scan --quiet says the coverage and the verdict', async (t) => {
  const { stdout, code } = await steelyard(['scan', '--quiet', FILE]);
  t.equal(stdout.split('\n').length, 3);
  t.equal(code, 0);
});

test('scan --timing gives seconds, and only then', async (t) => {
  const timed = await steelyard(['scan', '--timing', '--format', 'json', FILE]);
  t.ok((JSON.parse(timed.stdout) as Report).timing!.seconds >= 0);
  const plain = await steelyard(['scan', '--format', 'json', FILE]);
  t.equal((JSON.parse(plain.stdout) as Report).timing, undefined);
});

test('scan -o: a whole file or none', async (t) => {
  const folder = mkdtempSync(join(scratch, 'output-'));
  const output = join(folder, 'report.json');
  const run = (path: string, ...more: string[]) =>
    steelyard(['scan', FILE, '--format', 'json', '-o', path, ...more]);

  const first = await run(output);
  t.equal(first.stdout, '');
  t.match(first.stderr, /^steelyard: pass; the report is in .*report\.json\n$/);
  t.equal(first.code, 0);
  t.equal((JSON.parse(readFileSync(output, 'utf8')) as Report).files.length, 1);
  t.equal(statSync(output).mode & 0o777, 0o666 & ~process.umask());
  t.same(readdirSync(folder), ['report.json'], 'no temporary file stays');

  const link = join(folder, 'link.json');
  symlinkSync(output, link);
  const refused: [string, RegExp][] = [
    [link, /error USAGE: .* is a symlink; name its target/],
    [folder, /error NOT_REGULAR: /],
    [FILE, /error USAGE: .* would replace a weight file/],
    [
      join(folder, 'missing', 'report.json'),
      /error IO: cannot write .*: no access to its folder \(ENOENT\); name another file/,
    ],
  ];
  for (const [path, message] of refused) {
    const { stdout, stderr, code } = await run(path);
    t.match(stderr, message);
    t.same([stdout, code], ['', 2]);
  }
  t.ok(statSync(FILE).size === 103);
});

test('bad usage exits with 2 and names the nearest option', async (t) => {
  const cases: [string[], RegExp][] = [
    [
      ['scan', '--formt', 'json', FILE],
      /^steelyard: error USAGE: unknown option '--formt' \(did you mean --format\?\)\n$/,
    ],
    [['scan', '--format', 'xml', FILE], /Allowed choices are text, json/],
    [['scan', '--threads', '0', FILE], /must be an integer/],
    [['scan'], /missing required argument 'path'/],
    [['scna', FILE], /unknown command 'scna' \(did you mean scan\?\)/],
    [['scan', '--x\x1b[2J\n::stop-commands::x'], /unknown option '--x\\u\{1b\}\[2J\\u\{a\}::stop/],
    [['scan', join(scratch, 'missing.safetensors')], /^steelyard: error NOT_FOUND: .*missing\.safetensors/],
  ];
  for (const [args, message] of cases) {
    const { stdout, stderr, code } = await steelyard(args);
    t.match(stderr, message);
    t.same([stdout, code], ['', 2], JSON.stringify(args));
  }
});

test('--help shows examples and exit codes; --version is the package version', async (t) => {
  const help = await steelyard(['scan', '--help']);
  t.match(help.stdout, /--fail-on <severity>[\s\S]*Examples:[\s\S]*Exit codes:[\s\S]*130 {2}interrupted/);
  t.same([help.stderr, help.code], ['', 0]);
  const { version } = JSON.parse(readFileSync(join(packageRoot, 'package.json'), 'utf8')) as {
    version: string;
  };
  t.same(await steelyard(['--version']), { stdout: `${version}\n`, stderr: '', code: 0 });
});

test('a malformed file fails; --fail-on none lets it pass but never hides an error', async (t) => {
  const path = join(scratch, 'broken.safetensors');
  writeFileSync(path, Buffer.from([255, 255, 0, 0, 0, 0, 0, 0, 123]));
  const failed = await steelyard(['scan', path]);
  t.match(
    failed.stdout,
    /CRITICAL[\s\S]*hint: [\s\S]*^FAIL {2}\d+ findings? at or above high {3}exit 1: fail\n$/m,
  );
  t.same([failed.stderr, failed.code], ['', 1]);
  const passed = await steelyard(['scan', '--fail-on', 'none', path]);
  t.match(passed.stdout, /^PASS {2}.*fail-on none.* exit 0: pass\n$/m);
  t.equal(passed.code, 0);
  t.equal((await steelyard(['scan', '--fail-on', 'none', join(scratch, 'missing.gguf')])).code, 2);
});

test('colour only when it is wanted', async (t) => {
  t.notMatch((await steelyard(['scan', FILE])).stdout, '\x1b', 'a pipe is not a terminal');
  t.match((await steelyard(['scan', FILE], { FORCE_COLOR: '1' })).stdout, '\x1b[');
  t.notMatch((await steelyard(['scan', FILE], { NO_COLOR: '1' })).stdout, '\x1b');
});

function hasOpen(pid: number, file: string): boolean {
  const links = readdirSync(`/proc/${pid}/fd`).map((fd) => join('/proc', String(pid), 'fd', fd));
  return links.some((link) => {
    try {
      return readlinkSync(link) === file;
    } catch {
      return false; // closed between the two looks
    }
  });
}

test('SIGINT and SIGTERM: no report, and the exit code of the signal', async (t) => {
  const big = bigModel(64);
  for (const [name, code] of [['SIGINT', 130] as const, ['SIGTERM', 143] as const]) {
    const output = join(scratch, `${name}.json`);
    let sent = 0;
    const ended = await steelyard(['scan', big, '-o', output], {}, undefined, (child) => {
      // Once the file is open, the handlers are in place and the scan is going.
      const timer = setInterval(() => {
        if (!hasOpen(child.pid!, big)) return;
        clearInterval(timer);
        sent = performance.now();
        child.kill(name);
      }, 20);
    });
    t.comment(`${name}: over after ${(performance.now() - sent).toFixed(0)} ms`);
    t.same(ended, { stdout: '', stderr: 'steelyard: interrupted, nothing was written\n', code });
    t.notOk(existsSync(output));
  }
});

test('a reader that leaves early is no error', async (t) => {
  for (const args of [
    ['scan', '--format', 'json', LORA],
    ['scan', '--help'],
  ]) {
    const ended = await steelyard(args, {}, undefined, (child) => child.stdout!.destroy());
    t.same(ended, { stdout: '', stderr: '', code: 0 });
  }
});

const noFullDevice = !existsSync('/dev/full') && 'NOT TESTED: this system has no /dev/full';
test('a report that cannot be written is no pass', { skip: noFullDevice }, async (t) => {
  const full = openSync('/dev/full', 'w');
  const { stderr, code } = await steelyard(['scan', FILE], {}, full);
  closeSync(full);
  t.match(stderr, /^steelyard: error IO: cannot write the report to stdout \(ENOSPC\)\n$/);
  t.equal(code, 2);
});

test('progress: a bar for people, nothing for logs', async (t) => {
  const drawn = async (
    stream: { isTTY?: boolean; columns?: number },
    wanted?: boolean,
  ): Promise<string[]> => {
    const writes: string[] = [];
    const display = progressDisplay({ ...stream, write: (text) => writes.push(text) }, wanted);
    const until = performance.now() + 550;
    for (let done = 0; performance.now() < until; done += 1) {
      display.update({ filesDone: 0, filesTotal: 2, bytesDone: done * 1e6, bytesTotal: 1e9 });
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    display.end();
    return writes;
  };
  const [bar, unknown, narrow, log, unwanted] = await Promise.all([
    drawn({ isTTY: true, columns: 100 }),
    drawn({ isTTY: true, columns: 0 }),
    drawn({ isTTY: true, columns: 30 }),
    drawn({}),
    drawn({ isTTY: true }, false),
  ]);
  t.ok(bar!.length >= 3 && bar!.length <= 7, `${bar!.length} writes in 0.55 s`);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the bar clears the rest of its line
  t.match(bar![2], /^\r\[#* *\] 0\/2 files, [\d.]+ MB of 1\.00 GB, [\d.]+ .?B\/s, .* left\x1b\[K$/);
  t.ok(unknown![2]!.endsWith(' left\x1b[K'), 'nothing is cut off where the width is not known');
  t.equal(bar!.at(-1), '\r\x1b[K', 'cleared at the end');
  t.ok(narrow!.every((text) => text.length <= 29 + '\r\x1b[K'.length));
  t.same([log, unwanted], [[], []]);
});
