// Ratios to peers, measured alternately in one run: on a shared machine a time alone says little, a ratio of neighbours does.
// npm run bench -- [GiB per file, default 1] [rounds, default 7]
import { spawnSync } from 'node:child_process';
import { mkdirSync, statSync, writeFileSync } from 'node:fs';
import { cpus, loadavg } from 'node:os';
import { join } from 'node:path';
import { native } from '../src/measure/native.ts';
import { PACKAGE_ROOT } from '../src/package.ts';
import { BENCH_DTYPES, writeModel } from './models.ts';

const GIB = 2 ** 30;
const PEER = 'openssl dgst -sha256'; // what everything is compared with
const CREATE_HASH = `
  const { createReadStream } = require('node:fs');
  const hash = require('node:crypto').createHash('sha256');
  createReadStream(process.argv[1], { highWaterMark: 1 << 20 }).on('data', (c) => hash.update(c)).on('end', () => hash.digest('hex'));`;

interface Row {
  readonly dtype: string;
  readonly tool: string;
  readonly gigabytesPerSecond: number;
  /** Speed relative to the peer in the same round: median, lowest, highest. */
  readonly ratio: readonly [median: number, low: number, high: number];
}

main(Number(process.argv[2] ?? 1), Number(process.argv[3] ?? 7));

function main(gibibytes: number, rounds: number): void {
  const rows = BENCH_DTYPES.flatMap((dtype) => {
    const base = join(PACKAGE_ROOT, 'bench', 'data', `${dtype}-${gibibytes}`);
    const file = writeModel(base, dtype, gibibytes * GIB, 64);
    return measure(dtype, file, rounds);
  });
  const machine = {
    cpu: cpus()[0]?.model,
    cores: cpus().length,
    node: process.version,
    kernel: native().kernels()[0],
    load: loadavg()[0],
  };
  const table = toMarkdown(rows);
  console.log(
    `${machine.cpu}, ${machine.cores} cores, Node ${machine.node}, kernel ${machine.kernel}\n\n${table}`,
  );
  const results = join(PACKAGE_ROOT, 'bench', 'results');
  mkdirSync(results, { recursive: true });
  writeFileSync(
    join(results, 'scan.json'),
    `${JSON.stringify({ machine, gibibytes, rounds, rows }, null, 2)}\n`,
  );
  writeFileSync(join(results, 'scan.md'), table);
}

function measure(dtype: string, file: string, rounds: number): Row[] {
  const cli = join(PACKAGE_ROOT, 'out', 'src', 'cli', 'main.js');
  const tools: Record<string, readonly string[]> = {
    [PEER]: ['openssl', 'dgst', '-sha256', file],
    'steelyard scan': [process.execPath, cli, 'scan', '--threads', '1', '--no-progress', file],
    sha256sum: ['sha256sum', file],
    'Node createHash': [process.execPath, '-e', CREATE_HASH, file],
  };
  for (const command of Object.values(tools)) run(command); // warms the page cache
  const seconds = new Map<string, number[]>(Object.keys(tools).map((tool) => [tool, []]));
  for (let round = 0; round < rounds; round++) {
    for (const [tool, command] of Object.entries(tools)) seconds.get(tool)!.push(run(command));
  }
  const size = statSync(file).size;
  const peer = seconds.get(PEER)!;
  return [...seconds].map(([tool, times]) => {
    const ratios = times.map((time, round) => peer[round]! / time).sort((a, b) => a - b);
    return {
      dtype,
      tool,
      gigabytesPerSecond: size / 1e9 / median(times),
      ratio: [median(ratios), ratios[0]!, ratios.at(-1)!],
    };
  });
}

function run([program, ...args]: readonly string[]): number {
  const begun = performance.now();
  const { status, stderr } = spawnSync(program!, args, {
    stdio: ['ignore', 'ignore', 'pipe'],
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(`${program} ${args.join(' ')}: exit ${status}\n${stderr}`);
  return (performance.now() - begun) / 1000;
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)]!;
}

function toMarkdown(rows: readonly Row[]): string {
  const lines = rows.map(({ dtype, tool, gigabytesPerSecond, ratio: [middle, low, high] }) => {
    const speeds = `${gigabytesPerSecond.toFixed(2)} | ${middle.toFixed(2)} | ${low.toFixed(2)}–${high.toFixed(2)}`;
    return `| ${dtype} | ${tool} | ${speeds} |`;
  });
  return [
    '| dtype | tool | GB/s | speed, openssl = 1 | range |',
    '|---|---|---:|---:|---|',
    ...lines,
    '',
  ].join('\n');
}
