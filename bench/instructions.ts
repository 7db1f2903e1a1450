// Instructions per byte of the native pass: figures that no load and no other tenant of the machine disturbs. From the CPU's
// counters where perf(1) may read them, else from valgrind's callgrind, which knows AVX2 but no SHA instructions.
import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PACKAGE_ROOT } from '../src/runtime/package.ts';
import { BENCH_DTYPES, type BenchDtype, drawTile } from './weights.ts';

export interface Instructions {
  readonly kernel: string;
  readonly counter: string;
  /** Both digests of a byte, and what its statistics add, by dtype. */
  readonly digests: number;
  readonly statistics: ReadonlyMap<BenchDtype, number>;
}

interface Counter {
  readonly name: string;
  command(program: readonly string[]): readonly string[];
  readonly pattern: RegExp;
}

const COUNTERS: readonly Counter[] = [
  {
    name: 'perf stat',
    command: (program) => ['perf', 'stat', '-x', ',', '-e', 'instructions:u', '--', ...program],
    pattern: /^(\d+),,instructions:u/m,
  },
  {
    name: 'callgrind',
    command: (program) => ['valgrind', '--tool=callgrind', '--callgrind-out-file=/dev/null', ...program],
    pattern: /Collected : (\d+)/,
  },
];

/** undefined: this machine has no counter, or no CMake to build what is counted. */
export function measureInstructions(): Instructions | undefined {
  const folder = join(PACKAGE_ROOT, 'build', 'instructions');
  const program = build(folder);
  if (program === undefined) return;
  const counter = COUNTERS.find((one) => count(one, [program, '/dev/null', '0']) !== undefined);
  if (counter === undefined) return;
  let kernel = '';
  // Of twice as many bytes less those of the first half: starting the program counts for neither.
  const perByte = ({ file, size }: Tile, ...dtype: BenchDtype[]): number => {
    const [whole, half] = [size, size / 2].map(
      (bytes) => count(counter, [program, file, `${bytes}`, ...dtype])!,
    );
    kernel = whole!.output;
    return (whole!.instructions - half!.instructions) / (size / 2);
  };
  const tiles = BENCH_DTYPES.map((dtype) => writeTile(folder, dtype));
  const digests = perByte(tiles[0]!); // the same for any bytes
  const statistics = tiles.map((tile) => [tile.dtype, perByte(tile, tile.dtype) - digests] as const);
  return { kernel, counter: counter.name, digests, statistics: new Map(statistics) };
}

interface Tile {
  readonly dtype: BenchDtype;
  readonly file: string;
  readonly size: number;
}

function writeTile(folder: string, dtype: BenchDtype): Tile {
  const tile = drawTile(dtype);
  const file = join(folder, `tile-${dtype}`);
  writeFileSync(file, tile);
  return { dtype, file, size: tile.length };
}

/** Returns the path of native/test/instructions.cc as a program. */
function build(folder: string): string | undefined {
  mkdirSync(folder, { recursive: true });
  const steps = [
    ['-S', join(PACKAGE_ROOT, 'native'), '-B', folder, '-DSTEELYARD_TESTS=ON'],
    ['--build', folder, '--target', 'instructions'],
  ];
  const built = steps.every((args) => spawnSync('cmake', args, { stdio: 'ignore' }).status === 0);
  return built ? join(folder, 'instructions') : undefined;
}

function count(
  { command, pattern }: Counter,
  counted: readonly string[],
): { instructions: number; output: string } | undefined {
  const [program, ...args] = command(counted);
  const { status, stdout, stderr } = spawnSync(program!, args, { encoding: 'utf8' });
  const instructions = status === 0 ? pattern.exec(stderr)?.[1] : undefined;
  return instructions === undefined
    ? undefined
    : { instructions: Number(instructions), output: stdout.trim() };
}

export function instructionsTable({ kernel, counter, digests, statistics }: Instructions): string {
  const rows = [...statistics].map(
    ([dtype, more]) => `| ${dtype} | ${digests.toFixed(2)} | ${more.toFixed(2)} |`,
  );
  return [
    `Instructions per byte of the native pass on one thread, kernel ${kernel}, counted by ${counter}.`,
    '',
    '| dtype | digests of file and tensor | statistics |',
    '|---|---:|---:|',
    ...rows,
    '',
  ].join('\n');
}
