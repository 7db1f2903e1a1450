// The text report's histogram: how the magnitudes of all measured values are spread, one column per octave.

import { counted, grouped } from '../../document/text/quantity.ts';
import type { HistogramRun } from '../../scan/measure/record/stats.ts';
import type { TensorProfile } from '../../scan/profile/profile.ts';

const COLUMNS = 90;
const ROWS = 3;
/** Histogram bins per octave (see Stats.histogram). */
const BINS = 4;
/** Of the smallest and the largest double. */
const FIRST_OCTAVE = -1074;
const LAST_OCTAVE = 1023;
const BLOCKS = [...' ▁▂▃▄▅▆▇█'];

export function magnitudeLines(tensors: readonly TensorProfile[]): string[] {
  const octaves = new Float64Array(LAST_OCTAVE - FIRST_OCTAVE + 1);
  const totals = { zero: 0, nan: 0, inf: 0, tensors: 0 };
  for (const { stats } of tensors) {
    if (stats === null || stats.histogram === null) continue;
    totals.tensors += 1;
    totals.zero += stats.zero;
    totals.nan += stats.nan;
    totals.inf += stats.posInf + stats.negInf;
    add(octaves, stats.histogram.negative);
    add(octaves, stats.histogram.positive);
  }
  const lowest = octaves.findIndex((count) => count > 0);
  if (lowest < 0) return [];
  const highest = octaves.findLastIndex((count) => count > 0);
  const first = FIRST_OCTAVE + lowest;
  const last = FIRST_OCTAVE + highest;
  const step = Math.ceil((last - first + 1) / COLUMNS);
  const columns = new Array<number>(Math.floor((last - first) / step) + 1).fill(0);
  for (let i = lowest; i <= highest; i++) columns[Math.floor((i - lowest) / step)]! += octaves[i]!;

  const sum = columns.reduce((a, b) => a + b, 0);
  const peak = columns.reduce((a, b) => Math.max(a, b));
  const peakAt = first + columns.indexOf(peak) * step;
  const width = step === 1 ? 'one column per octave' : `${step} octaves per column`;
  return [
    `Magnitudes |x| of ${counted(sum, 'value')} other than zero in ${counted(totals.tensors, 'tensor')}`,
    ...chart(columns, peak),
    `  2^${first} to 2^${last + 1}, ${width}; most, ${percent(peak / sum)}, in 2^${peakAt} to 2^${peakAt + step}`,
    `  ${grouped(totals.zero)} zero, ${grouped(totals.nan)} NaN, ${grouped(totals.inf)} Inf`,
  ];
}

/** Of 100,000 small tensors these are the most numbers by far: a loop, and no map. */
function add(octaves: Float64Array, run: HistogramRun | null): void {
  if (run === null) return;
  const { first, counts } = run;
  for (let i = 0; i < counts.length; i++) {
    octaves[Math.floor((first + i) / BINS) - FIRST_OCTAVE]! += counts[i]!;
  }
}

/** Linear in height, but a column that holds anything shows: one outlier in a billion values is what we look for. */
function chart(columns: readonly number[], peak: number): string[] {
  const steps = BLOCKS.length - 1;
  const heights = columns.map((count) =>
    count === 0 ? 0 : Math.max(1, Math.round((count / peak) * ROWS * steps)),
  );
  return Array.from({ length: ROWS }, (_, row) => {
    const below = (ROWS - 1 - row) * steps;
    const cells = heights.map((height) => BLOCKS[Math.min(steps, Math.max(0, height - below))]);
    return `  ${cells.join('')}`.trimEnd();
  });
}

const percent = (share: number): string => `${(share * 100).toFixed(1)} %`;
