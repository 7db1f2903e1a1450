// The slow twin's arithmetic: counting, entropy, and moments of doubles, exactly. Every finite double is an integer times a power of two, so sums,
// powers and the mean are ratios of integers; each result is rounded once, to the nearest double, ties to even (IEEE 754,
// roundTiesToEven). Only the entropy, a sum of logarithms, is computed in floating point.

/** Moments of values, each with how often it occurs. Not-a-number and infinite values must be left out by the caller. */
export function momentsOf(values: Iterable<readonly [value: number, count: number]>): Moments {
  const parts = [...values].map(([value, count]) => ({ ...dyadicOf(value), count: BigInt(count) }));
  const n = parts.reduce((sum, part) => sum + part.count, 0n);
  if (n === 0n) return NONE;
  // All values as integers X in units of 2^unit.
  const unit = parts.reduce((least, part) => Math.min(least, part.exponent), Infinity);
  const scaled = parts.map(({ integer, exponent, count }) => ({
    x: integer << BigInt(exponent - unit),
    count,
  }));
  const total = (term: (x: bigint) => bigint) =>
    scaled.reduce((sum, { x, count }) => sum + count * term(x), 0n);

  const sum = total((x) => x);
  // The mean is sum / n, so n*x - sum is n times the distance from it: M_k below is n^(k+1) * m_k.
  const distance = (x: bigint) => n * x - sum;
  const M2 = total((x) => distance(x) ** 2n);
  const M3 = total((x) => distance(x) ** 3n);
  const M4 = total((x) => distance(x) ** 4n);
  const constant = M2 === 0n;
  const asymmetry = constant ? 0 : nearestRoot(n * M3 ** 2n, M2 ** 3n, 0);
  return {
    mean: finite(nearest(sum, n, unit)),
    std: finite(nearestRoot(M2, n ** 3n, unit)),
    l1: finite(nearest(total(magnitude), 1n, unit)),
    l2: finite(
      nearestRoot(
        total((x) => x * x),
        1n,
        unit,
      ),
    ),
    // m3 / m2^(3/2) = sign(m3) * sqrt(m3^2 / m2^3), and m4 / m2^2: the powers of two cancel.
    skewness: constant ? null : M3 < 0n ? -asymmetry : asymmetry,
    kurtosis: constant ? null : nearest(n * M4, M2 ** 2n, 0),
  };
}

export interface Moments {
  readonly mean: number | null;
  readonly std: number | null;
  readonly l1: number | null;
  readonly l2: number | null;
  readonly skewness: number | null;
  readonly kurtosis: number | null;
}

/** value = integer * 2^exponent, exactly. */
export function dyadicOf(value: number): { integer: bigint; exponent: number } {
  if (!Number.isFinite(value)) throw new RangeError('not finite');
  let scaled = value;
  let exponent = 0;
  // Doubling and halving a double are exact as long as no bit falls off the end; the loops stop before one does.
  while (!Number.isInteger(scaled)) {
    scaled *= 2;
    exponent -= 1;
  }
  while (scaled !== 0 && scaled % 2 === 0) {
    scaled /= 2;
    exponent += 1;
  }
  return { integer: BigInt(scaled), exponent };
}

/** numerator / denominator * 2^power as the nearest double. */
export function nearest(numerator: bigint, denominator: bigint, power: number): number {
  if (numerator < 0n) return -nearest(-numerator, denominator, power);
  if (numerator === 0n) return 0;
  let [n, d] = shifted(numerator, denominator, power);
  const ulp = unitInLastPlace(floorLog2(n, d));
  [n, d] = shifted(n, d, -ulp);
  const quotient = n / d;
  const rest = 2n * (n % d);
  const up = rest > d || (rest === d && quotient % 2n === 1n);
  return Number(up ? quotient + 1n : quotient) * 2 ** ulp;
}

/** sqrt(numerator / denominator) * 2^power as the nearest double. */
export function nearestRoot(numerator: bigint, denominator: bigint, power: number): number {
  if (numerator === 0n) return 0;
  let [n, d] = shifted(numerator, denominator, 2 * power);
  const ulp = unitInLastPlace(Math.floor(floorLog2(n, d) / 2));
  [n, d] = shifted(n, d, -2 * ulp);
  const root = integerRoot(n / d);
  // Above the midpoint between root and root + 1? (2 root + 1)^2 / 4 against n / d.
  const midpoint = (2n * root + 1n) ** 2n * d;
  const up = 4n * n > midpoint || (4n * n === midpoint && root % 2n === 1n);
  return Number(up ? root + 1n : root) * 2 ** ulp;
}

/** floor(log2(numerator / denominator)). */
export function floorLog2(numerator: bigint, denominator: bigint): number {
  const guess = bitLength(numerator) - bitLength(denominator);
  const [n, d] = shifted(numerator, denominator, -guess);
  return n >= d ? guess : guess - 1;
}

/** 4 floor(log2|x|) + floor(4 (|x| / 2^floor(log2|x|) - 1)), in integers. */
export function binOf(value: number | bigint): number {
  const { integer, exponent } = typeof value === 'bigint' ? { integer: value, exponent: 0 } : dyadicOf(value);
  const magnitude = integer < 0n ? -integer : integer;
  const octave = floorLog2(magnitude, 1n);
  return 4 * (octave + exponent) + Number((4n * magnitude) >> BigInt(octave)) - 4;
}

/** Shannon's entropy in bits: sum of p log2(1/p). */
export function entropyOf(counts: Iterable<number>): number {
  const present = [...counts].filter((count) => count > 0);
  const total = present.reduce((sum, count) => sum + count, 0);
  // log2(1/p) loses digits as p nears 1; there log1p does not.
  const information = (count: number) =>
    2 * count > total ? Math.log1p((total - count) / count) / Math.LN2 : Math.log2(total / count);
  return present.reduce((sum, count) => sum + (count / total) * information(count), 0);
}

/** How often each thing occurs. */
export function tally<T>(things: Iterable<T>): Map<T, number> {
  const counts = new Map<T, number>();
  for (const thing of things) add(counts, thing, 1);
  return counts;
}

/** The same counts under another name; equal names add up. */
export function regroup<T, U>(counts: ReadonlyMap<T, number>, key: (thing: T) => U): Map<U, number> {
  const groups = new Map<U, number>();
  for (const [thing, count] of counts) add(groups, key(thing), count);
  return groups;
}

export function add<T>(counts: Map<T, number>, thing: T, count: number): void {
  counts.set(thing, (counts.get(thing) ?? 0) + count);
}

/** Counts of the integers from first to last. */
export const dense = (counts: ReadonlyMap<number, number>, first: number, last: number): number[] =>
  Array.from({ length: last - first + 1 }, (_, i) => counts.get(first + i) ?? 0);

// A double's last bit: 52 places below its first, but never below 2^-1074.
const unitInLastPlace = (exponent: number): number => Math.max(exponent - 52, -1074);

const shifted = (n: bigint, d: bigint, power: number): [bigint, bigint] =>
  power >= 0 ? [n << BigInt(power), d] : [n, d << BigInt(-power)];

const bitLength = (n: bigint): number =>
  n.toString(16).length * 4 - Math.clz32(Number.parseInt(n.toString(16)[0]!, 16)) + 28;

const magnitude = (x: bigint): bigint => (x < 0n ? -x : x);

const finite = (value: number): number | null => (Number.isFinite(value) ? value : null);

/** floor(sqrt(n)) by Newton's iteration from above. */
function integerRoot(n: bigint): bigint {
  if (n === 0n) return 0n;
  let root = 1n << BigInt(Math.ceil(bitLength(n) / 2));
  for (;;) {
    const next = (root + n / root) / 2n;
    if (next >= root) return root;
    root = next;
  }
}

const NONE: Moments = { mean: null, std: null, l1: null, l2: null, skewness: null, kurtosis: null };
