// Files measured in processes of their own: what kills one of them costs one file. The crash points are in a build of the
// addon that only this test makes.
import { execFileSync, spawnSync } from 'node:child_process';
import {
  copyFileSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  symlinkSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import t from 'tap';
import { type Report, SteelyardError, scan } from '../../../src/index.ts';
import { renderJson } from '../../../src/report/report-json.ts';
import { Deadline } from '../../../src/runtime/deadline.ts';
import { patience } from '../../kit/patience.ts';
import { packageRoot } from '../../kit/root.ts';
import { childrenOf, pause, run, steelyard, untilOpened, writeSparse } from '../../kit/steelyard.ts';

const REAL = join(packageRoot, 'fixtures', 'real');
const GIB = 2 ** 30;

t.setTimeout(patience(300_000)); // the addon is built first

const scratch = mkdtempSync(join(realpathSync(tmpdir()), 'steelyard-isolation-'));
process.on('exit', () => rmSync(scratch, { recursive: true, force: true }));

const isAlive = (pid: number): boolean => {
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
};
/** Of a command's own time limit: what does not hang must be over within it. */
const seconds = (quiet: number): string => String(patience(quiet));

async function until(condition: () => boolean): Promise<void> {
  for (const end = performance.now() + patience(10_000); !condition() && performance.now() < end; )
    await pause(10);
}
const onLinux =
  process.platform === 'linux' ? false : 'NOT TESTED: needs Linux, processes are seen through /proc';

t.test('the report is the same, byte for byte, in threads and in processes', async (t) => {
  const options = { rows: true, sketch: true, followSymlinks: 'always' } as const;
  const expected = renderJson(await scan(REAL, options));
  let last = { bytesDone: 0, bytesTotal: -1, filesDone: 0 };
  const onProgress = (progress: typeof last): void => {
    last = progress;
  };
  const report = await scan(REAL, { ...options, isolate: 'process', onProgress });
  t.equal(renderJson(report), expected);
  const size = report.files.reduce((sum, file) => sum + file.size, 0);
  t.match(last, { bytesDone: size, bytesTotal: size, filesDone: report.files.length });
});

t.test('errors come through with all their fields', async (t) => {
  const folder = t.testdir({});
  execFileSync('mkfifo', [join(folder, 'pipe.safetensors')]);
  const path = join(folder, 'pipe.safetensors');
  t.same((await scan(path, { isolate: 'process' })).errors, (await scan(path)).errors);
});

// A build of its own, because no release has crash points.
const built = spawnSync('sh', [
  '-c',
  `cmake -S '${join(packageRoot, 'native')}' -B '${join(scratch, 'build')}' -DSTEELYARD_CRASH_POINTS=ON &&
   cmake --build '${join(scratch, 'build')}' -j2`,
]);
const unbuilt =
  built.status !== 0 && `NOT TESTED: the addon with crash points cannot be built here: ${built.stderr}`;

t.test('crash points', { skip: unbuilt }, async (t) => {
  const root = join(scratch, 'package');
  mkdirSync(join(root, 'build/Release'), { recursive: true });
  copyFileSync(join(scratch, 'build/steelyard.node'), join(root, 'build/Release/steelyard.node'));
  copyFileSync(join(packageRoot, 'package.json'), join(root, 'package.json'));
  symlinkSync(join(packageRoot, 'node_modules'), join(root, 'node_modules'));
  cpSync(join(packageRoot, 'out/src'), join(root, 'out/src'), { recursive: true });
  const main = join(root, 'out/src/cli/main.js');

  const model = t.testdir({});
  copyFileSync(join(REAL, 'reference-f16.safetensors'), join(model, 'good.safetensors'));
  copyFileSync(join(REAL, 'r-writer.safetensors'), join(model, 'hostile.safetensors'));
  copyFileSync(join(REAL, 'tiny-lora/adapter_model.safetensors'), join(model, 'later.safetensors'));
  const at = statSync(join(model, 'hostile.safetensors')).size;
  const weigh = (how: string, ...args: string[]) =>
    run([process.execPath, main, 'scan', '--format', 'json', ...args, model], {
      STEELYARD_CRASH: `${how}:${at}`,
    });

  for (const how of ['abort', 'segv', 'bus', 'kill']) {
    const ended = await weigh(how, '--isolate', 'process', '--threads', '1');
    const report = JSON.parse(ended.stdout) as Report;
    t.same(
      report.files.map(({ path }) => path),
      ['good.safetensors', 'later.safetensors'],
      how,
    );
    t.match(report.errors, [{ code: 'CRASHED', file: 'hostile.safetensors', message: /died \(SIG[A-Z]+\)/ }]);
    t.same([ended.code, ended.signal, ended.stderr, report.complete], [2, null, '', false]);
    t.comment(`${how}: ${report.errors[0]!.message}`);
  }

  const hung = await weigh('hang', '--isolate', 'process', '--threads', '1', '--timeout', seconds(2));
  const report = JSON.parse(hung.stdout) as Report;
  t.same(
    report.errors.map(({ code, file }) => [code, file]),
    [
      ['LIMIT', ''],
      ['LIMIT', 'good.safetensors'],
      ['TIMEOUT', 'hostile.safetensors'],
    ],
    'the longest file was measured before, the shortest is not begun',
  );
  t.equal(hung.code, 2);
  t.comment(`hang: over after ${hung.seconds.toFixed(1)} s`);
  const beside = JSON.parse(
    (await weigh('hang', '--isolate', 'process', '--threads', '2', '--timeout', seconds(3))).stdout,
  ) as Report;
  t.same(
    beside.errors.map(({ code, file }) => [code, file]),
    [
      ['LIMIT', ''],
      ['TIMEOUT', 'hostile.safetensors'],
    ],
    'others go on, and nothing is inspected any more',
  );

  // A process that hangs in native code, and nobody left who could kill it.
  let orphans: number[] = [];
  const path = join(model, 'hostile.safetensors');
  const hang = { STEELYARD_CRASH: `hang:${at}` };
  await run([process.execPath, main, 'scan', '--isolate', 'process', path], hang, async (child) => {
    await untilOpened(child.pid!, path);
    await pause(300);
    orphans = childrenOf(child.pid!);
    child.kill('SIGKILL');
  });
  await until(() => !orphans.some(isAlive));
  t.same([orphans.length, orphans.filter(isAlive)], [1, []], 'it ends with its parent');

  const thread = await weigh('segv');
  t.equal(thread.signal, 'SIGSEGV', 'the crash point is real: a thread takes the process along');
});

t.test('a process that is killed from outside', { skip: onLinux }, async (t) => {
  const big = join(scratch, 'big.safetensors');
  writeSparse(big, 64 * GIB);
  const ended = await steelyard(
    ['scan', '--isolate', 'process', '--format', 'json', big],
    {},
    async (child) => {
      await untilOpened(child.pid!, big);
      for (const pid of childrenOf(child.pid!)) process.kill(pid, 'SIGSEGV');
    },
  );
  t.equal(ended.code, 2);
  t.match(JSON.parse(ended.stdout).errors, [{ code: 'CRASHED', file: 'big.safetensors' }]);
});

t.test('no process outlives its scan', { skip: onLinux }, async (t) => {
  const big = join(scratch, 'big.safetensors');
  writeSparse(big, 64 * GIB);
  for (const [signal, code] of [
    ['SIGINT', 130],
    ['SIGTERM', 143],
    ['SIGKILL', null],
  ] as const) {
    let children: number[] = [];
    let sent = 0;
    const ended = await steelyard(['scan', '--isolate', 'process', big], {}, async (child) => {
      await untilOpened(child.pid!, big);
      children = childrenOf(child.pid!);
      sent = performance.now();
      child.kill(signal);
    });
    t.same([ended.code, ended.stdout], [code, ''], signal);
    t.comment(`${signal}: over after ${(performance.now() - sent).toFixed(0)} ms`);
    t.equal(children.length, 1);
    await until(() => !children.some(isAlive));
    t.notOk(children.some(isAlive), 'its process is gone');
  }

  const controller = new AbortController();
  const aborted = scan(big, { isolate: 'process', signal: controller.signal }).catch((error) => error);
  await until(() => childrenOf(process.pid).length > 0);
  controller.abort();
  const error = await aborted;
  t.ok(error instanceof SteelyardError && error.code === 'ABORTED', String(error));
  t.same(childrenOf(process.pid).filter(isAlive), []);
});

t.test('a deadline comes, whatever is collected as garbage before', async (t) => {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const deadline = new Deadline({ timeout: 0.1 }, 'scan');
  let over = false;
  deadline.signal.addEventListener('abort', () => {
    over = true;
  });
  await pause(10); // what was made in this turn is kept to its end
  collect();
  await until(() => over);
  t.ok(over, 'by time');

  const controller = new AbortController();
  const [ended, stopped] = [1, 2].map(() => new Deadline({ signal: controller.signal }, 'scan'));
  ended!.end();
  controller.abort();
  t.same([ended!.signal.aborted, stopped!.signal.aborted], [false, true], 'no listener is left behind');
  t.ok(new Deadline({ signal: controller.signal }, 'scan').signal.aborted, 'by a signal that came before');
});

t.test('the time of a scan is limited in threads too', async (t) => {
  const folder = t.testdir({});
  writeSparse(join(folder, 'big.safetensors'), 64 * GIB);
  copyFileSync(join(REAL, 'reference-f16.safetensors'), join(folder, 'a.safetensors'));
  const limit = seconds(1.5);
  const ended = await steelyard(['scan', '--timeout', limit, '--threads', '3', '--format', 'json', folder]);
  const report = JSON.parse(ended.stdout) as Report;
  const message = new RegExp(`${limit} seconds`);
  t.match(report.errors, [
    { code: 'LIMIT', file: '', message },
    { code: 'LIMIT', file: 'big.safetensors', message },
  ]);
  t.same([report.files.map(({ path }) => path), ended.code], [['a.safetensors'], 2]);
  t.comment(`over after ${ended.seconds.toFixed(1)} s`);
  for (const timeout of [0, -1, Number.NaN, 1e10]) {
    const error = await scan(REAL, { timeout }).catch((reason) => reason);
    t.ok(error instanceof SteelyardError && error.code === 'USAGE', String(timeout));
  }
  t.equal((await steelyard(['scan', '--timeout', '0', REAL])).code, 2);
  t.equal((await scan(join(REAL, 'tiny-lora'), { timeout: 600 })).verdict.outcome, 'pass');
});
