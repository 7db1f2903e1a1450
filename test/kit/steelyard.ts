// The command line as a process of its own, for tests that need one: signals, limits, faults of the system.
import { type ChildProcess, spawn } from 'node:child_process';
import { readdirSync, readFileSync, readlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { patience } from './patience.ts';
import { packageRoot } from './root.ts';

export const MAIN = join(packageRoot, 'out', 'src', 'cli', 'main.js');

export interface Ended {
  readonly stdout: string;
  readonly stderr: string;
  /** null: killed by a signal. */
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly seconds: number;
}

/** Runs a command; `started` may interfere. */
export function run(
  command: readonly string[],
  env: NodeJS.ProcessEnv = {},
  started: (child: ChildProcess) => void = () => undefined,
): Promise<Ended> {
  const { NODE_OPTIONS: _options, NO_COLOR: _no, FORCE_COLOR: _force, ...rest } = process.env;
  const begun = performance.now();
  return new Promise((resolve, reject) => {
    const child = spawn(command[0]!, command.slice(1), {
      env: { ...rest, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const said = { stdout: '', stderr: '' };
    for (const name of ['stdout', 'stderr'] as const)
      child[name].setEncoding('utf8').on('data', (text: string) => {
        said[name] += text;
      });
    child.on('error', reject).on('close', (code, signal) => {
      resolve({ ...said, code, signal, seconds: (performance.now() - begun) / 1000 });
    });
    started(child);
  });
}

/** Runs steelyard. */
export const steelyard = (
  args: readonly string[],
  ...more: [NodeJS.ProcessEnv?, ((child: ChildProcess) => void)?]
) => run([process.execPath, MAIN, ...args], ...more);

/** A safetensors file with one U8 tensor of zeros, as large as asked and sparse on disk. */
export function writeSparse(path: string, size: number): void {
  const json = JSON.stringify({ zeros: { dtype: 'U8', shape: [size], data_offsets: [0, size] } });
  const header = Buffer.alloc(8 + json.length);
  header.writeBigUInt64LE(BigInt(json.length));
  header.write(json, 8);
  writeFileSync(path, header);
  truncateSync(path, header.length + size);
}

/** The processes that a process has started. */
export const childrenOf = (pid: number): number[] =>
  attempt(() => readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8'), '')
    .split(' ')
    .filter(Boolean)
    .map(Number);

/** Waits until a process or a child of it has opened a file; where there is no /proc, for a second. */
export async function untilOpened(pid: number, path: string): Promise<void> {
  if (process.platform !== 'linux') return pause(1000);
  const has = (one: number): boolean =>
    attempt(() => readdirSync(`/proc/${one}/fd`), []).some(
      (fd) => attempt(() => readlinkSync(`/proc/${one}/fd/${fd}`), '') === path,
    );
  for (const end = performance.now() + patience(20_000); performance.now() < end; await pause(10))
    if ([pid, ...childrenOf(pid)].some(has)) return pause(100);
}

export const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

function attempt<T>(action: () => T, otherwise: T): T {
  try {
    return action();
  } catch {
    return otherwise; // it has ended meanwhile
  }
}
