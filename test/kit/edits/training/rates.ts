// Every pair of a half held against each other: what was concluded, and the numbers that the conclusions rest on.
// Usage: node out/test/kit/edits/training/rates.js set|held FILE [numbers of trainings] [numbers of edits]; see RECIPES for the first.
import { appendFileSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { DiffReport } from '../../../../src/diff/report/diff-report.ts';
import { diff } from '../../../../src/index.ts';
import type { Model } from '../../mutations/model.ts';
import { writeTensors } from '../../written.ts';
import { baseOf, type Case, type Half, honestCases, isTrainedIn } from './cases.ts';
import { plantedCases } from './planted.ts';

export interface Outcome {
  readonly half: Half;
  readonly group: 'honest' | 'trained in' | 'planted';
  readonly kind: string;
  readonly dtype: string;
  /** Without doubles, the worst first. */
  readonly conclusions: readonly string[];
  readonly worst: string;
}

function write({ shards }: Model, folder: string): void {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder);
  for (const { path, tensors } of shards) writeTensors(join(folder, path), tensors);
}

export interface Measured {
  readonly outcome: Outcome;
  readonly report: DiffReport;
}

export async function* measured(
  half: Half,
  cases: Iterable<Case>,
  isPlanted: boolean,
): AsyncGenerator<Measured> {
  const folder = mkdtempSync(join(tmpdir(), 'steelyard-rates-'));
  try {
    for (const { kind, dtype, good, suspect } of cases) {
      write(good, join(folder, 'good'));
      write(suspect, join(folder, 'suspect'));
      const report = await diff(join(folder, 'good'), join(folder, 'suspect'), { threads: 1 });
      const conclusions = [...new Set(report.conclusions.map((one) => one.kind))];
      const worst = report.conclusions[0]?.concern ?? report.outcome;
      const group = isPlanted ? 'planted' : isTrainedIn(kind) ? 'trained in' : 'honest';
      yield { outcome: { half, group, kind, dtype, conclusions, worst }, report };
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Trainings and edits, by their numbers. */
interface Part {
  readonly recipes: readonly number[];
  readonly planted: readonly number[];
}

const BASE_STEPS = 40;
const STEPS = 12;

export async function* part(which: Half, { recipes, planted }: Part): AsyncGenerator<Measured> {
  const start = baseOf(which, BASE_STEPS);
  for (const index of recipes) yield* measured(which, honestCases(which, start, index, STEPS), false);
  for (const index of planted) yield* measured(which, plantedCases(which, start, index), true);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [which, file, recipes = '', planted = ''] = process.argv.slice(2);
  const numbers = (text: string): number[] => text.split(',').filter(Boolean).map(Number);
  for await (const { outcome, report } of part(which as Half, {
    recipes: numbers(recipes),
    planted: numbers(planted),
  })) {
    const tensors = report.tensors.map(({ good, suspect, difference }) => ({
      name: suspect.name,
      dtypes: [good.dtype, suspect.dtype],
      shape: suspect.shape,
      norms: [difference?.norm, difference?.goodNorm, difference?.suspectNorm, difference?.cosine],
      values: difference?.spectrum?.values,
      changed: [difference?.changed, difference?.rows?.changed, difference?.columns?.changed],
      row: difference?.rows?.largest.reduce(
        (most, { norm, goodNorm }) => Math.max(most, goodNorm === 0 ? 9 : norm / goodNorm),
        0,
      ),
    }));
    appendFileSync(file!, `${JSON.stringify({ ...outcome, identical: report.identical, tensors })}\n`);
  }
}
