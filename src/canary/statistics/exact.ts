// Exact tests for small tables, and what many p-values together allow.

/** Fisher's exact test of the table [[a, b], [c, d]]: is `a` of the first row more than chance (or as far from it, on both sides)? */
export function fisher(
  [[a, b], [c, d]]: readonly [readonly [number, number], readonly [number, number]],
  side: 'greater' | 'two-sided',
): number {
  const [row, column, all] = [a + b, a + c, a + b + c + d];
  const least = Math.max(0, row + column - all);
  const most = Math.min(row, column);
  const probability = (x: number): number =>
    Math.exp(logChoose(column, x) + logChoose(all - column, row - x) - logChoose(all, row));
  const observed = probability(a);
  let sum = 0;
  for (let x = least; x <= most; x++) {
    const p = probability(x);
    if (side === 'greater' ? x >= a : p <= observed * (1 + 1e-7)) sum += p;
  }
  return Math.min(1, sum);
}

/** McNemar's exact test: of the pairs that changed, `lost` one way and `gained` the other. */
export function mcnemar(lost: number, gained: number): number {
  const all = lost + gained;
  let sum = 0;
  for (let k = 0; k <= Math.min(lost, gained); k++) sum += Math.exp(logChoose(all, k) - all * Math.LN2);
  return Math.min(1, 2 * sum);
}

/**
 * How rare a value is among those of controls. It can never be below 1/(n+1): of 50 controls no value is rarer than 0.0196, however
 * large it is.
 */
export function rankP(value: number, controls: readonly number[]): number {
  return (1 + controls.filter((one) => one >= value).length) / (controls.length + 1);
}

/** Benjamini and Hochberg: for each p-value the smallest false discovery rate at which it counts. */
export function falseDiscovery(values: readonly number[]): number[] {
  const order = values.map((_, i) => i).sort((i, j) => values[j]! - values[i]!);
  const adjusted = new Array<number>(values.length);
  let least = 1;
  for (const [i, index] of order.entries()) {
    least = Math.min(least, (values[index]! * values.length) / (values.length - i));
    adjusted[index] = least;
  }
  return adjusted;
}

/** The Wilson interval of a rate, at 95 %. */
export function wilson(hits: number, all: number): readonly [low: number, high: number] {
  if (all === 0) return [0, 1];
  const z = 1.959963984540054;
  const rate = hits / all;
  const middle = rate + (z * z) / (2 * all);
  const half = z * Math.sqrt((rate * (1 - rate)) / all + (z * z) / (4 * all * all));
  const scale = 1 + (z * z) / all;
  return [Math.max(0, (middle - half) / scale), Math.min(1, (middle + half) / scale)];
}

/** The value below which a share of them lies: the smallest with at least that many at or below it. 0 of none. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? 0;
}

const logChoose = (n: number, k: number): number => logFactorial(n) - logFactorial(k) - logFactorial(n - k);

const FACTORIALS = [0, 0];
/** Summed, not approximated: tables here are small, and a series that is off in its tenth digit moves a p-value. */
function logFactorial(n: number): number {
  for (let i = FACTORIALS.length; i <= n; i++) FACTORIALS.push(FACTORIALS[i - 1]! + Math.log(i));
  return FACTORIALS[n]!;
}
