// A tensor among those of its dtype. Rounding, truncating, rescaling and merging all leave marks in the lowest bits, so that no
// mark means anything by itself; what differs from nearly all others does.
import type { Finding } from '../../../rules/finding.ts';
import { reported, type Traced } from './traced.ts';

/** Fewer say nothing about what is usual. */
const LEAST = 8;

export function siblingFindings(tensors: readonly Traced[]): Finding[] {
  const byDtype = new Map<string, Traced[]>();
  for (const tensor of tensors) {
    const same = byDtype.get(tensor.dtype);
    if (same === undefined) byDtype.set(tensor.dtype, [tensor]);
    else same.push(tensor);
  }
  return [...byDtype].flatMap(([dtype, same]) => [
    ...rounding(same),
    ...equalPairs(same),
    ...lowBits(dtype, same),
    ...(dtype === 'Q8_0' ? quantiser(same) : []),
  ]);
}

/** Standard errors that a boundary ratio must lie from the median, and how far at least. */
const APART = 6;
const LEAST_APART = 0.03;
/** Mantissas of 0 and 1 below which the ratio is noise. */
const LEAST_BOUNDARY = 2000;

/** R0, the share of mantissas of 0 over those of 1: .755 after rounding to nearest even, 1 after the lowest bit was replaced. */
function rounding(tensors: readonly Traced[]): Finding[] {
  const ratios = tensors
    .filter(({ traces }) => Math.min(...traces.boundary) >= LEAST_BOUNDARY)
    .map((tensor) => {
      const [zero, one] = tensor.traces.boundary;
      return { tensor, ratio: zero / one, error: (zero / one) * Math.sqrt(1 / zero + 1 / one) };
    });
  if (ratios.length < LEAST) return [];
  const usual = median(ratios.map(({ ratio }) => ratio));
  // How far honest ones lie apart, in their own standard errors; 1.4826 × the median deviation is the one of normal values.
  const spread = 1.4826 * median(ratios.map(({ ratio, error }) => Math.abs(ratio - usual) / error));
  return ratios.flatMap(({ tensor, ratio, error }) => {
    const apart = Math.abs(ratio - usual);
    // Replaced bits move it towards 1; what moves it away (a rescale, a merge) is another recipe.
    const towards = Math.abs(ratio - 1) < Math.abs(usual - 1);
    if (!towards || apart < LEAST_APART || apart < APART * error * Math.max(1, spread)) return [];
    const message =
      `mantissas of 0 are ${ratio.toFixed(3)} of those of 1, in the ${ratios.length} tensors of its dtype ${usual.toFixed(3)} ` +
      `(${(apart / error).toFixed(0)} standard errors)`;
    return [reported(tensor, 'forensics/rounding', message)];
  });
}

const EQUAL = 3;
const EXPECTED = 15;

/** z of the pairs grows with the number of weights: what the others have per weight says what is expected of this one. */
function equalPairs(tensors: readonly Traced[]): Finding[] {
  const found = new Map<Traced, Finding>();
  for (let k = 4; k >= 1; k--) {
    const measured = tensors.flatMap((tensor) => {
      const z = tensor.traces.pairs[k - 1] ?? null;
      return z === null ? [] : [{ tensor, z, perWeight: z / tensor.stats.count }];
    });
    if (measured.length < LEAST) continue;
    const usual = median(measured.map(({ perWeight }) => perWeight));
    for (const { tensor, z } of measured) {
      const expected = usual * tensor.stats.count;
      if (z >= EQUAL || expected <= EXPECTED || found.has(tensor)) continue;
      const message =
        `codes that differ in their lowest ${k} bits only are equally frequent: z ${z.toFixed(1)}, by the tensors of its dtype ` +
        `${expected.toFixed(0)} is expected`;
      found.set(tensor, reported(tensor, 'forensics/equal-pairs', message));
    }
  }
  return [...found.values()];
}

/** Zero bits that a mantissa ends in after it was widened to the dtype. */
const WIDENED: Readonly<Record<string, readonly number[]>> = { F32: [16, 13], F64: [45, 42, 29] };
const NEARLY_ALL = 0.95;

function lowBits(dtype: string, tensors: readonly Traced[]): Finding[] {
  const known = tensors.filter(({ stats }) => stats.trailingZeros !== null && stats.count > 0);
  for (const bits of known.length < LEAST ? [] : (WIDENED[dtype] ?? [])) {
    const set = known.map(({ stats }) => stats.trailingZeros!.slice(0, bits).reduce((a, b) => a + b, 0));
    const clean = set.filter((count) => count === 0).length;
    if (clean === known.length || clean < NEARLY_ALL * known.length) continue;
    return known.flatMap((tensor, i) => {
      if (set[i] === 0) return [];
      const message =
        `${set[i]} of ${tensor.stats.count} values have one of their lowest ${bits} bits set; in ${clean} of ${known.length} tensors ` +
        'these are zero';
      return [reported(tensor, 'forensics/low-bits', message)];
    });
  }
  return [];
}

const OBEYED = 0.999;
const NEVER = 128; // -128, as it is stored

/** A block whose scale is 0 has no largest quant. */
function quantiser(tensors: readonly Traced[]): Finding[] {
  const broken = tensors.map(({ stats }) => {
    const { blocks, blocksAtExtreme, scales, quants } = stats.quantized!;
    return {
      blocks,
      off: blocks - (blocksAtExtreme ?? blocks) - (scales?.zero ?? 0),
      never: quants?.counts[NEVER] ?? 0,
    };
  });
  return tensors.flatMap((tensor, i) => {
    const { blocks, off, never } = broken[i]!;
    if (off <= (1 - OBEYED) * blocks && never === 0) return [];
    const others = broken.filter((_, k) => k !== i);
    const all = others.reduce((sum, other) => sum + other.blocks, 0);
    const bad = others.reduce((sum, other) => sum + Math.max(other.off, other.never), 0);
    // Other quantisers than ggml's keep no such law; where the others break it too, it says nothing.
    if (others.length < LEAST || bad > (1 - OBEYED) * all) return [];
    const message = `${off} of ${blocks} blocks do not reach 127, and ${never} quants are -128; of the other tensors' blocks ${bad} of ${all}`;
    return [reported(tensor, 'forensics/quantiser', message)];
  });
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[sorted.length >> 1]!;
}
