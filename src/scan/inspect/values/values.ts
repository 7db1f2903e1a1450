// What the statistics of a tensor give away on their own: values that no honest writer stores. How large or how common
// values are proves nothing here, models differ; that takes a baseline.
import { type Finding, toFinding } from '../../../rules/finding.ts';
import type { RuleId, Severity } from '../../../rules/rules.ts';
import type { Check } from '../../../runtime/turn.ts';
import type { ScaleStats, Stats } from '../../measure/record/stats.ts';
import type { Profile, TensorProfile } from '../../profile/profile.ts';
import { inspectIndexes } from './indexes.ts';
import { inspectMatrices } from './matrices.ts';

export function inspectValues(profile: Profile, check: Check): Finding[] {
  const packed = packedTensors(profile);
  return [
    ...inspectMatrices(profile),
    ...inspectIndexes(profile),
    ...profile.tensors.flatMap((tensor) => {
      check();
      const { stats, dtype } = tensor;
      if (stats === null) return [];
      const report: Report = (rule, message, severity) =>
        toFinding({ rule, ...(severity && { severity }), file: tensor.file, tensor: tensor.name, message });
      if (stats.quantized !== null) return scales(stats, dtype, report);
      if (dtype === 'F8_E8M0') return exponents(stats, report);
      if (dtype === 'BOOL') return bools(stats, report);
      return notFinite(stats, () => packed.has(keyOf(tensor)), report, SCALE.test(tensor.name));
    }),
  ];
}

type Report = (rule: RuleId, message: string, severity?: Severity) => Finding;

/** By its name, what codes are multiplied with: one that is not finite spoils its whole block or row. */
const SCALE =
  /(^|[._])(\w*scale(_inv|_2)?|scales|absmax|nested_absmax|SCB|scale_weight|scale_input|weight_scale\w*|\w*_scales?)$/;

/**
 * Arithmetic makes one quiet NaN of either sign. Of an 8-bit dtype all codes of NaN may be there by saturation; a third in a
 * wider one was written on purpose, or is something else than a number.
 */
const HONEST_NAN_CODES = 2;
const NARROW_NAN_CODES = 6; // F8_E5M2 has three of either sign

function notFinite(stats: Stats, isPacked: () => boolean, report: Report, isScale = false): Finding[] {
  const inf = stats.posInf + stats.negInf;
  if (stats.nan + inf === 0) return [];
  if (isScale)
    return [report('stats/scale', `${stats.nan + inf} of ${stats.count} scales are NaN or infinite`)];
  if (isPacked())
    return [report('stats/packed', `${stats.nan + inf} of ${stats.count} codes are no finite number`)];
  const found: Finding[] = [];
  // Nothing honest is made of NaN alone.
  const severity = stats.nan === stats.count && stats.count > 1 ? 'high' : undefined;
  if (stats.nan > 0)
    found.push(report('stats/nan', `${stats.nan} of ${stats.count} elements are NaN`, severity));
  const narrow = stats.entropy.bytes.length === 1;
  if (stats.distinctNaN > (narrow ? NARROW_NAN_CODES : HONEST_NAN_CODES)) {
    const codes = stats.distinctNaN >= 256 ? 'at least 256' : stats.distinctNaN;
    found.push(report('stats/nan-codes', `${stats.nan} elements are NaN in ${codes} different codes`));
  }
  // A causal mask that was saved holds nothing but 0 and -inf.
  const isMask = stats.posInf === 0 && stats.zero + stats.negInf === stats.count && stats.zero > 0;
  if (inf > 0)
    found.push(
      report('stats/inf', `${inf} of ${stats.count} elements are infinite`, isMask ? 'low' : undefined),
    );
  return found;
}

function bools(stats: Stats, report: Report): Finding[] {
  if (!(Number(stats.max) > 1)) return [];
  return [report('stats/bool', `the largest code among ${stats.count} elements is ${stats.max}`)];
}

/** Exponents that scale other tensors: 0xFF is their only code that is no number. */
function exponents(stats: Stats, report: Report): Finding[] {
  if (stats.nan === 0) return [];
  return [report('stats/scale', `${stats.nan} of ${stats.count} scales are NaN (0xFF)`)];
}

/**
 * Whose scale is a largest magnitude or a range over a positive number (ggml-quants.c). The scales of the others, Q4_0,
 * Q5_0, Q3_K, Q6_K and most IQ types, are negative by right.
 */
const NEVER_NEGATIVE = new Set(['Q8_0', 'Q4_1', 'Q5_1', 'Q2_K', 'Q4_K', 'Q5_K', 'TQ1_0', 'TQ2_0']);

function scales(stats: Stats, dtype: string, report: Report): Finding[] {
  const found: Finding[] = [];
  const { scales: first, mins } = stats.quantized!;
  // Minima of Q4_1 and Q5_1 are the smallest value itself.
  const signed = dtype === 'Q4_1' || dtype === 'Q5_1';
  check('scales', first, NEVER_NEGATIVE.has(dtype));
  check('minima', mins, NEVER_NEGATIVE.has(dtype) && !signed);
  // The product of a finite scale and a quant may overflow where it is decoded; of bad scales, their elements say no more.
  if (found.length === 0 && stats.coverage === 'values') found.push(...notFinite(stats, () => false, report));
  return found;

  function check(what: string, codes: ScaleStats | null, positive: boolean): void {
    if (codes === null) return;
    const bad = codes.nan + codes.inf;
    if (bad > 0)
      found.push(report('stats/scale', `${bad} of ${codes.count} block ${what} are NaN or infinite`));
    if (positive && codes.negative > 0) {
      found.push(
        report('stats/scale-sign', `${codes.negative} of ${codes.count} block ${what} are negative`),
      );
    }
  }
}

const QUANTIZATION_STATE = '.quant_state.bitsandbytes__';
const keyOf = ({ file, name }: Pick<TensorProfile, 'file' | 'name'>): string => `${file}\0${name}`;

/**
 * bitsandbytes packs 4-bit codes into a dtype of choice, one column wide, with their state in a tensor beside it. What a
 * loader unpacks is never used as numbers, so any bits are lawful there.
 */
function packedTensors({ tensors }: Profile): Set<string> {
  const named = new Set<string>();
  for (const { file, name } of tensors) {
    const at = name.indexOf(QUANTIZATION_STATE);
    if (at >= 0) named.add(keyOf({ file, name: name.slice(0, at) }));
  }
  if (named.size === 0) return named;
  return new Set(tensors.filter((tensor) => named.has(keyOf(tensor)) && tensor.shape[1] === 1).map(keyOf));
}
