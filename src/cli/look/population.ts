// Many adapters among many: which they are, and what is written of them.
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { type PopulationReport, rankSuspects } from '../../diff/adapter/many/many.ts';
import { populationJsonChunks, renderPopulationText } from '../../diff/report/population-text.ts';
import { SteelyardError } from '../../rules/error.ts';
import { entriesOf } from '../../runtime/folder.ts';
import type { Run } from '../run.ts';
import { wantsColour } from '../terminal/colour.ts';
import { say } from '../terminal/message.ts';
import { checkOutput } from '../terminal/output.ts';

interface Flags {
  readonly format: 'text' | 'json' | 'html';
  readonly output?: string;
  readonly threads?: number;
  readonly io: 'auto' | 'mmap' | 'pread';
  readonly isolate?: boolean;
  readonly timeout?: number;
}

const EXIT = { even: 0, odd: 1, error: 2 } as const;

/** Many suspects among many known-good adapters. */
export async function ranked(
  population: readonly string[],
  suspects: readonly string[],
  flags: Flags,
  context: Run,
): Promise<number> {
  const { format, output, threads, io, isolate, timeout } = flags;
  if (format === 'html') throw new SteelyardError('USAGE', 'there is no page of many suspects: text or json');
  const [good, asked] = [adaptersIn(population), adaptersIn(suspects)];
  if (output !== undefined) await checkOutput(output, [...good, ...asked]);
  const { signal, onProgress } = context;
  const report = await rankSuspects(good, asked, {
    signal,
    onProgress,
    io,
    ...(threads === undefined ? {} : { threads }),
    ...(isolate ? { isolate: 'process' as const } : {}),
    ...(timeout === undefined ? {} : { timeout }),
  });
  context.measured();
  await context.write(output, renderedPopulation(report, format, output === undefined));
  if (output !== undefined) say(`${report.outcome}; the report is in ${output}`);
  return EXIT[report.outcome];
}

function renderedPopulation(
  report: PopulationReport,
  format: 'text' | 'json',
  isTerminal: boolean,
): Iterable<string> {
  if (format === 'json') return populationJsonChunks(report);
  return [renderPopulationText(report, { colour: isTerminal && wantsColour(process.stdout, process.env) })];
}

function foldersIn(path: string): string[] {
  try {
    const folders = entriesOf(path).filter(({ what }) => what.isDirectory());
    if (folders.length > 0) return folders.map(({ name }) => join(path, name)).sort();
  } catch (cause) {
    if (cause instanceof SteelyardError) throw cause;
    throw new SteelyardError('NOT_FOUND', '--population: the folder cannot be read', { cause });
  }
  throw new SteelyardError('USAGE', '--population: no folder is in it; each known-good adapter has its own');
}

/** One folder has a folder for each adapter; several are adapters, or have some. */
export const populationOf = (paths: readonly string[]): string[] =>
  paths.length === 1 ? foldersIn(paths[0]!) : adaptersIn(paths);

/** Files, folders with weights, and the folders in those that have none. */
function adaptersIn(paths: readonly string[]): string[] {
  return paths.flatMap((path) => {
    if (!statSync(path, { throwIfNoEntry: false })?.isDirectory()) return [path];
    const isAdapter = entriesOf(path).some(({ name }) => /\.(?:safetensors|gguf)$/i.test(name));
    return isAdapter ? [path] : foldersIn(path);
  });
}
