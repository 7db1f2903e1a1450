// Every pair of a half held against each other: what was concluded, and the numbers that the conclusions rest on.
// Usage: node out/test/kit/edits/training/rates.js set|held FILE [steps of the base, steps of each training]
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { CONCLUSIONS, type DiffReport } from '../../../../src/diff/report/diff-report.ts';
import { diff } from '../../../../src/index.ts';
import type { Model } from '../../mutations/model.ts';
import { writeTensors } from '../../written.ts';
import { baseOf, type Case, type Half, honestCases, isTrainedIn, RECIPE_COUNT } from './cases.ts';
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

interface Effort {
  readonly base: number;
  readonly steps: number;
  readonly recipes: readonly number[];
  readonly planted: number;
}

export async function* half(
  which: Half,
  { base, steps, recipes, planted }: Effort,
): AsyncGenerator<Measured> {
  const start = baseOf(which, base);
  for (const index of recipes) yield* measured(which, honestCases(which, start, index, steps), false);
  for (let index = 0; index < planted; index++)
    yield* measured(which, plantedCases(which, start, index), true);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [which, file, base = '60', steps = '18', planted = '12'] = process.argv.slice(2);
  const recipes = Array.from({ length: RECIPE_COUNT }, (_, i) => i);
  const effort = { base: Number(base), steps: Number(steps), recipes, planted: Number(planted) };
  const lines: string[] = [];
  for await (const { outcome, report } of half(which as Half, effort)) {
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
      kept: difference?.rows?.keptNorm,
    }));
    const isAlarm = CONCLUSIONS[outcome.conclusions[0] as keyof typeof CONCLUSIONS] !== 'recipe';
    if (isAlarm !== (outcome.group === 'planted')) console.log(JSON.stringify(outcome));
    lines.push(JSON.stringify({ ...outcome, identical: report.identical, tensors }));
  }
  writeFileSync(file!, `${lines.join('\n')}\n`);
}
