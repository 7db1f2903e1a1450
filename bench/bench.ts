// npm run bench [-- --quick] [-- --only TEXT]: one table of ratios to openssl, and the same as JSON, Markdown and a chart; then
// what signing and verifying cost beyond a scan, and instructions per byte (npm run bench -- --only sign, --only instructions:
// that alone).
// Everything takes forty minutes and 50 GB of disk under bench/data; --quick takes two minutes.
import { mkdirSync, writeFileSync } from 'node:fs';
import { cpus, loadavg } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { PACKAGE_ROOT, VERSION } from '../src/runtime/package.ts';
import { native } from '../src/scan/measure/native.ts';
import { chart } from './chart.ts';
import { instructionsTable, measureInstructions } from './instructions.ts';
import { writeModel } from './models.ts';
import { measureProof, proofTable } from './proof.ts';
import { measureRounds, type Result } from './rounds.ts';
import { otherTools, steelyard, type Tool } from './tools.ts';
import { BENCH_DTYPES, type BenchDtype } from './weights.ts';

export interface Case {
  readonly name: string;
  readonly dtype: BenchDtype;
  /** GiB per file. */
  readonly size: number;
  readonly files: number;
  readonly tensors: number;
  readonly cold?: boolean;
  /** Compared with every tool, not only with openssl. */
  readonly everyTool?: boolean;
}

export interface Measured extends Case {
  readonly results: readonly Result[];
}

const FULL: readonly Case[] = [
  ...BENCH_DTYPES.map((dtype) => ({ name: `${dtype}, 4 GiB`, dtype, size: 4, files: 1, tensors: 64 })),
  { name: 'BF16, 8 shards of 0.5 GiB', dtype: 'BF16', size: 0.5, files: 8, tensors: 8 },
  {
    name: 'BF16, 100,000 tensors of 10 KiB',
    dtype: 'BF16',
    size: (100_000 * 10) / 2 ** 20,
    files: 1,
    tensors: 100_000,
  },
  { name: 'BF16, 1 GiB', dtype: 'BF16', size: 1, files: 1, tensors: 64, everyTool: true },
  ...[0.25, 8].map(
    (size) => ({ name: `BF16, ${size} GiB`, dtype: 'BF16', size, files: 1, tensors: 64 }) as const,
  ),
  { name: 'BF16, 4 GiB, cold cache', dtype: 'BF16', size: 4, files: 1, tensors: 64, cold: true },
  ...[1, 10, 1000].map(
    (tensors) =>
      ({ name: `BF16, 1 GiB, ${tensors} tensors`, dtype: 'BF16', size: 1, files: 1, tensors }) as const,
  ),
];

const QUICK: readonly Case[] = [
  ...BENCH_DTYPES.map((dtype) => ({ name: `${dtype}, 0.25 GiB`, dtype, size: 0.25, files: 1, tensors: 64 })),
  { name: 'BF16, 0.25 GiB, 25000 tensors', dtype: 'BF16', size: 0.25, files: 1, tensors: 25_000 },
  { name: 'BF16, 4 shards of 0.25 GiB', dtype: 'BF16', size: 0.25, files: 4, tensors: 8 },
];

const { values: options } = parseArgs({
  options: { quick: { type: 'boolean', default: false }, only: { type: 'string' } },
});
const rounds = options.quick ? 3 : 7;
const others = otherTools();
const isWanted = (name: string): boolean => name.includes(options.only ?? '');
const cases = (options.quick ? QUICK : FULL).filter(({ name }) => isWanted(name));
const measured: Measured[] = [];
for (const one of cases) {
  measured.push(await measureCase(one));
  console.log(toMarkdown(measured.slice(-1)));
  report(measured); // a run that is broken off leaves what it has measured
}
if (isWanted('sign and verify')) {
  const costs = await measureProof(options.quick ? 0.25 : 4, options.quick ? 5 : rounds);
  tell(proofTable(costs), 'proof.md');
}
if (isWanted('instructions')) {
  const counted = measureInstructions();
  if (counted === undefined)
    console.log('No instructions counted: no CMake, or neither perf counters nor valgrind.');
  else tell(instructionsTable(counted), 'instructions.md');
}

async function measureCase(one: Case): Promise<Measured> {
  const files = Array.from({ length: one.files }, (_, i) => {
    const name = `${one.dtype}-${one.size}-${one.tensors}${one.files > 1 ? `-${i}` : ''}`;
    return writeModel(join(PACKAGE_ROOT, 'bench', 'data', name), one.dtype, one.size * 2 ** 30, one.tensors);
  });
  const tools: Tool[] = [steelyard(1), steelyard(2), ...(one.everyTool ? others.present : [])];
  return { ...one, results: await measureRounds(tools, files, rounds, one.cold ?? false) };
}

function report(all: readonly Measured[]): void {
  const machine = {
    cpu: cpus()[0]?.model ?? 'unknown',
    cores: cpus().length,
    node: process.version,
    kernel: native().kernels()[0],
    load: loadavg()[0],
    steelyard: VERSION,
  };
  const results = resultsFolder();
  const missing = others.missing.length === 0 ? '' : ` Not installed: ${others.missing.join(', ')}.`;
  const about = `${machine.cpu}, ${machine.cores} cores, Node ${machine.node}, kernel ${machine.kernel}; median of ${rounds} rounds (lowest–highest).${missing}`;
  const table = `${about}\n\n${toMarkdown(all)}`;
  writeFileSync(join(results, 'scan.json'), `${JSON.stringify({ machine, rounds, cases: all }, null, 2)}\n`);
  writeFileSync(join(results, 'scan.md'), table);
  writeFileSync(join(results, 'scan.svg'), chart(all));
}

function toMarkdown(all: readonly Measured[]): string {
  const rows = all.flatMap(({ name, results }) =>
    results.map(({ tool, gigabytesPerSecond, ratio: [middle, low, high], privateMemory }) => {
      const time = `**${middle.toFixed(2)}** (${low.toFixed(2)}–${high.toFixed(2)})`;
      return `| ${name} | ${tool} | ${time} | ${gigabytesPerSecond.toFixed(2)} | ${privateMemory.toFixed(0)} |`;
    }),
  );
  return [
    '| model | tool | time, openssl = 1 | GB/s | private MiB |',
    '|---|---|---|---:|---:|',
    ...rows,
    '',
  ].join('\n');
}

function tell(table: string, file: string): void {
  console.log(table);
  writeFileSync(join(resultsFolder(), file), table);
}

function resultsFolder(): string {
  const folder = join(PACKAGE_ROOT, 'bench', 'results');
  mkdirSync(folder, { recursive: true });
  return folder;
}
