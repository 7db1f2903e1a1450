// How odd each of a group of adapters is among all of them. The score of one must not know which of them is the suspect: only then is
// its rank uniform if all are of one kind, and a conformal p-value what it claims to be.
import type * as MlMatrix from 'ml-matrix';
import { late } from '../../runtime/loading.ts';
import { type Features, FLOORS, median, robustZ, STATISTICS } from './features.ts';

/**
 * One score each: the largest robust deviation of any statistic of any module, which sees one module that stands out, plus the
 * Mahalanobis distance of medians over modules of one kind, which sees many that lean together. From the norms the adapter's own
 * median is taken first, because that is learning rate times steps.
 */
export function scoresOf(group: readonly Features[]): number[] {
  const tables = group.map(centred);
  const deviations = standardised(tables);
  const largest = deviations.map((row) => row.reduce((most, z) => Math.max(most, Math.abs(z)), 0));
  const kinds = [...new Set(group[0]!.modules.map(kindOf))];
  const medians = tables.map((table) =>
    kinds.flatMap((kind) => {
      const rows = table.filter((_, i) => kindOf(group[0]!.modules[i]!) === kind);
      return STATISTICS.map((_, statistic) => median(rows.map((row) => row[statistic]!)));
    }),
  );
  const distances = mahalanobis(standardised(medians.map((row) => chunks(row))));
  return largest.map((most, i) => most + distances[i]!);
}

type Table = readonly (readonly number[])[];

const centred = ({ values }: Features): Table => {
  const middle = median(values.map(([norm]) => norm));
  return values.map(([norm, energy, entropy]) => [norm - middle, energy, entropy]);
};

/** q_proj of all layers is one kind. */
const kindOf = (module: string): string => module.slice(module.lastIndexOf('.') + 1);

const chunks = (row: readonly number[]): Table =>
  Array.from({ length: row.length / STATISTICS.length }, (_, i) =>
    row.slice(i * STATISTICS.length, (i + 1) * STATISTICS.length),
  );

/** Of each table all entries in a row, each as its robust z over the tables. */
function standardised(tables: readonly Table[]): number[][] {
  const rows = tables.map((): number[] => []);
  for (let i = 0; i < tables[0]!.length; i++)
    for (let k = 0; k < STATISTICS.length; k++) {
      const z = robustZ(
        tables.map((table) => table[i]![k]!),
        FLOORS[k]!,
      );
      tables.forEach((table, n) => {
        rows[n]!.push(z(table[i]![k]!));
      });
    }
  return rows;
}

/** With the covariance that Ledoit and Wolf 2004 shrink towards a sphere, so that fewer adapters than numbers are enough. */
export function mahalanobis(rows: readonly (readonly number[])[]): number[] {
  const { inverse, Matrix } = late<typeof MlMatrix>('ml-matrix');
  const x = new Matrix(rows.map((row) => [...row])).center('column');
  const [count, size] = [x.rows, x.columns];
  const covariance = x.transpose().mmul(x).div(count);
  const mean = covariance.trace() / size;
  const sphere = Matrix.eye(size, size).mul(mean);
  const distance = Matrix.sub(covariance, sphere).norm() ** 2 / size;
  if (mean === 0) return rows.map(() => 0);
  let error = 0;
  for (let i = 0; i < count; i++) {
    const row = x.getRowVector(i);
    error += Matrix.sub(row.transpose().mmul(row), covariance).norm() ** 2 / size;
  }
  const shrinkage = distance === 0 ? 1 : Math.min(error / count ** 2, distance) / distance;
  const shrunk = Matrix.add(sphere.mul(shrinkage), covariance.mul(1 - shrinkage));
  const precision = inverse(shrunk);
  return Array.from({ length: count }, (_, i) => {
    const row = x.getRowVector(i);
    return Math.sqrt(Math.max(0, row.mmul(precision).mmul(row.transpose()).get(0, 0)));
  });
}
