// Runs tools alternately, round after round: on a shared machine a time alone says little, a ratio of neighbours does.
import { spawn, spawnSync } from 'node:child_process';
import { readFileSync, statSync } from 'node:fs';
import { PEER, type Tool } from './tools.ts';

export interface Result {
  readonly tool: string;
  readonly gigabytesPerSecond: number;
  /** Wall time relative to the peer's in the same round: median, lowest, highest. Below 1 is faster. */
  readonly ratio: readonly [median: number, low: number, high: number];
  /** Largest private resident memory seen, MiB. */
  readonly privateMemory: number;
}

/** `cold`: the files are dropped from the page cache before every run. */
export async function measureRounds(
  tools: readonly Tool[],
  files: readonly string[],
  rounds: number,
  cold: boolean,
): Promise<Result[]> {
  const contestants = [PEER, ...tools];
  const runs = new Map(contestants.map(({ name }) => [name, { seconds: [] as number[], memory: 0 }]));
  for (let round = cold ? 0 : -1; round < rounds; round++) {
    for (const tool of contestants) {
      if (cold) for (const file of files) drop(file);
      const { seconds, memory } = await run(tool.command(files));
      const kept = runs.get(tool.name)!;
      kept.memory = Math.max(kept.memory, memory);
      if (round >= 0) kept.seconds.push(seconds); // the round before the first warms the page cache
    }
  }
  const size = files.reduce((sum, file) => sum + statSync(file).size, 0);
  const peer = runs.get(PEER.name)!.seconds;
  return [...runs].map(([tool, { seconds, memory }]) => {
    const ratios = seconds.map((time, round) => time / peer[round]!).sort((a, b) => a - b);
    return {
      tool,
      gigabytesPerSecond: size / 1e9 / median(seconds),
      ratio: [median(ratios), ratios[0]!, ratios.at(-1)!],
      privateMemory: memory,
    };
  });
}

/** Throws unless it exits with 0. */
export async function run([program, ...args]: readonly string[]): Promise<{
  seconds: number;
  memory: number;
}> {
  const begun = performance.now();
  const child = spawn(program!, args, { stdio: ['ignore', 'ignore', 'inherit'] });
  let memory = 0;
  const timer = setInterval(() => {
    memory = Math.max(memory, privateMemory(child.pid));
  }, 50);
  const status = await new Promise((resolve, reject) => child.on('exit', resolve).on('error', reject));
  clearInterval(timer);
  if (status !== 0) throw new Error(`${program} ${args.join(' ')}: exit ${status}`);
  return { seconds: (performance.now() - begun) / 1000, memory };
}

function privateMemory(pid: number | undefined): number {
  try {
    const rollup = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8');
    const kibibytes = [...rollup.matchAll(/^Private_(?:Clean|Dirty): +(\d+)/gm)].map(([, size]) =>
      Number(size),
    );
    return kibibytes.reduce((sum, size) => sum + size, 0) / 1024;
  } catch {
    return 0; // it has ended, or this system has no /proc
  }
}

/** posix_fadvise(POSIX_FADV_DONTNEED) over the whole file, as dd documents it; needs no privilege. */
function drop(file: string): void {
  spawnSync('dd', [`of=${file}`, 'oflag=nocache', 'conv=notrunc,fdatasync', 'count=0'], { stdio: 'ignore' });
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)]!;
}
