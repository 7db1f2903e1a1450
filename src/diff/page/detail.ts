// The closer look at one tensor: bits, rows, columns, spectrum, elements.
import { inert } from '../../document/text/inert.ts';
import type { AxisChange, Difference, ElementChange, TensorChange } from '../report/diff-report.ts';
import type { BitFields, PageAxis, PageDetail, PageElement } from './contract.ts';
import { lengths, short } from './cut.ts';

/** Rows and columns that are listed; the report has more. */
const LINES = 24;
const TOKEN = 40;

export function detailOf({ good, suspect }: TensorChange, difference: Difference): PageDetail {
  const { norm, goodNorm, suspectNorm, bits, rows, columns, spectrum, elements } = difference;
  return {
    was: good.name === suspect.name ? null : inert(good.name),
    norm: short(norm),
    goodNorm: short(goodNorm),
    suspectNorm: short(suspectNorm),
    bits: bits && { counts: bits, fields: FIELDS.get(suspect.dtype) ?? null },
    rows: rows && axisOf(rows),
    columns: columns && axisOf(columns),
    spectrum: spectrum && {
      method: spectrum.method,
      error: short(spectrum.error),
      values: lengths(spectrum.values),
      stableRank: short(spectrum.stableRank),
    },
    elements: elements === null ? null : elements.map(elementOf),
  };
}

/** IEEE 754; bfloat16; OCP OFP8. Widths of sign, exponent and mantissa. */
const FIELDS: ReadonlyMap<string, BitFields> = new Map(
  (
    [
      ['F64', 1, 11, 52],
      ['F32', 1, 8, 23],
      ['F16', 1, 5, 10],
      ['BF16', 1, 8, 7],
      ['F8_E5M2', 1, 5, 2],
      ['F8_E4M3', 1, 4, 3],
      ['F8_E5M2FNUZ', 1, 5, 2],
      ['F8_E4M3FNUZ', 1, 4, 3],
    ] as const
  ).map(([name, sign, exponent, mantissa]) => [name, { sign, exponent, mantissa }]),
);

const axisOf = ({
  count,
  changed,
  keptNorm,
  unused,
  participation,
  bands,
  largest,
}: AxisChange): PageAxis => ({
  count,
  changed,
  keptNorm,
  unused,
  participation: short(participation),
  bands: lengths(bands),
  largest: largest.slice(0, LINES).map(({ index, token, norm, goodNorm, suspectNorm }) => ({
    index,
    token: token === undefined ? null : inert(token, TOKEN),
    norm: short(norm),
    goodNorm: short(goodNorm),
    suspectNorm: short(suspectNorm),
  })),
});

const elementOf = ({ index, good, suspect, goodBits, suspectBits }: ElementChange): PageElement => ({
  index: `[${index.join(', ')}]`,
  good: short(good, 9), // enough for any f32
  suspect: short(suspect, 9),
  goodBits: inert(goodBits),
  suspectBits: inert(suspectBits),
});
