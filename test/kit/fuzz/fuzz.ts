// `npm run fuzz -- TARGET SECONDS [SEED]`: damages what a target reads until the time is over or the law is broken. The readers
// are fuzzed here; a target of native code is built with clang and the sanitizers, and libFuzzer takes over.
import { spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { packageRoot } from '../root.ts';
import { mutants } from './mutant.ts';
import { TARGETS, type Target } from './targets.ts';

/** native/test/fuzz_NAME.cc and their variants in native/CMakeLists.txt. */
const NATIVE = ['codes', 'wide', 'blocks', 'truncated', 'difference'];
const SLOW = 10_000; // ms; nothing of a few kilobytes may take as long

const [name = '', seconds = '', seed] = process.argv.slice(2);
const target = TARGETS[name];
if (name === '--list') console.log(Object.keys(TARGETS).join(' '));
else if (!(Number(seconds) > 0) || (target === undefined && !NATIVE.includes(name))) {
  console.error(
    `usage: npm run fuzz -- TARGET SECONDS [SEED]\ntargets: ${[...Object.keys(TARGETS), ...NATIVE].join(' ')}`,
  );
  process.exitCode = 2;
} else {
  process.exitCode =
    target === undefined
      ? fuzzNative(name, seconds)
      : fuzz(name, target, Number(seconds), Number(seed ?? Date.now() | 0));
}

function fuzz(name: string, { samples, breach }: Target, seconds: number, seed: number): number {
  const begun = performance.now();
  let runs = 0;
  let slowest = 0;
  const property = fc.property(mutants(samples()), (bytes) => {
    const start = performance.now();
    const broken = breach(bytes);
    const took = performance.now() - start;
    runs++;
    slowest = Math.max(slowest, took);
    if (broken !== null) throw new Error(broken);
    if (took > SLOW) throw new Error(`takes ${took.toFixed(0)} ms`);
  });
  const result = fc.check(property, {
    seed,
    numRuns: Number.MAX_SAFE_INTEGER,
    interruptAfterTimeLimit: seconds * 1000,
    markInterruptAsFailure: false,
  });
  const took = ((performance.now() - begun) / 1000).toFixed(0);
  console.log(`${name}: ${runs} mutants in ${took} s, seed ${seed}, slowest ${slowest.toFixed(1)} ms`);
  if (!result.failed) return 0;
  console.log(`${result.errorInstance}\npath ${result.counterexamplePath}`);
  for (const bytes of result.counterexample ?? []) console.log(`bytes ${bytes.toString('base64')}`);
  return 1;
}

/** What it finds interesting stays in build/fuzz/corpus, and is where the next run begins. */
function fuzzNative(name: string, seconds: string): number {
  const build = join(packageRoot, 'build', 'fuzz');
  const corpus = join(build, 'corpus', name);
  mkdirSync(corpus, { recursive: true });
  const compiler = process.env.CXX ?? 'clang++-14';
  const options = ['-DSTEELYARD_TESTS=ON', '-DSTEELYARD_SANITIZE=ON', `-DCMAKE_CXX_COMPILER=${compiler}`];
  const limits = [`-max_total_time=${seconds}`, '-max_len=8192', '-len_control=0'];
  const steps = [
    ['cmake', '-S', join(packageRoot, 'native'), '-B', build, ...options],
    ['cmake', '--build', build, '--target', `fuzz_${name}`],
    [join(build, `fuzz_${name}`), ...limits, '-print_final_stats=1', `-artifact_prefix=${build}/`, corpus],
  ];
  return steps.every(succeeds) ? 0 : 1;
}

function succeeds([command, ...args]: string[]): boolean {
  const { status, error } = spawnSync(command!, args, { stdio: 'inherit' });
  if (error !== undefined) throw error;
  return status === 0;
}
